#include "core/ledger/delay_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace procevent {
namespace {

constexpr auto kUpper = DelayHistogram::kUpperNanos;

std::size_t BucketOf(std::uint64_t nanos) {
  DelayHistogram histogram;
  histogram.Add(nanos);
  const auto& counts = histogram.counts();
  EXPECT_EQ(std::ranges::count(counts, 1U), 1);
  EXPECT_EQ(std::ranges::count(counts, 0U), DelayHistogram::kBounds);
  EXPECT_EQ(histogram.sum_nanos(), nanos);
  return static_cast<std::size_t>(std::ranges::find(counts, 1U) - counts.begin());
}

TEST(DelayHistogramTest, BoundsAscend) { EXPECT_TRUE(std::ranges::is_sorted(kUpper, std::ranges::less_equal{})); }

TEST(DelayHistogramTest, BoundsAreInclusive) {
  for (std::size_t bucket = 0; bucket < DelayHistogram::kBounds; ++bucket) {
    EXPECT_EQ(BucketOf(kUpper[bucket] - 1), bucket);
    EXPECT_EQ(BucketOf(kUpper[bucket]), bucket);
    EXPECT_EQ(BucketOf(kUpper[bucket] + 1), bucket + 1);
  }
}

TEST(DelayHistogramTest, TheEnds) {
  EXPECT_EQ(BucketOf(0), 0U);
  EXPECT_EQ(BucketOf(UINT64_MAX), DelayHistogram::kBounds);
}

TEST(DelayHistogramTest, ManyAddUp) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::uint64_t> delays(0, 10'000'000'000);
  DelayHistogram histogram;
  std::array<std::uint64_t, DelayHistogram::kBounds + 1> expected{};
  std::uint64_t sum = 0;
  for (unsigned i = 0; i < 10'000; ++i) {
    const std::uint64_t delay = delays(random) >> (i % 24U);
    histogram.Add(delay);
    const auto* const bound = std::ranges::lower_bound(kUpper, delay);
    ++expected[static_cast<std::size_t>(bound - kUpper.begin())];
    sum += delay;
  }
  EXPECT_EQ(histogram.counts(), expected);
  EXPECT_EQ(histogram.sum_nanos(), sum);
}

}  // namespace
}  // namespace procevent
