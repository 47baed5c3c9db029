// Tests a whole scrape against the catalogue.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/metrics/catalogue.h"
#include "exporter/metrics/exporter_state.h"
#include "tests/exporter/metrics/collect.h"
#include "tests/exporter/metrics/fake_reader.h"
#include "tests/exporter/metrics/filled_snapshot.h"

namespace procevent {
namespace {

constexpr unsigned kCpus = 2;
const ExporterState kState{ReloadStatus(1.5e9)};

struct ExposedMetric {
  std::string type;
  std::set<std::string> labels;
  bool operator==(const ExposedMetric&) const = default;
};

void PrintTo(const ExposedMetric& metric, std::ostream* out) {
  *out << metric.type;
  for (const auto& label : metric.labels) {
    *out << ' ' << label;
  }
}

using Catalogue = std::map<std::string, ExposedMetric>;

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

Catalogue CatalogueOf(const MetricFamilies& families) {
  Catalogue catalogue;
  for (const auto& family : families) {
    ExposedMetric& metric = catalogue[family.name];
    metric.type = TypeName(family.type);
    for (const auto& label : family.metric.at(0).label) {
      metric.labels.insert(label.name);
    }
  }
  return catalogue;
}

std::set<std::string> Split(std::string_view labels) {
  std::set<std::string> names;
  std::istringstream rest{std::string(labels)};
  for (std::string name; std::getline(rest >> std::ws, name, ',');) {
    names.insert(name);
  }
  return names;
}

TEST(MetricsTest, CatalogueMatchesExposition) {
  Catalogue expected;
  for (const Metric& metric : kCatalogue) {
    constexpr std::array<const char*, 3> kTypes{"counter", "gauge", "histogram"};
    const bool inserted =
        expected
            .emplace(metric.name, ExposedMetric{kTypes.at(static_cast<std::size_t>(metric.type)), Split(metric.labels)})
            .second;
    EXPECT_TRUE(inserted) << "duplicate: " << metric.name;
    EXPECT_FALSE(metric.unit.empty()) << metric.name;
  }
  SnapshotExchange exchange{Snapshot(kCpus)};
  const FakeReader reader(exchange);
  EXPECT_EQ(expected, CatalogueOf(Collect(MetricsCollector(exchange, kState, 1))));
}

std::size_t CountSeries(const prometheus::MetricFamily& family) {
  std::size_t series = 0;
  for (const auto& metric : family.metric) {
    series += family.type == prometheus::MetricType::Histogram ? metric.histogram.bucket.size() + 2 : 1;
  }
  return series;
}

// A snapshot with every possible series reaches each bound exactly.
TEST(MetricsTest, FullSnapshotReachesEverySeriesBound) {
  const CountingOptions options{.group_limit = 12, .exit_code_by_group = true, .lifetime_by_group = true};
  Snapshot snapshot(kCpus, options);
  Fill(snapshot);
  for (std::size_t id = 0; id < snapshot.numbers.groups.rows.size(); ++id) {
    GroupRow& row = snapshot.numbers.groups.rows.at(id);
    row.labels[0] = LabelValue("comm-" + std::to_string(id));
    row.serial = static_cast<std::uint32_t>(id + 1);
    for (std::size_t count = 0; count < kCountKinds; ++count) {
      row.counts[static_cast<CountKind>(count)] = kExitReasonsPerGroup * options.group_limit;
    }
    row.exit_codes.Add(1);
    row.lifetimes.Add(1);
  }
  std::vector<ExitReasonCount> pairs;
  for (std::uint16_t id = 0; id < snapshot.numbers.groups.rows.size(); ++id) {
    for (const auto& [killed, limit] : {std::pair(false, kExitCodesPerGroup), std::pair(true, kExitSignalsPerGroup)}) {
      for (std::uint8_t number = 1; number <= limit; ++number) {
        pairs.push_back({.group = id, .reason = {killed, number}, .last_pid = 1, .count = 1});
      }
    }
  }
  snapshot.numbers.exit_reasons.Assign(pairs);
  std::size_t total = MaxSeries(options, kCpus);
  for (const auto& family : SnapshotFamilies(snapshot, SnapshotExchange::Freshness::kFresh)) {
    const auto* const metric = std::ranges::find(kCatalogue, family.name, &Metric::name);
    ASSERT_NE(metric, kCatalogue.end());
    EXPECT_EQ(CountSeries(family), MaxSeries(*metric, options, kCpus)) << family.name;
    total -= CountSeries(family);
  }
  EXPECT_LT(total, 25U) << "the rest is the exporter's own";
}

// Prometheus rejects two families with the same name.
TEST(MetricsTest, FamiliesFollowNamingConventionsAndNeedNoEscaping) {
  SnapshotExchange exchange{Snapshot(kCpus)};
  const FakeReader reader(exchange);
  const MetricFamilies families = Collect(MetricsCollector(exchange, kState, 1));
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

TEST(MetricsTest, ReportsOwnMetricsBeforeTheReaderAnswers) {
  SnapshotExchange exchange{Snapshot(kCpus)};
  const Catalogue catalogue = CatalogueOf(Collect(MetricsCollector(exchange, kState, 1)));
  EXPECT_TRUE(catalogue.contains("procevent_up"));
  EXPECT_TRUE(catalogue.contains("procevent_exporter_build_info"));
  EXPECT_TRUE(catalogue.contains("process_cpu_seconds_total"));
  EXPECT_FALSE(catalogue.contains("procevent_events_total"));
  EXPECT_THAT(ToText(Collect(MetricsCollector(exchange, kState, 1))), testing::HasSubstr("\nprocevent_up 0\n"));
}

TEST(MetricsTest, ServesTheLastSnapshotIfTheReaderIsSlowOrHangs) {
  SnapshotExchange exchange{Snapshot(kCpus)};
  MetricsCollector collector(exchange, kState, 1);
  {
    const FakeReader reader(exchange);
    EXPECT_THAT(ToText(Collect(collector)), testing::HasSubstr("\nprocevent_up 1\n"));
  }
  const std::string slow = ToText(Collect(collector));
  EXPECT_THAT(slow, testing::HasSubstr("\nprocevent_up 1\n"));
  EXPECT_THAT(slow, testing::HasSubstr("\nprocevent_acks_total 100\n"));
  ReaderStatus hanging = exchange.status();
  hanging.next_update_ns -= kMaxReaderDelay;
  exchange.PublishStatus(hanging);
  const std::string hangs = ToText(Collect(collector));
  EXPECT_THAT(hangs, testing::HasSubstr("\nprocevent_up 0\n"));
  EXPECT_THAT(hangs, testing::HasSubstr("\nprocevent_acks_total 100\n"));
}

TEST(MetricsTest, IsCompleteForAScraperThatAskedUntilTheSnapshot) {
  SnapshotExchange exchange{Snapshot(kCpus)};
  const FakeReader reader(exchange);
  const std::uint64_t asked_ns = MonotonicNanos();
  EXPECT_GE(MetricsCollector(exchange, kState, 1).Collect(asked_ns, [](auto) {}).complete_until_ns, asked_ns);
}

// A group appears when `forks` is not 0.
void AddNewGroup(Snapshot& snapshot, std::uint64_t forks) {
  GroupRow& row = snapshot.numbers.groups.rows.back();
  row.labels[0] = LabelValue("new");
  row.serial = forks == 0 ? 0 : 99;
  row.counts[CountKind::kForks] = forks;
}

std::string NewGroupForks(std::uint64_t forks) {
  return "\nprocevent_forks_total{comm=\"new\"} " + std::to_string(forks) + "\n";
}

TEST(MetricsTest, APageBeforeTheReadersFirstAnswerShowsNoSeries) {
  SnapshotExchange exchange{Snapshot(kCpus)};
  MetricsCollector collector(exchange, kState, 1);
  EXPECT_EQ(collector.Collect(MonotonicNanos(), [](auto) {}).number, 0U);
  collector.RecordSent(0);
  const FakeReader reader(exchange, [](Snapshot& snapshot) { AddNewGroup(snapshot, 7); });
  EXPECT_THAT(ToText(Collect(collector)), testing::HasSubstr(NewGroupForks(7)));
}

TEST(MetricsTest, BothFormatsShowANewSeriesAsZeroFirst) {
  SnapshotExchange exchange{Snapshot(kCpus)};
  MetricsCollector collector(exchange, kState, 2);
  std::atomic<std::uint64_t> forks{0};
  const FakeReader reader(exchange, [&forks](Snapshot& snapshot) { AddNewGroup(snapshot, forks); });
  std::string text;
  const auto send_page = [&](TextFormat format) {
    text.clear();
    collector.RecordSent(
        collector.WriteText(MonotonicNanos(), format, [&text](std::string_view piece) { text += piece; }).number);
    return text;
  };
  send_page(TextFormat::kPlain);
  forks = 7;
  EXPECT_THAT(send_page(TextFormat::kPlain), testing::HasSubstr(NewGroupForks(0)));
  EXPECT_THAT(send_page(TextFormat::kOpenMetrics), testing::HasSubstr(NewGroupForks(0)));
  EXPECT_THAT(send_page(TextFormat::kOpenMetrics), testing::HasSubstr(NewGroupForks(7)));
  EXPECT_THAT(send_page(TextFormat::kPlain), testing::HasSubstr(NewGroupForks(7)));
}

TEST(MetricsTest, AStaleSnapshotShowsTheCountsOnlyAfterAPageWasSent) {
  SnapshotExchange exchange{Snapshot(kCpus)};
  MetricsCollector collector(exchange, kState, 1);
  std::uint64_t fresh = 0;
  {
    std::atomic<std::uint64_t> forks{0};
    const FakeReader reader(exchange, [&forks](Snapshot& snapshot) { AddNewGroup(snapshot, forks); });
    collector.RecordSent(collector.Collect(MonotonicNanos(), [](auto) {}).number);
    forks = 7;
    fresh = collector.Collect(MonotonicNanos(), [](auto) {}).number;
  }
  EXPECT_THAT(ToText(CollectWithoutWaiting(collector)), testing::HasSubstr(NewGroupForks(0)));
  collector.RecordSent(fresh);
  EXPECT_THAT(ToText(CollectWithoutWaiting(collector)), testing::HasSubstr(NewGroupForks(7)));
}

TEST(MetricsTest, BuildInfoNamesVersionRevisionAndCompiler) {
  SnapshotExchange exchange{Snapshot(kCpus)};
  EXPECT_THAT(
      ToText(Collect(MetricsCollector(exchange, kState, 1))),
      testing::HasSubstr("\nprocevent_exporter_build_info{version=\"" + std::string(Version()) + "\",revision=\"" +
                         std::string(Revision()) + "\",compiler=\"" + std::string(Compiler()) + "\"} 1\n"));
  EXPECT_THAT(std::string(Version()), testing::MatchesRegex("^[0-9]+\\.[0-9]+\\.[0-9]+$"));
  EXPECT_THAT(std::string(Revision()), testing::MatchesRegex("^([0-9a-f]{12}|unknown)$"));
}

TEST(MetricsTest, ReportsTheLastReload) {
  SnapshotExchange exchange{Snapshot(kCpus)};
  const FakeReader reader(exchange);
  ExporterState state{ReloadStatus(1'500'000'000)};
  MetricsCollector collector(exchange, state, 1);
  const auto text = [&] { return ToText(Collect(collector)); };
  EXPECT_THAT(text(), testing::HasSubstr("\nprocevent_exporter_config_last_reload_successful 1\n"));
  state.reloads.RecordFailure();
  EXPECT_THAT(text(), testing::HasSubstr("\nprocevent_exporter_config_last_reload_successful 0\n"));
  EXPECT_THAT(text(),
              testing::HasSubstr("\nprocevent_exporter_config_last_reload_success_timestamp_seconds 1500000000\n"));
  state.reloads.RecordSuccess(1'600'000'000.5, true);
  EXPECT_THAT(text(), testing::HasSubstr("\nprocevent_exporter_config_last_reload_successful 1\n"));
  EXPECT_THAT(text(),
              testing::HasSubstr("\nprocevent_exporter_config_last_reload_success_timestamp_seconds 1600000000.5\n"));
  EXPECT_THAT(text(), testing::HasSubstr("\nprocevent_exporter_config_restart_pending 1\n"));
  state.reloads.RecordSuccess(1'600'000'001, false);
  EXPECT_THAT(text(), testing::HasSubstr("\nprocevent_exporter_config_restart_pending 0\n"));
}

TEST(MetricsTest, CountsRefusedRequests) {
  SnapshotExchange exchange{Snapshot(kCpus)};
  ExporterState state{ReloadStatus(0)};
  state.refusals.Record(RefusalReason::kTooManyScrapes, "10.0.0.9");
  MetricsCollector collector(exchange, state, 1);
  const std::string text = ToText(CollectWithoutWaiting(collector));
  EXPECT_THAT(text, testing::HasSubstr("\nprocevent_exporter_http_requests_refused_total{reason=\"not_allowed\"} 0\n"));
  EXPECT_THAT(text,
              testing::HasSubstr("\nprocevent_exporter_http_requests_refused_total{reason=\"too_many_scrapes\"} 1\n"));
}

}  // namespace
}  // namespace procevent
