// One scrape as a whole, and METRICS.md, which has to say the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "exporter/build_info.h"
#include "exporter/metrics_collector.h"
#include "tests/exporter/fake_reader.h"

namespace procevent {
namespace {

constexpr unsigned kCpus = 2;

struct Metric {
  std::string type;
  std::set<std::string> labels;
  bool operator==(const Metric&) const = default;
};

void PrintTo(const Metric& metric, std::ostream* out) {
  *out << metric.type;
  for (const auto& label : metric.labels) {
    *out << ' ' << label;
  }
}

using Catalogue = std::map<std::string, Metric>;

std::string TypeName(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return "counter";
    case prometheus::MetricType::Gauge:
      return "gauge";
    case prometheus::MetricType::Histogram:
      return "histogram";
    default:
      return "other";
  }
}

Catalogue CatalogueOf(const Families& families) {
  Catalogue catalogue;
  for (const auto& family : families) {
    Metric& metric = catalogue[family.name];
    metric.type = TypeName(family.type);
    for (const auto& label : family.metric.at(0).label) {
      metric.labels.insert(label.name);
    }
  }
  return catalogue;
}

// The words between backticks.
std::set<std::string> Quoted(const std::string& cell) {
  std::set<std::string> words;
  std::istringstream rest(cell);
  std::string word;
  while (std::getline(rest, word, '`') && std::getline(rest, word, '`')) {
    words.insert(word);
  }
  return words;
}

// Rows of METRICS.md: | `name` | type | `label`, `label` | meaning | when to worry |
Catalogue ReadMetricsMd() {
  Catalogue catalogue;
  std::ifstream file("METRICS.md");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("| `", 0) != 0) {
      continue;
    }
    std::istringstream row(line);
    std::vector<std::string> cells;
    for (std::string cell; std::getline(row, cell, '|');) {
      cells.push_back(cell);
    }
    EXPECT_EQ(cells.size(), 6U) << line;
    Metric& metric = catalogue[*Quoted(cells.at(1)).begin()];
    EXPECT_TRUE(metric.type.empty()) << "twice: " << line;
    metric.type = cells.at(2).substr(1, cells.at(2).size() - 2);
    metric.labels = Quoted(cells.at(3));
  }
  return catalogue;
}

TEST(MetricsTest, MetricsMdListsWhatIsExported) {
  Exchange exchange{Snapshot(kCpus)};
  const FakeReader reader(exchange);
  EXPECT_EQ(ReadMetricsMd(), CatalogueOf(MetricsCollector(exchange).Collect()));
}

// Debian's serializer writes HELP as it is; and Prometheus wants one family of a name, and base units.
TEST(MetricsTest, FamiliesNeedNoEscapingAndAreNamedWell) {
  Exchange exchange{Snapshot(kCpus)};
  const FakeReader reader(exchange);
  const Families families = MetricsCollector(exchange).Collect();
  EXPECT_EQ(CatalogueOf(families).size(), families.size());
  for (const auto& family : families) {
    SCOPED_TRACE(family.name);
    EXPECT_THAT(family.name, testing::MatchesRegex("^(procevent|process)_[a-z_]+$"));
    EXPECT_EQ(family.name.ends_with("_total"), family.type == prometheus::MetricType::Counter);
    EXPECT_FALSE(family.metric.empty());
    EXPECT_TRUE(family.help.ends_with("."));
    EXPECT_TRUE(std::ranges::all_of(family.help, [](char c) { return c >= ' ' && c <= '~' && c != '\\'; }));
  }
}

TEST(MetricsTest, ReaderThatNeverAnswersLeavesWhatIsKnown) {
  Exchange exchange{Snapshot(kCpus)};
  const Catalogue catalogue = CatalogueOf(MetricsCollector(exchange).Collect());
  EXPECT_TRUE(catalogue.contains("procevent_listener_up"));
  EXPECT_TRUE(catalogue.contains("procevent_build_info"));
  EXPECT_TRUE(catalogue.contains("process_cpu_seconds_total"));
  EXPECT_FALSE(catalogue.contains("procevent_events_total"));
  EXPECT_THAT(ToText(MetricsCollector(exchange).Collect()), testing::HasSubstr("\nprocevent_listener_up 0\n"));
}

TEST(MetricsTest, ReaderThatDiesLeavesItsLastWholeSnapshot) {
  Exchange exchange{Snapshot(kCpus)};
  const MetricsCollector collector(exchange);
  {
    const FakeReader reader(exchange);
    EXPECT_THAT(ToText(collector.Collect()), testing::HasSubstr("\nprocevent_listener_up 1\n"));
  }
  const std::string text = ToText(collector.Collect());
  EXPECT_THAT(text, testing::HasSubstr("\nprocevent_listener_up 0\n"));
  EXPECT_THAT(text, testing::HasSubstr("\nprocevent_events_total{event=\"ack\"} 100\n"));
}

TEST(MetricsTest, BuildInfoNamesVersionAndCompiler) {
  Exchange exchange{Snapshot(kCpus)};
  EXPECT_THAT(ToText(MetricsCollector(exchange).Collect()),
              testing::HasSubstr("\nprocevent_build_info{version=\"" + std::string(Version()) + "\",compiler=\"" +
                                 std::string(Compiler()) + "\"} 1\n"));
  EXPECT_THAT(std::string(Version()), testing::MatchesRegex("^[0-9]+\\.[0-9]+\\.[0-9]+$"));
}

}  // namespace
}  // namespace procevent
