#include "core/reader/rhythm.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace procevent {
namespace {

constexpr std::uint64_t kMilli = 1'000'000;
constexpr std::uint64_t kInterval = 10 * kMilli;
constexpr std::uint64_t kStart = 1000 * kMilli;

TEST(RhythmTest, RestsAtFirst) { EXPECT_TRUE(Rhythm(kInterval).resting()); }

TEST(RhythmTest, AFewEventsDoNotDisturbTheRest) {
  Rhythm rhythm(kInterval);
  for (std::uint64_t i = 0; i < 100; ++i) {
    rhythm.Drained(1, true, kStart + i * kInterval);
    EXPECT_TRUE(rhythm.resting()) << i;
  }
}

TEST(RhythmTest, ManyAtOnceStartTheTimer) {
  Rhythm rhythm(kInterval);
  rhythm.Drained(5, true, kStart);
  EXPECT_FALSE(rhythm.resting());
  EXPECT_EQ(rhythm.due_ns(), kStart + kInterval);
}

TEST(RhythmTest, ManySingleWakeUpsStartTheTimer) {
  Rhythm rhythm(kInterval);
  for (std::uint64_t i = 0; i < 4; ++i) {
    rhythm.Drained(1, true, kStart + i * kMilli);
    EXPECT_TRUE(rhythm.resting()) << i;
  }
  rhythm.Drained(1, true, kStart + 4 * kMilli);
  EXPECT_FALSE(rhythm.resting());
}

TEST(RhythmTest, KeepsTheTimerWhileEventsFlow) {
  Rhythm rhythm(kInterval);
  for (std::uint64_t i = 0; i < 100; ++i) {
    rhythm.Drained(300, true, kStart + i * kInterval);
    EXPECT_FALSE(rhythm.resting()) << i;
  }
}

TEST(RhythmTest, RestsWhenTheFlowEbbs) {
  Rhythm rhythm(kInterval);
  rhythm.Drained(300, true, kStart);
  rhythm.Drained(2, true, kStart + kInterval);
  EXPECT_TRUE(rhythm.resting());
}

TEST(RhythmTest, GoesOnAtOnceWithWhatIsLeft) {
  Rhythm rhythm(kInterval);
  rhythm.Drained(0, false, kStart);
  EXPECT_FALSE(rhythm.resting());
  EXPECT_EQ(rhythm.due_ns(), kStart);
}

}  // namespace
}  // namespace procevent
