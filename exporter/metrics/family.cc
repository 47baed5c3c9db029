#include "exporter/metrics/family.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "core/base/system.h"

namespace procevent {

namespace {

prometheus::MetricType TypeOf(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricType::kHistogram:
      break;
  }
  return prometheus::MetricType::Histogram;
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

prometheus::MetricFamily Family(const Metric& metric) {
  prometheus::MetricFamily family;
  family.name = metric.name;
  family.help = metric.help;
  family.type = TypeOf(metric.type);
  return family;
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

prometheus::MetricFamily Family(const Metric& metric, double value) {
  auto family = Family(metric);
  Add(family, value);
  return family;
}

prometheus::MetricFamily Family(const Metric& metric, std::span<const std::string_view> names,
                                std::span<const std::uint64_t> counts) {
  auto family = Family(metric);
  family.metric.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    Add(family, AsValue(counts[i]), {{metric.labels, names[i]}});
  }
  return family;
}

double SecondsOf(std::uint64_t nanos) { return AsValue(nanos) / AsValue(kNanosPerSecond); }

}  // namespace procevent
