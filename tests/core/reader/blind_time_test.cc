#include "core/reader/blind_time.h"

#include <gtest/gtest.h>

namespace procevent {
namespace {

TEST(BlindTimeTest, IsBlindFromTheStart) {
  BlindTime blind(100);
  EXPECT_EQ(blind.Total(150), 50U);
  EXPECT_EQ(blind.End(160), 60U);
  EXPECT_EQ(blind.Total(1000), 60U);
}

TEST(BlindTimeTest, BlindnessBeganWithTheLastSignOfLife) {
  BlindTime blind(0);
  blind.End(10);
  blind.NoteLife(100);
  blind.Begin();
  EXPECT_EQ(blind.Total(130), 10U + 30U);
  EXPECT_EQ(blind.End(150), 50U);
  EXPECT_EQ(blind.Total(999), 60U);
}

TEST(BlindTimeTest, LifeDuringBlindnessDoesNotShortenIt) {
  BlindTime blind(0);
  blind.End(0);
  blind.NoteLife(100);
  blind.Begin();
  blind.NoteLife(120);
  EXPECT_EQ(blind.End(150), 50U);
}

TEST(BlindTimeTest, ASecondBlindnessAdds) {
  BlindTime blind(0);
  blind.End(5);
  blind.Begin();
  EXPECT_EQ(blind.End(8), 3U);
  EXPECT_EQ(blind.Total(8), 8U);
}

TEST(BlindTimeTest, AClockOfAMomentBeforeIsNoHugeTime) {
  const BlindTime blind(100);
  EXPECT_EQ(blind.Total(90), 0U);
}

}  // namespace
}  // namespace procevent
