#include "exporter/metrics/metrics_collector.h"

#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "core/sources/procfs/proc_stats.h"
#include "exporter/metrics/exporter_state.h"
#include "exporter/metrics/snapshot_families.h"

namespace procevent {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

constexpr std::size_t kBytesOfRow = 100;  // about: what is reserved

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void MakeFamily(const MetricFamily& family) {
    switch (family.type) {
      case prometheus::MetricType::Counter:
        Head(family, "counter");
        Rows(family, [](const ClientMetric& row) { return row.counter.value; });
        break;
      case prometheus::MetricType::Histogram:
        Head(family, "histogram");
        for (const ClientMetric& row : family.metric) {
          Histogram(family.name, row);
        }
        break;
      case prometheus::MetricType::Gauge:
        Head(family, "gauge");
        Rows(family, [](const ClientMetric& row) { return row.gauge.value; });
        break;
      default:
        assert(false);  // nobody makes others
    }
  }

 private:
  void Head(const MetricFamily& family, std::string_view type) {
    Put("# HELP ", family.name, " ");
    PutEscaped(family.help, false);
    Put("\n# TYPE ", family.name, " ", type, "\n");
  }

  template <typename Value>
  void Rows(const MetricFamily& family, Value value) {
    for (const ClientMetric& row : family.metric) {
      Put(family.name);
      PutLabels(row, {});
      PutEnd(value(row));
    }
  }

  void Histogram(std::string_view name, const ClientMetric& row) {
    const ClientMetric::Histogram& histogram = row.histogram;
    Put(name, "_count");
    PutLabels(row, {});
    PutEnd(ToDouble(histogram.sample_count));
    Put(name, "_sum");
    PutLabels(row, {});
    PutEnd(histogram.sample_sum);
    for (const ClientMetric::Bucket& bucket : histogram.bucket) {
      std::string bound;
      Writer(bound).PutNumber(bucket.upper_bound);
      Put(name, "_bucket");
      PutLabels(row, bound);
      PutEnd(ToDouble(bucket.cumulative_count));
    }
  }

  void PutLabels(const ClientMetric& row, std::string_view bound) {
    char before = '{';
    for (const ClientMetric::Label& label : row.label) {
      out_ += before;
      Put(label.name, "=\"");
      PutEscaped(label.value, true);
      out_ += '"';
      before = ',';
    }
    if (!bound.empty()) {
      out_ += before;
      Put("le=\"", bound, "\"");
      before = ',';
    }
    if (before == ',') {
      out_ += '}';
    }
  }

  void PutEnd(double value) {
    out_ += ' ';
    PutNumber(value);
    out_ += '\n';
  }

  void PutNumber(double value) {
    if (std::isfinite(value)) {
      PutFinite(value);
    } else {
      Put(std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
    }
  }

  // Without an exponent where people read numbers without one.
  void PutFinite(double value) {
    constexpr double kLeast = 1e-4;
    constexpr double kMost = 9'007'199'254'740'992;  // 2^53: beyond, not every number is there
    const double size = std::abs(value);
    std::array<char, 32> text{};
    char* const last = text.data() + text.size();
    const auto end =
        size <= kMost && value == std::trunc(value)
            ? std::to_chars(text.data(), last, static_cast<std::int64_t>(value))
            : std::to_chars(text.data(), last, value,
                            size >= kLeast && size <= kMost ? std::chars_format::fixed : std::chars_format::scientific);
    out_.append(text.data(), end.ptr);
  }

  void PutEscaped(std::string_view text, bool quotes) {
    while (true) {
      const std::size_t special = text.find_first_of(quotes ? "\\\n\"" : "\\\n");
      out_ += text.substr(0, special);
      if (special == std::string_view::npos) {
        return;
      }
      out_ += '\\';
      out_ += text[special] == '\n' ? 'n' : text[special];
      text.remove_prefix(special + 1);
    }
  }

  template <typename... Parts>
  void Put(const Parts&... parts) {
    (out_.append(parts), ...);
  }

  std::string& out_;
};

}  // namespace

std::string ToText(const MetricFamilies& families) {
  std::size_t rows = 0;
  for (const MetricFamily& family : families) {
    rows += family.metric.size();
  }
  std::string text;
  text.reserve(rows * kBytesOfRow);
  Writer writer(text);
  for (const MetricFamily& family : families) {
    writer.MakeFamily(family);
  }
  return text;
}

namespace {

prometheus::MetricFamily BuildInfo() {
  auto family = MakeFamily(FindMetric("procevent_build_info"));
  AddSeries(family, 1, {{"version", Version()}, {"compiler", Compiler()}});
  return family;
}

void AddReloads(MetricFamilies& families, const ReloadStatus& reloads) {
  families.push_back(MakeFamily(FindMetric("procevent_config_last_reload_successful"), reloads.successful() ? 1 : 0));
  families.push_back(
      MakeFamily(FindMetric("procevent_config_last_reload_success_timestamp_seconds"), reloads.succeeded_at_seconds()));
  families.push_back(MakeFamily(FindMetric("procevent_config_restart_pending"), reloads.restart_pending() ? 1 : 0));
}

}  // namespace

MetricFamilies ProcessFamilies(const ProcessStats& stats) {
  MetricFamilies families;
  const auto gauge = [&families](const auto& value, const Metric& metric) {
    if (value) {
      families.push_back(MakeFamily(metric, static_cast<double>(*value)));
    }
  };
  if (stats.cpu_seconds) {
    families.push_back(MakeFamily(FindMetric("process_cpu_seconds_total"), *stats.cpu_seconds));
  }
  gauge(stats.resident_bytes, FindMetric("process_resident_memory_bytes"));
  gauge(stats.virtual_bytes, FindMetric("process_virtual_memory_bytes"));
  gauge(stats.max_virtual_bytes, FindMetric("process_virtual_memory_max_bytes"));
  gauge(stats.start_time_seconds, FindMetric("process_start_time_seconds"));
  gauge(stats.open_fds, FindMetric("process_open_fds"));
  gauge(stats.max_fds, FindMetric("process_max_fds"));
  gauge(stats.threads, FindMetric("process_threads"));
  return families;
}

MetricFamilies MetricsCollector::Collect(std::chrono::milliseconds patience) const {
  MetricFamilies process = ProcessFamilies(ReadProcessStats(units_));
  Snapshot snapshot;
  const SnapshotExchange::Freshness age = exchange_.CopySnapshot(snapshot, patience);
  MetricFamilies families = SnapshotFamilies(snapshot, age);
  if (const auto limit = ReadPidMax()) {
    families.push_back(MakeFamily(FindMetric("procevent_pid_max"), ToDouble(*limit)));
  }
  families.push_back(BuildInfo());
  AddReloads(families, own_.reloads);
  families.push_back(
      MakeFamily(FindMetric("procevent_http_requests_refused_total"), kRefusalReasonNames, own_.refusals.counts()));
  families.insert(families.end(), std::make_move_iterator(process.begin()), std::make_move_iterator(process.end()));
  return families;
}

}  // namespace procevent
