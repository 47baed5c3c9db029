#include "cmd/capabilities.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>

#include <cstdlib>
#include <thread>

namespace procevent {
namespace {

struct Row {
  const char* name;
  std::uint64_t wanted;
  Capabilities had;
  Capabilities kept;
};

class OnlyTest : public testing::TestWithParam<Row> {};

TEST_P(OnlyTest, NeverGivesMore) { EXPECT_EQ(Only(GetParam().wanted, GetParam().had), GetParam().kept); }

constexpr std::uint64_t kHighest = CapabilityBit(40);  // CAP_CHECKPOINT_RESTORE: in the second word

INSTANTIATE_TEST_SUITE_P(Rows, OnlyTest,
                         testing::Values(Row{"Nothing", 0, {~0ULL, ~0ULL, ~0ULL}, {}},
                                         Row{"OneOfAll", 4, {~0ULL, ~0ULL, ~0ULL}, {4, 4, 0}},
                                         Row{"NotHad", 4, {8, 8, 4}, {}},
                                         Row{"PermittedBecomesEffective", 6, {0, 2, 0}, {2, 2, 0}},
                                         Row{"High", kHighest | 1, {0, kHighest, 0}, {kHighest, kHighest, 0}}),
                         [](const auto& row) { return row.param.name; });

Capabilities OwnOrDie() {
  const auto own = OwnCapabilities();
  EXPECT_TRUE(own);
  return own ? own.value() : Capabilities{};
}

TEST(CapabilitiesTest, AThreadDropsItsOwnAndNobodyElses) {
  const Capabilities before = OwnOrDie();
  Capabilities kept{1, 1, 1};
  std::thread([&] {
    EXPECT_TRUE(SetOwnCapabilities({}));
    kept = OwnOrDie();
  }).join();
  EXPECT_EQ(kept, Capabilities{});
  EXPECT_EQ(OwnOrDie(), before);
}

TEST(CapabilitiesTest, EachIsKeptByItsNumber) {
  const Capabilities before = OwnOrDie();
  for (const int capability : {CAP_CHOWN, CAP_NET_ADMIN, CAP_AUDIT_READ, CAP_CHECKPOINT_RESTORE}) {
    const std::uint64_t bit = CapabilityBit(capability);
    std::thread([&] {
      const Capabilities wanted = Only(bit, before);
      EXPECT_TRUE(SetOwnCapabilities(wanted));
      EXPECT_EQ(OwnOrDie(), wanted) << capability;
    }).join();
  }
}

TEST(CapabilitiesTest, WhatIsDroppedDoesNotComeBack) {
  const Capabilities all{~0ULL, ~0ULL, 0};
  std::thread([&] {
    ASSERT_TRUE(SetOwnCapabilities({}));
    const Status regained = SetOwnCapabilities(all);
    ASSERT_FALSE(regained);
    EXPECT_EQ(Describe(regained.error()),
              "cannot drop capabilities: Operation not permitted; a security policy forbids it: allow it, or start "
              "with fewer capabilities");
  }).join();
}

// In a process of its own: a bounding set does not come back.
TEST(CapabilitiesTest, EmptiesTheBounds) {
  const auto scenario = [] {
    const bool may = (OwnOrDie().effective & CapabilityBit(CAP_SETPCAP)) != 0;
    const int before = ::prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0);
    if (!ForbidGain() || ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
      std::_Exit(1);
    }
    EmptyBounds();
    for (const int capability : {CAP_CHOWN, CAP_NET_ADMIN, CAP_SETPCAP, CAP_CHECKPOINT_RESTORE}) {
      if (may && ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) != 0) {
        std::_Exit(2);
      }
    }
    if (!may && ::prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0) != before) {
      std::_Exit(3);
    }
    std::_Exit(0);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace procevent
