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

prometheus::MetricFamily MakeFamily(const Metric& metric) {
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

void AddSeries(prometheus::MetricFamily& family, double value, Labels labels) {
  auto& row = AddRow(family, labels);
  (family.type == prometheus::MetricType::Counter ? row.counter.value : row.gauge.value) = value;
}

prometheus::MetricFamily MakeFamily(const Metric& metric, double value) {
  auto family = MakeFamily(metric);
  AddSeries(family, value);
  return family;
}

prometheus::MetricFamily MakeFamily(const Metric& metric, std::span<const std::string_view> names,
                                    std::span<const std::uint64_t> counts) {
  auto family = MakeFamily(metric);
  family.metric.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    AddSeries(family, ToDouble(counts[i]), {{metric.labels, names[i]}});
  }
  return family;
}

double NanosToSeconds(std::uint64_t nanos) { return ToDouble(nanos) / ToDouble(kNanosPerSecond); }

}  // namespace procevent
