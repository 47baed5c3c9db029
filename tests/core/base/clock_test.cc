#include "core/base/clock.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace procevent {
namespace {

struct Due {
  const char* name;
  std::uint64_t due_ns;
  std::uint64_t now_ns;
  int millis;
};

class MillisUntilTest : public testing::TestWithParam<Due> {};

TEST_P(MillisUntilTest, IsRoundedUp) {
  EXPECT_EQ(MillisUntil(GetParam().due_ns, GetParam().now_ns), GetParam().millis);
}

constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max();

INSTANTIATE_TEST_SUITE_P(Clock, MillisUntilTest,
                         testing::Values(Due{"now", 5, 5, 0}, Due{"past", 5, kForever, 0}, Due{"a_nanosecond", 6, 5, 1},
                                         Due{"a_millisecond", kNanosPerMilli + 5, 5, 1},
                                         Due{"a_bit_more", kNanosPerMilli + 6, 5, 2},
                                         Due{"longer_than_an_int", kForever, 0, std::numeric_limits<int>::max()}),
                         [](const testing::TestParamInfo<Due>& due) { return due.param.name; });

}  // namespace
}  // namespace procevent
