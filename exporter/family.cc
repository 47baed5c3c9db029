#include "exporter/family.h"

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

}  // namespace

prometheus::MetricFamily Counter(const MetricName& metric) { return Family(metric, prometheus::MetricType::Counter); }
prometheus::MetricFamily Gauge(const MetricName& metric) { return Family(metric, prometheus::MetricType::Gauge); }

void Add(prometheus::MetricFamily& family, double value, Labels labels) {
  auto& row = family.metric.emplace_back();
  row.label.reserve(labels.size());
  for (const auto& [name, text] : labels) {
    row.label.push_back({std::string(name), std::string(text)});
  }
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
