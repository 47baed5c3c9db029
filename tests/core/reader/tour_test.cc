#include "core/reader/tour.h"

#include <gtest/gtest.h>

namespace procevent {
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
