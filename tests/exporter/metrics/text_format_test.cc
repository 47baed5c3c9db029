#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "exporter/metrics/family.h"
#include "tests/exporter/metrics/collect.h"
#include "tests/exporter/metrics/filled_snapshot.h"

namespace procevent {

namespace {

std::vector<std::string> SplitLines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream rest(text);
  for (std::string line; std::getline(rest, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::string FormatValue(double value) {
  prometheus::MetricFamily family;
  family.name = "x";
  family.type = prometheus::MetricType::Gauge;
  AddSeries(family, value);
  return SplitLines(ToText({family})).back().substr(2);
}

TEST(TextFormatTest, FormatsNumbersWithoutExponentInTheUsualRange) {
  const struct {
    double value;
    const char* text;
  } rows[] = {
      {0, "0"},
      {1, "1"},
      {-1, "-1"},
      {0.1, "0.1"},
      {0.0001, "0.0001"},
      {0.00001, "1e-05"},
      {1'000'000'000, "1000000000"},
      {1'600'000'000.5, "1600000000.5"},
      {9'007'199'254'740'992.0, "9007199254740992"},
      {1e16, "1e+16"},
      {1e300, "1e+300"},
      {std::numeric_limits<double>::infinity(), "+Inf"},
      {-std::numeric_limits<double>::infinity(), "-Inf"},
      {std::numeric_limits<double>::quiet_NaN(), "NaN"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(FormatValue(row.value), row.text);
  }
}

TEST(TextFormatTest, NumbersParseBackToTheSameValue) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(-300, 300);
  for (int i = 0; i < 100'000; ++i) {
    const double value = std::pow(10, exponent(random)) * (i % 2 == 0 ? 1 : -1);
    ASSERT_EQ(std::strtod(FormatValue(value).c_str(), nullptr), value);
  }
}

// The output may differ from prometheus-cpp's serializer only in the notation of numbers.
TEST(TextFormatTest, MatchesPrometheusCppSerializer) {
  Snapshot snapshot(2, {.exit_code_by_group = true, .lifetime_by_group = true});
  Fill(snapshot);
  const MetricFamilies families = SnapshotFamilies(snapshot, SnapshotExchange::Freshness::kFresh);
  const std::vector<std::string> actual = SplitLines(ToText(families));
  const std::vector<std::string> expected = SplitLines(prometheus::TextSerializer().Serialize(families));
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const std::size_t value = actual[i].rfind(' ');
    if (actual[i].starts_with('#')) {
      EXPECT_EQ(actual[i], expected[i]);
      continue;
    }
    EXPECT_EQ(actual[i].substr(0, value), expected[i].substr(0, expected[i].rfind(' ')));
    EXPECT_EQ(std::strtod(actual[i].c_str() + value, nullptr),
              std::strtod(expected[i].c_str() + expected[i].rfind(' '), nullptr));
  }
}

TEST(TextFormatTest, EscapesLabelsAndHelp) {
  prometheus::MetricFamily family;
  family.name = "x";
  family.help = "a\\b\nc\"d";
  family.type = prometheus::MetricType::Counter;
  AddSeries(family, 1, {{"l", "a\\b\nc\"d"}, {"m", ""}});
  EXPECT_EQ(ToText({family}), "# HELP x a\\\\b\\nc\"d\n# TYPE x counter\nx{l=\"a\\\\b\\nc\\\"d\",m=\"\"} 1\n");
}

TEST(TextWriterTest, PassesALargeTextOnInPieces) {
  prometheus::MetricFamily family{.name = "x", .help = "h", .type = prometheus::MetricType::Gauge, .metric = {}};
  family.metric.resize(100'000);
  std::vector<std::size_t> pieces;
  TextWriter writer([&pieces](std::string_view piece) { pieces.push_back(piece.size()); });
  writer.Write(family);
  writer.Flush();
  EXPECT_GT(pieces.size(), 4U);
  EXPECT_LT(std::ranges::max(pieces), 70'000U);
  EXPECT_EQ(std::accumulate(pieces.begin(), pieces.end(), std::size_t{0}), ToText({family}).size());
}

TEST(ProcessFamiliesTest, AddsAFamilyForEachKnownValue) {
  EXPECT_TRUE(ProcessFamilies({}).empty());
  ProcessStats stats;
  stats.open_fds = 0;
  const MetricFamilies families = ProcessFamilies(stats);
  ASSERT_EQ(families.size(), 1U);
  EXPECT_EQ(families[0].name, "process_open_fds");
  EXPECT_EQ(families[0].metric.at(0).gauge.value, 0.0);
}

}  // namespace

}  // namespace procevent
