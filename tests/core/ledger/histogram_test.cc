#include "core/ledger/histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace procevent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Numbers = std::vector<std::uint64_t>;

Histogram Of(const Numbers& upper, const Numbers& values) {
  Histogram histogram(upper);
  std::ranges::for_each(values, [&histogram](std::uint64_t value) { histogram.Add(value); });
  return histogram;
}

TEST(HistogramTest, BoundsAreInclusive) {
  EXPECT_THAT(Of({1, 5, 9}, {0, 1}).counts(), ElementsAre(2, 0, 0, 0));
  EXPECT_THAT(Of({1, 5, 9}, {2, 5}).counts(), ElementsAre(0, 2, 0, 0));
  EXPECT_THAT(Of({1, 5, 9}, {6, 9}).counts(), ElementsAre(0, 0, 2, 0));
  EXPECT_THAT(Of({1, 5, 9}, {10, UINT64_MAX}).counts(), ElementsAre(0, 0, 0, 2));
}

TEST(HistogramTest, ABoundOfZeroIsABucket) { EXPECT_THAT(Of({0, 1}, {0, 1, 2}).counts(), ElementsAre(1, 1, 1)); }

TEST(HistogramTest, WithoutBoundsAllIsAbove) {
  const Histogram histogram = Of({}, {0, 7});
  EXPECT_FALSE(histogram.has_bounds());
  EXPECT_THAT(histogram.counts(), ElementsAre(2));
}

TEST(HistogramTest, OneThatWasNeverMadeCanBeMergedAndCleared) {
  Histogram histogram;
  histogram += Histogram();
  histogram.Clear();
  EXPECT_FALSE(histogram.has_bounds());
  EXPECT_THAT(histogram.counts(), IsEmpty());
  EXPECT_EQ(histogram.count(), 0U);
}

TEST(HistogramTest, MergesAndClears) {
  Histogram histogram = Of({1, 5}, {1, 3});
  histogram += Of({1, 5}, {4, 100});
  EXPECT_EQ(histogram, Of({1, 5}, {1, 3, 4, 100}));
  EXPECT_NE(histogram, Of({1, 5}, {1, 3, 5, 100})) << "the sum counts, too";
  histogram.Clear();
  EXPECT_EQ(histogram, Histogram(Numbers{1, 5})) << "the bounds stay";
}

TEST(HistogramTest, ManyAddUp) {
  std::mt19937_64 random(3);
  const Numbers upper{0, 1, 2, 10, 50, 1000, 100'000};
  Histogram halves[2]{Histogram(upper), Histogram(upper)};
  Numbers counts(upper.size() + 1);
  std::uint64_t sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t value = random() >> (46 + random() % 18);
    halves[i % 2].Add(value);
    ++counts[static_cast<std::size_t>(std::ranges::lower_bound(upper, value) - upper.begin())];
    sum += value;
  }
  halves[0] += halves[1];
  EXPECT_EQ(halves[0].counts(), counts);
  EXPECT_EQ(halves[0].sum(), sum);
  EXPECT_EQ(halves[0].count(), 100'000U);
}

}  // namespace
}  // namespace procevent
