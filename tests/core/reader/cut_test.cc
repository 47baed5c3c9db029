#include "core/reader/cut.h"

#include <gtest/gtest.h>

namespace procevent {
namespace {

constexpr std::uint64_t kStart = 1000 * kNanosPerMilli;
constexpr std::uint64_t After(std::uint64_t millis) { return kStart + millis * kNanosPerMilli; }
using Step = Cut::Step;
constexpr Cut::Situation kCalm{.emptied = true};
constexpr Cut::Situation kMissing{.emptied = true, .forks_missing = true};

TEST(CutTest, CountsAndAnswersWhereNothingIsInTheWay) {
  Cut cut(kStart);
  EXPECT_EQ(cut.Next(kCalm, After(0)), Step::kCountForks);
  cut.NoteCounted(After(0));
  EXPECT_TRUE(cut.counted());
  EXPECT_EQ(cut.Next(kCalm, After(0)), Step::kAnswer);
}

TEST(CutTest, WaitsUntilTheQueueWasEmptied) {
  Cut cut(kStart);
  EXPECT_EQ(cut.Next({.emptied = false}, After(499)), Step::kWait);
  EXPECT_EQ(cut.Next(kCalm, After(499)), Step::kCountForks);
}

TEST(CutTest, AQueueThatIsNeverEmptiedIsAnsweredFromAfterHalfASecond) {
  Cut cut(kStart);
  EXPECT_EQ(cut.Next({.emptied = false}, After(500)), Step::kCountForks);
  cut.NoteCounted(After(500));
  EXPECT_EQ(cut.Next({.emptied = false, .forks_missing = true}, After(500)), Step::kAnswer);
}

TEST(CutTest, HiddenLossesAreShownOnce) {
  Cut cut(kStart);
  EXPECT_EQ(cut.Next({.emptied = true, .losses_hidden = true}, After(1)), Step::kTour);
  EXPECT_EQ(cut.Next({.emptied = true, .touring = true}, After(2)), Step::kWait);
  EXPECT_EQ(cut.Next({.emptied = true, .losses_hidden = true}, After(3)), Step::kCountForks) << "drops go on";
}

TEST(CutTest, WaitsForForksThatAreOnTheirWay) {
  Cut cut(kStart);
  cut.NoteCounted(After(10));
  EXPECT_EQ(cut.Next(kMissing, After(11)), Step::kWait);
  EXPECT_EQ(cut.Next(kCalm, After(12)), Step::kAnswer);
}

TEST(CutTest, DoubtsTwiceAndThenAnswersFromWhatThereIs) {
  Cut cut(kStart);
  cut.NoteCounted(After(10));
  EXPECT_EQ(cut.Next(kMissing, After(29)), Step::kWait);
  EXPECT_EQ(cut.Next(kMissing, After(30)), Step::kDoubt);
  EXPECT_EQ(cut.Next(kMissing, After(31)), Step::kWait);
  EXPECT_EQ(cut.Next(kMissing, After(109)), Step::kWait);
  EXPECT_EQ(cut.Next(kMissing, After(110)), Step::kDoubt);
  EXPECT_EQ(cut.Next(kMissing, After(209)), Step::kWait);
  EXPECT_EQ(cut.Next(kMissing, After(210)), Step::kAnswer);
}

}  // namespace
}  // namespace procevent
