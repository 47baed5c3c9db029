#include "core/reader/scrape_barrier.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace procevent {
namespace {

constexpr std::uint64_t kStart = 1000 * kNanosPerMilli;
constexpr std::uint64_t After(std::uint64_t millis) { return kStart + millis * kNanosPerMilli; }
using Step = ScrapeBarrier::Step;
constexpr ScrapeBarrier::Conditions kCalm{.queue_empty = true};
constexpr ScrapeBarrier::Conditions kMissing{.queue_empty = true, .forks_missing = true};

TEST(ScrapeBarrierTest, CountsAndAnswersWhereNothingIsInTheWay) {
  ScrapeBarrier cut(kStart);
  EXPECT_EQ(cut.DecideStep(kCalm, After(0)), Step::kCountForks);
  cut.MarkForksCounted(After(0));
  EXPECT_TRUE(cut.forks_counted());
  EXPECT_EQ(cut.DecideStep(kCalm, After(0)), Step::kFillSnapshot);
}

TEST(ScrapeBarrierTest, WaitsUntilTheQueueWasEmptied) {
  ScrapeBarrier cut(kStart);
  EXPECT_EQ(cut.DecideStep({.queue_empty = false}, After(499)), Step::kWait);
  EXPECT_EQ(cut.DecideStep(kCalm, After(499)), Step::kCountForks);
}

TEST(ScrapeBarrierTest, AQueueThatIsNeverEmptiedIsAnsweredFromAfterHalfASecond) {
  ScrapeBarrier cut(kStart);
  EXPECT_EQ(cut.DecideStep({.queue_empty = false}, After(500)), Step::kCountForks);
  cut.MarkForksCounted(After(500));
  EXPECT_EQ(cut.DecideStep({.queue_empty = false, .forks_missing = true}, After(500)), Step::kFillSnapshot);
}

TEST(ScrapeBarrierTest, HiddenLossesAreShownOnce) {
  ScrapeBarrier cut(kStart);
  EXPECT_EQ(cut.DecideStep({.queue_empty = true, .losses_hidden = true}, After(1)), Step::kProbeCpus);
  EXPECT_EQ(cut.DecideStep({.queue_empty = true, .probing_cpus = true}, After(2)), Step::kWait);
  EXPECT_EQ(cut.DecideStep({.queue_empty = true, .losses_hidden = true}, After(3)), Step::kCountForks) << "drops go on";
}

TEST(ScrapeBarrierTest, WaitsForForksThatAreOnTheirWay) {
  ScrapeBarrier cut(kStart);
  cut.MarkForksCounted(After(10));
  EXPECT_EQ(cut.DecideStep(kMissing, After(11)), Step::kWait);
  EXPECT_EQ(cut.DecideStep(kCalm, After(12)), Step::kFillSnapshot);
}

TEST(ScrapeBarrierTest, DoubtsTwiceAndThenAnswersFromWhatThereIs) {
  ScrapeBarrier cut(kStart);
  cut.MarkForksCounted(After(10));
  EXPECT_EQ(cut.DecideStep(kMissing, After(29)), Step::kWait);
  EXPECT_EQ(cut.DecideStep(kMissing, After(30)), Step::kSendCanary);
  EXPECT_EQ(cut.DecideStep(kMissing, After(31)), Step::kWait);
  EXPECT_EQ(cut.DecideStep(kMissing, After(109)), Step::kWait);
  EXPECT_EQ(cut.DecideStep(kMissing, After(110)), Step::kSendCanary);
  EXPECT_EQ(cut.DecideStep(kMissing, After(209)), Step::kWait);
  EXPECT_EQ(cut.DecideStep(kMissing, After(210)), Step::kFillSnapshot);
}

}  // namespace
}  // namespace procevent
