#include "cmd/serve/privilege.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/cmd/logging/log_matchers.h"

namespace procevent {

namespace {

using testing::AllOf;

struct RestrictRow {
  const char* name;
  std::uint64_t wanted;
  Capabilities own;
  Capabilities expected;
};

class RestrictCapabilitiesTest : public testing::TestWithParam<RestrictRow> {};

TEST_P(RestrictCapabilitiesTest, KeepsOnlyPermittedOnes) {
  EXPECT_EQ(RestrictCapabilities(GetParam().wanted, GetParam().own), GetParam().expected);
}

constexpr std::uint64_t kHighest = CapabilityBit(CAP_CHECKPOINT_RESTORE);  // 40: in the second word

INSTANTIATE_TEST_SUITE_P(Rows, RestrictCapabilitiesTest,
                         testing::Values(RestrictRow{"Nothing", 0, {~0ULL, ~0ULL, ~0ULL}, {}},
                                         RestrictRow{"OneOfAll", 4, {~0ULL, ~0ULL, ~0ULL}, {4, 4, 0}},
                                         RestrictRow{"NotPermitted", 4, {8, 8, 4}, {}},
                                         RestrictRow{"PermittedBecomesEffective", 6, {0, 2, 0}, {2, 2, 0}},
                                         RestrictRow{
                                             "SecondWord", kHighest | 1, {0, kHighest, 0}, {kHighest, kHighest, 0}}),
                         [](const auto& row) { return row.param.name; });

Capabilities ExpectThreadCapabilities() {
  const auto own = GetThreadCapabilities();
  EXPECT_TRUE(own);
  return own ? own.value() : Capabilities{};
}

TEST(CapabilitiesTest, DropsThoseOfTheCallingThreadOnly) {
  const Capabilities before = ExpectThreadCapabilities();
  Capabilities kept{1, 1, 1};
  std::thread([&] {
    EXPECT_TRUE(SetThreadCapabilities({}));
    kept = ExpectThreadCapabilities();
  }).join();
  EXPECT_EQ(kept, Capabilities{});
  EXPECT_EQ(ExpectThreadCapabilities(), before);
}

TEST(CapabilitiesTest, KeepsEachByItsNumber) {
  const Capabilities before = ExpectThreadCapabilities();
  for (const int capability : {CAP_CHOWN, CAP_NET_ADMIN, CAP_AUDIT_READ, CAP_CHECKPOINT_RESTORE}) {
    const std::uint64_t bit = CapabilityBit(capability);
    std::thread([&] {
      const Capabilities wanted = RestrictCapabilities(bit, before);
      EXPECT_TRUE(SetThreadCapabilities(wanted));
      EXPECT_EQ(ExpectThreadCapabilities(), wanted) << capability;
    }).join();
  }
}

TEST(CapabilitiesTest, CannotRegainDroppedOnes) {
  const Capabilities all{~0ULL, ~0ULL, 0};
  std::thread([&] {
    ASSERT_TRUE(SetThreadCapabilities({}));
    const Status regained = SetThreadCapabilities(all);
    ASSERT_FALSE(regained);
    EXPECT_EQ(regained.error().operation, "drop capabilities");
    EXPECT_EQ(regained.error().cause.code, EPERM);
    EXPECT_NE(regained.error().remedy.find("security policy"), std::string_view::npos);
  }).join();
}

// In a child process, because a bounding set cannot be restored.
TEST(CapabilitiesTest, EmptiesTheBoundingSet) {
  const auto scenario = [] {
    const bool may_drop_bounds = (ExpectThreadCapabilities().effective & CapabilityBit(CAP_SETPCAP)) != 0;
    const int before = ::prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0);
    if (!SetNoNewPrivs() || ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
      std::_Exit(1);
    }
    ClearCapabilityBounds();
    for (const int capability : {CAP_CHOWN, CAP_NET_ADMIN, CAP_SETPCAP, CAP_CHECKPOINT_RESTORE}) {
      if (may_drop_bounds && ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) != 0) {
        std::_Exit(2);
      }
    }
    if (!may_drop_bounds && ::prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0) != before) {
      std::_Exit(3);
    }
    std::_Exit(0);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

constexpr std::uint64_t kNetAdmin = CapabilityBit(CAP_NET_ADMIN);
constexpr std::uint64_t kBindService = CapabilityBit(CAP_NET_BIND_SERVICE);

Capabilities Own() {
  const auto own = GetThreadCapabilities();
  return own ? own.value() : Capabilities{~0ULL, ~0ULL, ~0ULL};
}

// Compares with the capabilities `initial` that the test started with.
bool HasOnly(std::uint64_t wanted, const Capabilities& initial) {
  return Own() == RestrictCapabilities(wanted, initial);
}

// The same for a new thread after it called `drop`.
bool ThreadHasOnly(std::uint64_t wanted, const Capabilities& initial, const std::function<void()>& drop) {
  bool has_only = false;
  std::thread([&] {
    drop();
    has_only = HasOnly(wanted, initial);
  }).join();
  return has_only;
}

// In a child process, because capabilities cannot be regained. The steps are those of Serve.
TEST(PrivilegeDropperTest, EachThreadKeepsTheCapabilitiesItNeeds) {
  const auto scenario = [] {
    const Capabilities initial = Own();
    const std::uint64_t needs = DetectReaderCapabilities().capabilities;
    bool warned = false;
    PrivilegeDropper privilege(
        [&warned](const LogMessage& message) { warned = warned || message.level != LogLevel::kInfo; });
    const auto keep_for_reader = [&privilege] { privilege.KeepForReader(); };
    const auto drop_all = [&privilege] { privilege.DropAll(); };
    if (!HasOnly(needs | kBindService, initial)) {
      std::_Exit(1);
    }
    if (!ThreadHasOnly(needs, initial, keep_for_reader)) {
      std::_Exit(2);
    }
    if (!ThreadHasOnly(0, initial, drop_all)) {
      std::_Exit(3);
    }
    privilege.DropAll();
    if (!HasOnly(0, initial) || !ThreadHasOnly(0, initial, keep_for_reader)) {
      std::_Exit(4);
    }
    std::_Exit(warned ? 5 : 0);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

// Installs a seccomp filter that rejects every capset of this process.
bool ForbidCapset() {
  std::array program{sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                     sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_capset, 0, 1),
                     sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                     sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return SetNoNewPrivs().ok() && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

TEST(PrivilegeDropperTest, WarnsOnceIfCapabilitiesCannotBeDropped) {
  const auto scenario = [] {
    std::vector<LogMessage> warnings;
    if (!ForbidCapset()) {
      std::_Exit(1);
    }
    PrivilegeDropper privilege([&warnings](const LogMessage& message) {
      if (message.level == LogLevel::kWarning) {
        warnings.push_back(message);
      }
    });
    privilege.KeepForReader();
    privilege.DropAll();
    if (warnings.size() != 1) {
      std::_Exit(2);
    }
    const LogMessage& warning = warnings.front();
    if (!warning.text.starts_with("cannot drop capabilities: Operation not permitted; ")) {
      std::_Exit(3);
    }
    std::_Exit(warning.fields == std::vector{Text("err", "Operation not permitted")} ? 0 : 4);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

TEST(ReaderCapabilitiesTest, DetectionRestoresTheCapabilities) {
  const Capabilities before = Own();
  const ReaderCapabilities needs = DetectReaderCapabilities("/proc");
  EXPECT_EQ(Own(), before);
  EXPECT_EQ(needs.capabilities & kNetAdmin, kNetAdmin);
}

TEST(ReaderCapabilitiesTest, ExcludePtraceWhereItDoesNotHelp) {
  const ReaderCapabilities needs = DetectReaderCapabilities("/no/such/folder");
  EXPECT_EQ(needs.capabilities, kNetAdmin);
  EXPECT_FALSE(needs.needs_ptrace);
}

struct OpenFilesRow {
  const char* name;
  rlim_t soft;
  rlim_t hard;
  rlim_t raised;
  bool warns;
  bool too_low = false;
};

class OpenFilesTest : public testing::TestWithParam<OpenFilesRow> {};

// In a child process, because a hard limit cannot be restored.
TEST_P(OpenFilesTest, RaisesTheLimitUpToTheHardOne) {
  const auto scenario = [row = GetParam()] {
    rlimit limit{row.soft, row.hard};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
      std::_Exit(1);
    }
    const auto low = RaiseOpenFilesLimit();
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur != row.raised || limit.rlim_max != row.hard) {
      std::_Exit(2);
    }
    if (low.has_value() != row.warns) {
      std::_Exit(3);
    }
    if (low && (low->limit != row.raised || low->too_low_to_serve != row.too_low)) {
      std::_Exit(4);
    }
    std::_Exit(0);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(
    Rows, OpenFilesTest,
    testing::Values(OpenFilesRow{"TooLow", 6, 15, 15, true, true}, OpenFilesRow{"LowestThatStarts", 6, 16, 16, true},
                    OpenFilesRow{"Low", 64, 64, 64, true}, OpenFilesRow{"HighestThatWarns", 100, 399, 399, true},
                    OpenFilesRow{"Enough", 100, 400, 400, false}, OpenFilesRow{"Raised", 100, 1000, 1000, false},
                    OpenFilesRow{"AlreadyEnough", 900, 900, 900, false}),
    [](const auto& row) { return row.param.name; });

TEST(OpenFilesWarningTest, HasLimitsAsFieldsAndTheRemedy) {
  const std::vector<LogField> fields{Number("limit", 64), Number("needed", 400)};
  EXPECT_THAT(
      MakeLowLimitMessage({.limit = 64}),
      AllOf(HasLevel(LogLevel::kWarning), SaysText("many clients at once can delay scrapes; raise the limit of "),
            SaysText("(ulimit -n)"), HasFields(fields)));
  EXPECT_THAT(MakeLowLimitMessage({.limit = 64, .too_low_to_serve = true}),
              AllOf(HasLevel(LogLevel::kError), SaysText("too low to serve; raise the limit of open files"),
                    SaysText("(ulimit -n)"), HasFields(fields)));
}

// Skipped where the hard limit of this machine is too low.
TEST(OpenFilesBoundTest, RaisesTheLimitTo4096AtMost) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max <= 4096) {
    GTEST_SKIP() << "the hard limit of open files is not over 4096";
  }
  const auto raised_from = [limit](rlim_t soft) {
    rlimit now{soft, limit.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &now);
    RaiseOpenFilesLimit();
    ::getrlimit(RLIMIT_NOFILE, &now);
    return now.rlim_cur;
  };
  const auto scenario = [&] { std::_Exit(raised_from(256) == 4096 && raised_from(4097) == 4097 ? 0 : 1); };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

}  // namespace

}  // namespace procevent
