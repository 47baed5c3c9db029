#include "exporter/metrics/family.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <string_view>

#include "core/base/system.h"

namespace procevent {

namespace {

prometheus::MetricType ConvertType(MetricType type) {
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

prometheus::ClientMetric& AddLabeledMetric(MetricFamily& family, const Labels& labels) {
  auto& series = family.metric.emplace_back();
  series.label.reserve(labels.size());
  for (const auto& [name, value] : labels) {
    series.label.push_back({std::string(name), std::string(value)});
  }
  return series;
}

}  // namespace

MetricFamily MakeFamily(const Metric& metric) {
  MetricFamily family;
  family.name = metric.name;
  family.help = metric.help;
  family.type = ConvertType(metric.type);
  return family;
}

void AddHistogram(MetricFamily& family, std::span<const std::uint64_t> counts, std::span<const double> upper_bounds,
                  double sum, const Labels& labels) {
  auto& histogram = AddLabeledMetric(family, labels).histogram;
  histogram.bucket.reserve(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    histogram.sample_count += counts[i];
    histogram.bucket.push_back(
        {histogram.sample_count, i < upper_bounds.size() ? upper_bounds[i] : std::numeric_limits<double>::infinity()});
  }
  histogram.sample_sum = sum;
}

void AddSeries(MetricFamily& family, double value, const Labels& labels) {
  auto& series = AddLabeledMetric(family, labels);
  (family.type == prometheus::MetricType::Counter ? series.counter.value : series.gauge.value) = value;
}

void AddSeriesWithPid(MetricFamily& family, double value, std::int32_t last_pid, const Labels& labels) {
  family.last_pids.resize(family.metric.size());
  family.last_pids.push_back(last_pid);
  AddSeries(family, value, labels);
}

MetricFamily MakeFamily(const Metric& metric, double value) {
  auto family = MakeFamily(metric);
  AddSeries(family, value);
  return family;
}

MetricFamily MakeFamily(const Metric& metric, std::span<const std::string_view> label_values,
                        std::span<const std::uint64_t> counts) {
  auto family = MakeFamily(metric);
  family.metric.reserve(label_values.size());
  for (std::size_t i = 0; i < label_values.size(); ++i) {
    AddSeries(family, ToDouble(counts[i]), {{metric.labels, label_values[i]}});
  }
  return family;
}

double NanosToSeconds(std::uint64_t nanos) { return ToDouble(nanos) / ToDouble(kNanosPerSecond); }

}  // namespace procevent
