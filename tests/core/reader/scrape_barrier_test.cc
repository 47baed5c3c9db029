#include "core/reader/scrape_barrier.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace procevent {
namespace {

constexpr std::uint64_t kStart = 1000 * kNanosPerMilli;
constexpr std::uint64_t After(std::uint64_t millis) { return kStart + millis * kNanosPerMilli; }
using Step = ScrapeBarrier::Step;
constexpr ScrapeBarrier::Conditions kComplete{.applied_until_ns = kStart};
constexpr ScrapeBarrier::Conditions kForksMissing{.applied_until_ns = kStart, .forks_missing = true};
constexpr ScrapeBarrier::Conditions kEventsMissing{.applied_until_ns = kStart - 1};

TEST(ScrapeBarrierTest, CountsForksAndAnswersIfAllConditionsHold) {
  ScrapeBarrier barrier(kStart);
  EXPECT_EQ(barrier.DecideStep(kComplete, After(0)), Step::kCountForks);
  barrier.MarkForksCounted(After(0));
  EXPECT_TRUE(barrier.forks_counted());
  EXPECT_EQ(barrier.DecideStep(kComplete, After(0)), Step::kFillSnapshot);
}

TEST(ScrapeBarrierTest, WaitsForEventsQueuedBeforeTheScraperAsked) {
  ScrapeBarrier barrier(kStart);
  EXPECT_EQ(barrier.DecideStep(kEventsMissing, After(499)), Step::kWait);
  EXPECT_EQ(barrier.DecideStep(kComplete, After(499)), Step::kCountForks);
}

TEST(ScrapeBarrierTest, AnswersWithWhatThereIsHalfASecondAfterTheScraperAsked) {
  ScrapeBarrier barrier(kStart);
  EXPECT_EQ(barrier.DecideStep(kEventsMissing, After(500)), Step::kCountForks);
  barrier.MarkForksCounted(After(500));
  EXPECT_EQ(barrier.DecideStep({.forks_missing = true}, After(500)), Step::kFillSnapshot);
  EXPECT_EQ(barrier.complete_until_ns(), kStart) << "it serves no scrape that asked later";
}

TEST(ScrapeBarrierTest, NeedsNoProbeIfEveryCpuHasHadAnEventSince) {
  ScrapeBarrier barrier(kStart);
  EXPECT_EQ(barrier.DecideStep(
                {.applied_until_ns = After(5), .losses_hidden = true, .losses_visible_until_ns = After(3)}, After(6)),
            Step::kCountForks);
  EXPECT_EQ(barrier.complete_until_ns(), After(3)) << "later drops may be hidden";
}

TEST(ScrapeBarrierTest, ProbesCpusForHiddenLosses) {
  ScrapeBarrier barrier(kStart);
  EXPECT_EQ(barrier.DecideStep({.applied_until_ns = After(0), .losses_hidden = true}, After(1)), Step::kProbeCpus);
  EXPECT_EQ(barrier.DecideStep({.applied_until_ns = After(1), .probing_cpus = true}, After(2)), Step::kWait);
  EXPECT_EQ(barrier.DecideStep({.applied_until_ns = After(2), .last_probe_end_ns = After(3)}, After(4)), Step::kWait)
      << "the canaries of the probe are not applied yet";
  EXPECT_EQ(barrier.DecideStep({.applied_until_ns = After(3), .last_probe_end_ns = After(3)}, After(4)),
            Step::kCountForks);
  EXPECT_EQ(barrier.complete_until_ns(), After(3));
}

TEST(ScrapeBarrierTest, ProbesAgainIfCanariesWereDropped) {
  ScrapeBarrier barrier(kStart);
  EXPECT_EQ(barrier.DecideStep({.applied_until_ns = After(0), .losses_hidden = true}, After(1)), Step::kProbeCpus);
  EXPECT_EQ(barrier.DecideStep({.applied_until_ns = After(3),
                                .last_probe_end_ns = After(3),
                                .losses_hidden = true,
                                .losses_visible_until_ns = kStart - 1},
                               After(4)),
            Step::kProbeCpus);
  EXPECT_EQ(barrier.DecideStep({.applied_until_ns = After(6),
                                .last_probe_end_ns = After(6),
                                .losses_hidden = true,
                                .losses_visible_until_ns = After(5)},
                               After(7)),
            Step::kCountForks);
}

TEST(ScrapeBarrierTest, WaitsForLateForkEvents) {
  ScrapeBarrier barrier(kStart);
  barrier.MarkForksCounted(After(10));
  EXPECT_EQ(barrier.DecideStep(kForksMissing, After(11)), Step::kWait);
  EXPECT_EQ(barrier.DecideStep(kComplete, After(12)), Step::kFillSnapshot);
}

TEST(ScrapeBarrierTest, SendsACanaryForMissingForksAndThenAnswers) {
  ScrapeBarrier barrier(kStart);
  barrier.MarkForksCounted(After(10));
  EXPECT_EQ(barrier.DecideStep(kForksMissing, After(29)), Step::kWait);
  EXPECT_EQ(barrier.DecideStep(kForksMissing, After(30)), Step::kSendCanary);
  EXPECT_EQ(barrier.DecideStep(kForksMissing, After(31)), Step::kWait);
  EXPECT_EQ(barrier.DecideStep(kForksMissing, After(209)), Step::kWait);
  EXPECT_EQ(barrier.DecideStep(kForksMissing, After(210)), Step::kFillSnapshot);
}

}  // namespace
}  // namespace procevent
