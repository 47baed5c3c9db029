#include "core/reader/scrape_barrier.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace procevent {

namespace {

using Booked = ForkAudit::Booked;

TEST(ForkAuditTest, GrowthIsWhatTheKernelCountedSince) {
  ForkAudit audit;
  audit.Growth(1000, {});
  EXPECT_EQ(audit.Growth(1007, {.forks = 7}), 7U);
}

TEST(ForkAuditTest, WhatWasLostExplainsWhatIsMissing) {
  ForkAudit audit;
  audit.Growth(0, {});
  EXPECT_EQ(audit.Missing(10, {.forks = 10}), 0U);
  EXPECT_EQ(audit.Missing(10, {.forks = 7}), 3U);
  EXPECT_EQ(audit.Missing(10, {.forks = 7, .lost = 2}), 1U);
  EXPECT_EQ(audit.Missing(10, {.forks = 7, .lost = 20}), 0U);
}

TEST(ForkAuditTest, ForksOfABlindTimeAreUnseen) {
  ForkAudit audit;
  audit.Growth(0, {});
  audit.CountUnseen(100, {.forks = 40});
  EXPECT_EQ(audit.unseen(), 60U);
  EXPECT_EQ(audit.Missing(100, {.forks = 40}), 0U);
  audit.CountUnseen(110, {.forks = 40});  // still blind: ten more
  EXPECT_EQ(audit.unseen(), 70U);
}

TEST(ForkAuditTest, OldLossesDoNotHideTheForksOfABlindTime) {
  ForkAudit audit;
  audit.Growth(0, {});
  audit.NoteAlive(100, {.forks = 90, .lost = 1000});  // 10 of the lost were forks
  audit.CountUnseen(150, {.forks = 90, .lost = 1000});
  EXPECT_EQ(audit.unseen(), 50U);
}

TEST(ForkAuditTest, AForkThatIsOnlyLateIsNotUnseen) {
  ForkAudit audit;
  audit.Growth(0, {});
  audit.NoteAlive(10, {.forks = 9});
  EXPECT_EQ(audit.unseen(), 0U);
  audit.NoteAlive(20, {.forks = 20});
  EXPECT_EQ(audit.unseen(), 0U);
  audit.NoteAlive(30, {.forks = 29});
  EXPECT_EQ(audit.unseen(), 0U);
}

TEST(ForkAuditTest, WhatStaysMissingWhileTheKernelSpeaksWasMadeInAShortSilence) {
  ForkAudit audit;
  audit.Growth(0, {});
  audit.NoteAlive(100, {.forks = 95});
  audit.NoteAlive(200, {.forks = 194});
  EXPECT_EQ(audit.unseen(), 5U);
  audit.NoteAlive(300, {.forks = 294});
  EXPECT_EQ(audit.unseen(), 6U);
}

TEST(ForkAuditTest, MoreEventsThanForksMoveTheStart) {
  ForkAudit audit;
  audit.Growth(1000, {});  // this one counted a fork whose event was still to come
  EXPECT_EQ(audit.Growth(1010, {.forks = 11}), 11U);
  EXPECT_EQ(audit.Growth(1020, {.forks = 20}), 21U);
}

// Against a made-up kernel whose forks are heard, lost or unseen: the inequality holds at every moment.
TEST(ForkAuditTest, TheInequalityHoldsAtEveryMoment) {
  std::mt19937 random(20261121);  // NOLINT(cert-msc51-cpp): the same every time
  for (int life = 0; life < 200; ++life) {
    ForkAudit audit;
    std::uint64_t kernel = random() % 1000;
    audit.Growth(kernel, {});
    Booked booked;
    for (int step = 0; step < 100; ++step) {
      const std::uint64_t forks = random() % 20;
      kernel += forks;
      switch (random() % 4) {
        case 0:
          booked.forks += forks;
          audit.NoteAlive(audit.Growth(kernel, booked), booked);
          break;
        case 1:
          booked.lost += forks + random() % 20;  // with events of other kinds
          break;
        case 2:
          audit.CountUnseen(audit.Growth(kernel, booked), booked);
          break;
        default:
          booked.forks += forks;
          break;
      }
      const std::uint64_t growth = audit.Growth(kernel, booked);
      ASSERT_GE(growth, booked.forks);
      ASSERT_LE(growth - booked.forks, booked.lost + audit.unseen());
    }
  }
}

}  // namespace

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

namespace {

TEST(TourTest, ShowsTheDropsThatWereBeforeIt) {
  Tour tour;
  EXPECT_FALSE(tour.Hides(0));
  EXPECT_TRUE(tour.Hides(3));
  tour.Begin(3, 1000);
  EXPECT_FALSE(tour.Hides(3));
  EXPECT_TRUE(tour.Hides(4));
}

TEST(TourTest, IsUnderWayUntilItsEnd) {
  Tour tour;
  EXPECT_FALSE(tour.under_way());
  tour.Begin(0, 1000);
  EXPECT_TRUE(tour.under_way());
  tour.End();
  EXPECT_FALSE(tour.under_way());
}

TEST(TourTest, TheNextIsASecondLater) {
  Tour tour;
  tour.Begin(0, 1000);
  EXPECT_EQ(tour.next_ns(), 1000 + kNanosPerSecond);
}

}  // namespace

}  // namespace procevent
