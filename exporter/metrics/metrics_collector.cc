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

constexpr std::size_t kBytesPerSeries = 100;  // an estimate, to reserve memory

// Appends families in the text format to a string.
class TextWriter {
 public:
  explicit TextWriter(std::string& out) : out_(out) {}

  void WriteFamily(const MetricFamily& family) {
    switch (family.type) {
      case prometheus::MetricType::Counter:
        WriteHeader(family, "counter");
        WriteSamples(family, [](const ClientMetric& series) { return series.counter.value; });
        break;
      case prometheus::MetricType::Histogram:
        WriteHeader(family, "histogram");
        for (const ClientMetric& series : family.metric) {
          WriteHistogram(family.name, series);
        }
        break;
      case prometheus::MetricType::Gauge:
        WriteHeader(family, "gauge");
        WriteSamples(family, [](const ClientMetric& series) { return series.gauge.value; });
        break;
      default:
        assert(false);  // the catalogue has no other types
    }
  }

 private:
  void WriteHeader(const MetricFamily& family, std::string_view type) {
    Put("# HELP ", family.name, " ");
    PutEscaped(family.help, false);
    Put("\n# TYPE ", family.name, " ", type, "\n");
  }

  template <typename Value>
  void WriteSamples(const MetricFamily& family, Value value) {
    for (const ClientMetric& series : family.metric) {
      Put(family.name);
      PutLabels(series, {});
      PutValue(value(series));
    }
  }

  void WriteHistogram(std::string_view name, const ClientMetric& series) {
    const ClientMetric::Histogram& histogram = series.histogram;
    Put(name, "_count");
    PutLabels(series, {});
    PutValue(ToDouble(histogram.sample_count));
    Put(name, "_sum");
    PutLabels(series, {});
    PutValue(histogram.sample_sum);
    for (const ClientMetric::Bucket& bucket : histogram.bucket) {
      std::string bound;
      TextWriter(bound).PutNumber(bucket.upper_bound);
      Put(name, "_bucket");
      PutLabels(series, bound);
      PutValue(ToDouble(bucket.cumulative_count));
    }
  }

  void PutLabels(const ClientMetric& series, std::string_view bound) {
    char separator = '{';
    for (const ClientMetric::Label& label : series.label) {
      out_ += separator;
      Put(label.name, "=\"");
      PutEscaped(label.value, true);
      out_ += '"';
      separator = ',';
    }
    if (!bound.empty()) {
      out_ += separator;
      Put("le=\"", bound, "\"");
      separator = ',';
    }
    if (separator == ',') {
      out_ += '}';
    }
  }

  void PutValue(double value) {
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

  // Writes no exponent for values from 1e-4 to 2^53.
  void PutFinite(double value) {
    constexpr double kMinFixed = 1e-4;
    constexpr double kMaxFixed = 9'007'199'254'740'992;  // 2^53: doubles above skip integers
    const double size = std::abs(value);
    std::array<char, 32> text{};
    char* const last = text.data() + text.size();
    const auto end = size <= kMaxFixed && value == std::trunc(value)
                         ? std::to_chars(text.data(), last, static_cast<std::int64_t>(value))
                         : std::to_chars(text.data(), last, value,
                                         size >= kMinFixed && size <= kMaxFixed ? std::chars_format::fixed
                                                                                : std::chars_format::scientific);
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

prometheus::MetricFamily MakeBuildInfo() {
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

std::string ToText(const MetricFamilies& families) {
  std::size_t series = 0;
  for (const MetricFamily& family : families) {
    series += family.metric.size();
  }
  std::string text;
  text.reserve(series * kBytesPerSeries);
  TextWriter writer(text);
  for (const MetricFamily& family : families) {
    writer.WriteFamily(family);
  }
  return text;
}

MetricFamilies ProcessFamilies(const ProcessStats& stats) {
  MetricFamilies families;
  const auto add_gauge = [&families](const auto& value, const Metric& metric) {
    if (value) {
      families.push_back(MakeFamily(metric, static_cast<double>(*value)));
    }
  };
  if (stats.cpu_seconds) {
    families.push_back(MakeFamily(FindMetric("process_cpu_seconds_total"), *stats.cpu_seconds));
  }
  add_gauge(stats.resident_bytes, FindMetric("process_resident_memory_bytes"));
  add_gauge(stats.virtual_bytes, FindMetric("process_virtual_memory_bytes"));
  add_gauge(stats.max_virtual_bytes, FindMetric("process_virtual_memory_max_bytes"));
  add_gauge(stats.start_time_seconds, FindMetric("process_start_time_seconds"));
  add_gauge(stats.open_fds, FindMetric("process_open_fds"));
  add_gauge(stats.max_fds, FindMetric("process_max_fds"));
  add_gauge(stats.threads, FindMetric("process_threads"));
  return families;
}

MetricFamilies MetricsCollector::Collect(std::chrono::milliseconds timeout) const {
  MetricFamilies process = ProcessFamilies(ReadProcessStats(units_));
  Snapshot snapshot;
  const SnapshotExchange::Freshness freshness = exchange_.CopySnapshot(snapshot, timeout);
  MetricFamilies families = SnapshotFamilies(snapshot, freshness);
  if (const auto limit = ReadPidMax()) {
    families.push_back(MakeFamily(FindMetric("procevent_pid_max"), ToDouble(*limit)));
  }
  families.push_back(MakeBuildInfo());
  AddReloads(families, state_.reloads);
  families.push_back(
      MakeFamily(FindMetric("procevent_http_requests_refused_total"), kRefusalReasonNames, state_.refusals.counts()));
  families.insert(families.end(), std::make_move_iterator(process.begin()), std::make_move_iterator(process.end()));
  return families;
}

}  // namespace procevent
