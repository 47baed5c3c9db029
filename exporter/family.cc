#include "exporter/family.h"

#include <limits>

#include "core/base/clock.h"

namespace procevent {
namespace {

prometheus::MetricFamily Family(const MetricName& metric, prometheus::MetricType type) {
  prometheus::MetricFamily family;
  family.name = metric.name;
  family.help = metric.help;
  family.type = type;
  return family;
}

prometheus::ClientMetric& AddRow(prometheus::MetricFamily& family, Labels labels) {
  auto& row = family.metric.emplace_back();
  row.label.reserve(labels.size());
  for (const auto& [name, text] : labels) {
    row.label.push_back({std::string(name), std::string(text)});
  }
  return row;
}

}  // namespace

prometheus::MetricFamily Counter(const MetricName& metric) { return Family(metric, prometheus::MetricType::Counter); }
prometheus::MetricFamily Gauge(const MetricName& metric) { return Family(metric, prometheus::MetricType::Gauge); }

prometheus::MetricFamily HistogramFamily(const MetricName& metric) {
  return Family(metric, prometheus::MetricType::Histogram);
}

void AddHistogram(prometheus::MetricFamily& family, std::span<const std::uint64_t> counts,
                  std::span<const double> upper, double sum, Labels labels) {
  auto& histogram = AddRow(family, labels).histogram;
  histogram.bucket.reserve(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    histogram.sample_count += counts[i];
    histogram.bucket.push_back(
        {histogram.sample_count, i < upper.size() ? upper[i] : std::numeric_limits<double>::infinity()});
  }
  histogram.sample_sum = sum;
}

void Add(prometheus::MetricFamily& family, double value, Labels labels) {
  auto& row = AddRow(family, labels);
  (family.type == prometheus::MetricType::Counter ? row.counter.value : row.gauge.value) = value;
}

prometheus::MetricFamily Counter(const MetricName& metric, double value) {
  auto family = Counter(metric);
  Add(family, value);
  return family;
}

prometheus::MetricFamily Gauge(const MetricName& metric, double value) {
  auto family = Gauge(metric);
  Add(family, value);
  return family;
}

prometheus::MetricFamily Counters(const MetricName& metric, std::string_view label,
                                  std::span<const std::string_view> names, std::span<const std::uint64_t> counts) {
  auto family = Counter(metric);
  family.metric.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    Add(family, AsValue(counts[i]), {{label, names[i]}});
  }
  return family;
}

double SecondsOf(std::uint64_t nanos) { return AsValue(nanos) / AsValue(kNanosPerSecond); }

}  // namespace procevent
