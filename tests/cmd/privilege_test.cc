#include "cmd/privilege.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "cmd/capabilities.h"

namespace procevent {
namespace {

constexpr std::uint64_t kNetAdmin = CapabilityBit(CAP_NET_ADMIN);
constexpr std::uint64_t kListening = CapabilityBit(CAP_NET_BIND_SERVICE);

Capabilities Own() {
  const auto own = OwnCapabilities();
  return own ? own.value() : Capabilities{~0ULL, ~0ULL, ~0ULL};
}

bool HasOnly(std::uint64_t wanted, const Capabilities& had) { return Own() == Only(wanted, had); }

// What a new thread has after `act`.
bool ThreadHasOnly(std::uint64_t wanted, const Capabilities& had, const std::function<void()>& act) {
  bool as_wanted = false;
  std::thread([&] {
    act();
    as_wanted = HasOnly(wanted, had);
  }).join();
  return as_wanted;
}

// In a process of its own, where nothing can be regained. The steps are those of Serve.
TEST(PrivilegeTest, EachThreadKeepsWhatItNeeds) {
  const auto scenario = [] {
    const Capabilities had = Own();
    const std::uint64_t needs = FindReaderNeeds().capabilities;
    bool warned = false;
    Privilege privilege([&warned](LogLevel level, std::string_view) { warned = warned || level != LogLevel::kInfo; });
    const auto reader = [&privilege] { privilege.KeepForReader(); };
    const auto nothing = [&privilege] { privilege.KeepNothing(); };
    if (!HasOnly(needs | kListening, had)) {
      std::_Exit(1);
    }
    if (!ThreadHasOnly(needs, had, reader)) {
      std::_Exit(2);
    }
    privilege.KeepForListening();
    if (!HasOnly(kListening, had) || !ThreadHasOnly(0, had, nothing)) {
      std::_Exit(3);
    }
    privilege.KeepNothing();
    if (!HasOnly(0, had) || !ThreadHasOnly(0, had, reader)) {
      std::_Exit(4);
    }
    std::_Exit(warned ? 5 : 0);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

// From here on the kernel refuses every capset of this process.
bool ForbidCapset() {
  std::array program{sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                     sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_capset, 0, 1),
                     sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                     sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ForbidGain().ok() && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

TEST(PrivilegeTest, WhatCannotBeDroppedIsOneWarning) {
  const auto scenario = [] {
    std::vector<std::string> warnings;
    if (!ForbidCapset()) {
      std::_Exit(1);
    }
    Privilege privilege([&warnings](LogLevel level, std::string_view text) {
      if (level == LogLevel::kWarning) {
        warnings.emplace_back(text);
      }
    });
    privilege.KeepForListening();
    privilege.KeepNothing();
    const bool as_told = warnings.size() == 1 && warnings.front().starts_with("cannot drop capabilities: ");
    std::_Exit(as_told ? 0 : 2);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

TEST(ReaderNeedsTest, AreFoundWithoutChangingAnything) {
  const Capabilities before = Own();
  const ReaderNeeds needs = FindReaderNeeds("/proc");
  EXPECT_EQ(Own(), before);
  EXPECT_EQ(needs.capabilities & kNetAdmin, kNetAdmin);
}

TEST(ReaderNeedsTest, AreNoMoreWhereMoreWouldNotHelp) {
  const ReaderNeeds needs = FindReaderNeeds("/no/such/folder");
  EXPECT_EQ(needs.capabilities, kNetAdmin);
  EXPECT_FALSE(needs.sees_only_as_tracer);
}

}  // namespace
}  // namespace procevent
