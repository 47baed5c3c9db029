#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <string_view>
#include <vector>

#include "core/statistics/event_stream.h"
#include "core/statistics/histogram.h"

namespace procevent {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Values = std::vector<std::uint64_t>;

Histogram HistogramOf(const Values& upper, const Values& values) {
  Histogram histogram(upper);
  std::ranges::for_each(values, [&histogram](std::uint64_t value) { histogram.Add(value); });
  return histogram;
}

TEST(HistogramTest, IncludesTheUpperBound) {
  EXPECT_THAT(HistogramOf({1, 5, 9}, {0, 1}).counts(), ElementsAre(2, 0, 0, 0));
  EXPECT_THAT(HistogramOf({1, 5, 9}, {2, 5}).counts(), ElementsAre(0, 2, 0, 0));
  EXPECT_THAT(HistogramOf({1, 5, 9}, {6, 9}).counts(), ElementsAre(0, 0, 2, 0));
  EXPECT_THAT(HistogramOf({1, 5, 9}, {10, UINT64_MAX}).counts(), ElementsAre(0, 0, 0, 2));
}

TEST(HistogramTest, HasABucketForBoundZero) {
  EXPECT_THAT(HistogramOf({0, 1}, {0, 1, 2}).counts(), ElementsAre(1, 1, 1));
}

TEST(HistogramTest, CountsEverythingAboveWithoutBounds) {
  const Histogram histogram = HistogramOf({}, {0, 7});
  EXPECT_FALSE(histogram.has_bounds());
  EXPECT_THAT(histogram.counts(), ElementsAre(2));
}

TEST(HistogramTest, ClearsWithoutBounds) {
  Histogram histogram;
  histogram.Clear();
  EXPECT_FALSE(histogram.has_bounds());
  EXPECT_THAT(histogram.counts(), IsEmpty());
  EXPECT_EQ(histogram.count(), 0U);
}

TEST(HistogramTest, Clears) {
  Histogram histogram = HistogramOf({1, 5}, {1, 3});
  EXPECT_NE(histogram, HistogramOf({1, 5}, {1, 4})) << "the sum differs";
  histogram.Clear();
  EXPECT_EQ(histogram, Histogram(Values{1, 5})) << "the bounds stay";
}

// A sum that wraps falls, which Prometheus takes for a restart.
TEST(HistogramTest, SaturatesItsSum) {
  Histogram histogram = HistogramOf({1}, {UINT64_MAX - 1, 1});
  EXPECT_EQ(histogram.sum(), UINT64_MAX);
  histogram.Add(2);
  EXPECT_EQ(histogram.sum(), UINT64_MAX);
  EXPECT_EQ(histogram.counts(), (Values{1, 2}));
}

TEST(HistogramTest, SumsManyValues) {
  std::mt19937_64 random(3);
  const Values upper{0, 1, 2, 10, 50, 1000, 100'000};
  Histogram histogram(upper);
  Values counts(upper.size() + 1);
  std::uint64_t sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t value = random() >> (46 + random() % 18);
    histogram.Add(value);
    ++counts[static_cast<std::size_t>(std::ranges::lower_bound(upper, value) - upper.begin())];
    sum += value;
  }
  EXPECT_EQ(histogram.counts(), counts);
  EXPECT_EQ(histogram.sum(), sum);
  EXPECT_EQ(histogram.count(), 100'000U);
}

}  // namespace

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

TEST(DelayHistogramTest, HasAscendingBounds) { EXPECT_TRUE(std::ranges::is_sorted(kUpper, std::ranges::less_equal{})); }

TEST(DelayHistogramTest, IncludesTheUpperBound) {
  for (std::size_t bucket = 0; bucket < DelayHistogram::kBounds; ++bucket) {
    EXPECT_EQ(BucketOf(kUpper[bucket] - 1), bucket);
    EXPECT_EQ(BucketOf(kUpper[bucket]), bucket);
    EXPECT_EQ(BucketOf(kUpper[bucket] + 1), bucket + 1);
  }
}

TEST(DelayHistogramTest, CountsZeroAndTheMaximum) {
  EXPECT_EQ(BucketOf(0), 0U);
  EXPECT_EQ(BucketOf(UINT64_MAX), DelayHistogram::kBounds);
}

TEST(DelayHistogramTest, SaturatesItsSum) {
  DelayHistogram histogram;
  histogram.Add(UINT64_MAX - 5);
  histogram.Add(7);
  EXPECT_EQ(histogram.sum_nanos(), UINT64_MAX);
  histogram.Add(1);
  EXPECT_EQ(histogram.sum_nanos(), UINT64_MAX);
}

TEST(DelayHistogramTest, SumsManyValues) {
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

namespace {

struct Row {
  DecodeOutcome outcome;
  std::optional<Rejection> rejection;
  std::string_view name;
};

TEST(RejectionTest, MapsEachOutcome) {
  const std::vector<Row> rows{
      {DecodeOutcome::kEvent, std::nullopt, ""},
      {DecodeOutcome::kControl, std::nullopt, ""},
      {DecodeOutcome::kAcknowledgement, std::nullopt, ""},
      {DecodeOutcome::kKernelError, Rejection::kKernelError, "kernel_error"},
      {DecodeOutcome::kOverrun, Rejection::kOverrun, "overrun"},
      {DecodeOutcome::kReservedType, Rejection::kReservedType, "reserved_type"},
      {DecodeOutcome::kForeignConnector, Rejection::kForeignConnector, "foreign_connector"},
      {DecodeOutcome::kTruncatedNetlinkHeader, Rejection::kTruncatedNetlinkHeader, "truncated_netlink_header"},
      {DecodeOutcome::kTruncatedConnectorHeader, Rejection::kTruncatedConnectorHeader, "truncated_connector_header"},
      {DecodeOutcome::kTruncatedEventHeader, Rejection::kTruncatedEventHeader, "truncated_event_header"},
      {DecodeOutcome::kTruncatedEventBody, Rejection::kTruncatedEventBody, "truncated_event_body"},
      {DecodeOutcome::kWrongLength, Rejection::kWrongLength, "wrong_length"},
  };
  ASSERT_EQ(rows.size(), kDecodeOutcomes);
  for (const Row& row : rows) {
    const std::optional<Rejection> rejection = RejectionOf(row.outcome);
    EXPECT_EQ(rejection, row.rejection) << row.name;
    if (rejection.has_value()) {
      EXPECT_EQ(kRejectionNames[static_cast<std::size_t>(*rejection)], row.name);
    }
  }
}

TEST(RejectionTest, HasDistinctNames) {
  const std::set<std::string_view> names(kRejectionNames.begin(), kRejectionNames.end());
  EXPECT_EQ(names.size(), kRejections);
  EXPECT_FALSE(names.contains(""));
  EXPECT_EQ(kRejectionNames[static_cast<std::size_t>(Rejection::kForeignSender)], "foreign_sender");
  EXPECT_EQ(kRejectionNames[static_cast<std::size_t>(Rejection::kOversized)], "oversized");
  EXPECT_EQ(kRejectionNames[static_cast<std::size_t>(Rejection::kRepeated)], "repeated");
}

}  // namespace

}  // namespace procevent
