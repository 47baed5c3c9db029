#include "core/reader/scrape_barrier.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace procevent {
namespace {

constexpr std::uint64_t kStart = 1000 * kNanosPerMilli;
constexpr std::uint64_t After(std::uint64_t millis) { return kStart + millis * kNanosPerMilli; }
using Step = ScrapeBarrier::Step;
constexpr ScrapeBarrier::Conditions kComplete{.queue_empty = true};
constexpr ScrapeBarrier::Conditions kForksMissing{.queue_empty = true, .forks_missing = true};

TEST(ScrapeBarrierTest, CountsForksAndAnswersIfAllConditionsHold) {
  ScrapeBarrier barrier(kStart);
  EXPECT_EQ(barrier.DecideStep(kComplete, After(0)), Step::kCountForks);
  barrier.MarkForksCounted(After(0));
  EXPECT_TRUE(barrier.forks_counted());
  EXPECT_EQ(barrier.DecideStep(kComplete, After(0)), Step::kFillSnapshot);
}

TEST(ScrapeBarrierTest, WaitsUntilTheQueueIsEmpty) {
  ScrapeBarrier barrier(kStart);
  EXPECT_EQ(barrier.DecideStep({.queue_empty = false}, After(499)), Step::kWait);
  EXPECT_EQ(barrier.DecideStep(kComplete, After(499)), Step::kCountForks);
}

TEST(ScrapeBarrierTest, AnswersAfterHalfASecondIfTheQueueIsNeverEmpty) {
  ScrapeBarrier barrier(kStart);
  EXPECT_EQ(barrier.DecideStep({.queue_empty = false}, After(500)), Step::kCountForks);
  barrier.MarkForksCounted(After(500));
  EXPECT_EQ(barrier.DecideStep({.queue_empty = false, .forks_missing = true}, After(500)), Step::kFillSnapshot);
}

TEST(ScrapeBarrierTest, ProbesCpusOnceForHiddenLosses) {
  ScrapeBarrier barrier(kStart);
  EXPECT_EQ(barrier.DecideStep({.queue_empty = true, .losses_hidden = true}, After(1)), Step::kProbeCpus);
  EXPECT_EQ(barrier.DecideStep({.queue_empty = true, .probing_cpus = true}, After(2)), Step::kWait);
  EXPECT_EQ(barrier.DecideStep({.queue_empty = true, .losses_hidden = true}, After(3)), Step::kCountForks)
      << "drops go on";
}

TEST(ScrapeBarrierTest, WaitsForLateForkEvents) {
  ScrapeBarrier barrier(kStart);
  barrier.MarkForksCounted(After(10));
  EXPECT_EQ(barrier.DecideStep(kForksMissing, After(11)), Step::kWait);
  EXPECT_EQ(barrier.DecideStep(kComplete, After(12)), Step::kFillSnapshot);
}

TEST(ScrapeBarrierTest, SendsTwoCanariesForMissingForksAndThenAnswers) {
  ScrapeBarrier barrier(kStart);
  barrier.MarkForksCounted(After(10));
  EXPECT_EQ(barrier.DecideStep(kForksMissing, After(29)), Step::kWait);
  EXPECT_EQ(barrier.DecideStep(kForksMissing, After(30)), Step::kSendCanary);
  EXPECT_EQ(barrier.DecideStep(kForksMissing, After(31)), Step::kWait);
  EXPECT_EQ(barrier.DecideStep(kForksMissing, After(109)), Step::kWait);
  EXPECT_EQ(barrier.DecideStep(kForksMissing, After(110)), Step::kSendCanary);
  EXPECT_EQ(barrier.DecideStep(kForksMissing, After(209)), Step::kWait);
  EXPECT_EQ(barrier.DecideStep(kForksMissing, After(210)), Step::kFillSnapshot);
}

}  // namespace
}  // namespace procevent
