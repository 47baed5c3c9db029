#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
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
  MetricFamily family;
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

TEST(TextFormatTest, FormatsBucketBoundsAsFloats) {
  const std::vector<double> bounds{0, 1e-05, 0.0001, 0.25, 1, 127, 100'000, 1e6, 1'234'567, 1e10};
  const std::vector<std::uint64_t> counts(bounds.size() + 1);
  MetricFamily family;
  family.name = "x";
  family.type = prometheus::MetricType::Histogram;
  AddHistogram(family, counts, bounds, 0);
  for (const TextFormat format : {TextFormat::kPlain, TextFormat::kOpenMetrics}) {
    std::vector<std::string> written;
    for (const std::string& line : SplitLines(ToText({family}, format))) {
      if (line.starts_with("x_bucket")) {
        written.push_back(line.substr(13, line.rfind('"') - 13));
      }
    }
    EXPECT_EQ(written, (std::vector<std::string>{"0.0", "1e-05", "0.0001", "0.25", "1.0", "127.0", "100000.0", "1e+06",
                                                 "1.234567e+06", "1e+10", "+Inf"}));
  }
}

// Name, labels and value of a sample; its bucket bound and value as numbers.
std::string NormalizeSample(const std::string& line) {
  const std::size_t value = line.rfind(' ');
  std::string sample = line.substr(0, value);
  if (const std::size_t bound = sample.find("le=\""); bound != std::string::npos) {
    sample = sample.substr(0, bound) + FormatValue(std::strtod(sample.c_str() + bound + 4, nullptr)) + '}';
  }
  return sample + ' ' + FormatValue(std::strtod(line.c_str() + value, nullptr));
}

// The output may differ from prometheus-cpp's serializer only in the notation of numbers and the order within a
// histogram.
TEST(TextFormatTest, MatchesPrometheusCppSerializer) {
  Snapshot snapshot(2, {.exit_code_by_group = true, .lifetime_by_group = true});
  Fill(snapshot);
  for (const MetricFamily& family : SnapshotFamilies(snapshot, SnapshotExchange::Freshness::kFresh)) {
    std::vector<std::string> actual = SplitLines(ToText({family}));
    std::vector<std::string> expected = SplitLines(prometheus::TextSerializer().Serialize({family}));
    ASSERT_EQ(actual.size(), expected.size());
    for (auto* const lines : {&actual, &expected}) {
      std::transform(lines->begin() + 2, lines->end(), lines->begin() + 2, NormalizeSample);
      std::ranges::sort(*lines);
    }
    EXPECT_EQ(actual, expected);
  }
}

TEST(TextFormatTest, EscapesLabelsAndHelp) {
  MetricFamily family;
  family.name = "x";
  family.help = "a\\b\nc\"d";
  family.type = prometheus::MetricType::Gauge;
  AddSeries(family, 1, {{"l", "a\\b\nc\"d"}, {"m", ""}});
  EXPECT_EQ(ToText({family}), "# HELP x a\\\\b\\nc\"d\n# TYPE x gauge\nx{l=\"a\\\\b\\nc\\\"d\",m=\"\"} 1\n");
  EXPECT_EQ(ToText({family}, TextFormat::kOpenMetrics),
            "# HELP x a\\\\b\\nc\\\"d\n# TYPE x gauge\nx{l=\"a\\\\b\\nc\\\"d\",m=\"\"} 1\n# EOF\n");
}

MetricFamily FamilyOf(const std::string& name, prometheus::MetricType type) {
  MetricFamily family;
  family.name = name;
  family.help = "h";
  family.type = type;
  return family;
}

TEST(TextFormatTest, NamesCountersInOpenMetricsWithoutTotal) {
  MetricFamily family = FamilyOf("x_total", prometheus::MetricType::Counter);
  AddSeries(family, 1, {{"l", "a"}});
  EXPECT_EQ(ToText({family}), "# HELP x_total h\n# TYPE x_total counter\nx_total{l=\"a\"} 1\n");
  EXPECT_EQ(ToText({family}, TextFormat::kOpenMetrics), "# HELP x h\n# TYPE x counter\nx_total{l=\"a\"} 1\n# EOF\n");
}

TEST(TextFormatTest, WritesTheUnitInOpenMetrics) {
  const struct {
    std::string name;
    std::string unit;
  } rows[] = {{"x_seconds", "seconds"}, {"x_bytes", "bytes"}, {"x_seconds_y", ""},
              {"xseconds", ""},         {"seconds", ""},      {"x_processes", ""}};
  for (const auto& row : rows) {
    const MetricFamily gauge = FamilyOf(row.name, prometheus::MetricType::Gauge);
    const MetricFamily counter = FamilyOf(row.name + "_total", prometheus::MetricType::Counter);
    const std::string unit = row.unit.empty() ? "" : "# UNIT " + row.name + " " + row.unit + "\n";
    const auto expected = [&](const std::string& type) {
      return "# HELP " + row.name + " h\n# TYPE " + row.name + " " + type + "\n" + unit + "# EOF\n";
    };
    EXPECT_EQ(ToText({gauge}, TextFormat::kOpenMetrics), expected("gauge"));
    EXPECT_EQ(ToText({counter}, TextFormat::kOpenMetrics), expected("counter"));
    EXPECT_EQ(ToText({gauge}), "# HELP " + row.name + " h\n# TYPE " + row.name + " gauge\n");
  }
}

TEST(TextFormatTest, WritesHistogramsInTheUsualOrder) {
  MetricFamily family = FamilyOf("x", prometheus::MetricType::Histogram);
  AddHistogram(family, std::vector<std::uint64_t>{2, 1}, std::vector<double>{1}, 4.5, {{"l", "a"}});
  const std::string expected =
      "# HELP x h\n# TYPE x histogram\nx_bucket{l=\"a\",le=\"1.0\"} 2\nx_bucket{l=\"a\",le=\"+Inf\"} 3\n"
      "x_sum{l=\"a\"} 4.5\nx_count{l=\"a\"} 3\n";
  EXPECT_EQ(ToText({family}), expected);
  EXPECT_EQ(ToText({family}, TextFormat::kOpenMetrics), expected + "# EOF\n");
}

TEST(TextFormatTest, WritesExemplarsInOpenMetricsOnly) {
  MetricFamily family = FamilyOf("x_total", prometheus::MetricType::Counter);
  AddSeries(family, 1, {{"l", "a"}});
  AddSeriesWithPid(family, 2, 1234, {{"l", "b"}});
  AddSeries(family, 3, {{"l", "c"}});
  EXPECT_EQ(ToText({family}),
            "# HELP x_total h\n# TYPE x_total counter\nx_total{l=\"a\"} 1\nx_total{l=\"b\"} 2\nx_total{l=\"c\"} 3\n");
  EXPECT_EQ(ToText({family}, TextFormat::kOpenMetrics),
            "# HELP x h\n# TYPE x counter\nx_total{l=\"a\"} 1\nx_total{l=\"b\"} 2 # {pid=\"1234\"} 1\n"
            "x_total{l=\"c\"} 3\n# EOF\n");
}

// OpenMetrics demands it of names and units.
TEST(TextFormatTest, TheCatalogueFitsOpenMetrics) {
  std::set<std::string_view> names;
  for (const Metric& metric : kCatalogue) {
    std::string_view name = metric.name;
    EXPECT_EQ(name.ends_with("_total"), metric.type == MetricType::kCounter) << name;
    name.remove_suffix(name.ends_with("_total") ? 6 : 0);
    EXPECT_TRUE(names.insert(name).second) << "two families are named " << name;
    for (const std::string_view unit : {"seconds", "bytes"}) {
      EXPECT_EQ(name.ends_with("_" + std::string(unit)), metric.unit == unit) << name;
    }
    for (const std::string_view suffix : {"_bucket", "_count", "_sum", "_created", "_info"}) {
      EXPECT_FALSE(name.ends_with(suffix) && metric.name != "procevent_exporter_build_info") << name;
    }
  }
}

TEST(TextWriterTest, PassesALargeTextOnInPieces) {
  MetricFamily family;
  family.name = "x";
  family.type = prometheus::MetricType::Gauge;
  family.metric.resize(100'000);
  std::vector<std::size_t> pieces;
  TextWriter writer(TextFormat::kPlain, [&pieces](std::string_view piece) { pieces.push_back(piece.size()); });
  writer.Write(family);
  writer.Finish();
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
