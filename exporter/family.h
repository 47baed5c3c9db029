// Small helpers to build prometheus-cpp's families. Only for the exporter's own .cc files: no other floor sees
// prometheus-cpp. HELP texts are plain ASCII without '\' and newline: Debian's serializer does not escape them.
#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace procevent {

using Families = std::vector<prometheus::MetricFamily>;
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

struct MetricName {
  std::string_view name;
  std::string_view help;
};

// A family of one kind; rows are added to it.
prometheus::MetricFamily Counter(const MetricName& metric);
prometheus::MetricFamily Gauge(const MetricName& metric);
void Add(prometheus::MetricFamily& family, double value, Labels labels = {});

prometheus::MetricFamily HistogramFamily(const MetricName& metric);
// `counts` of each bucket alone; the last, that of +Inf, has no bound in `upper`.
void AddHistogram(prometheus::MetricFamily& family, std::span<const std::uint64_t> counts,
                  std::span<const double> upper, double sum, Labels labels = {});

// A family of one row without labels.
prometheus::MetricFamily Counter(const MetricName& metric, double value);
prometheus::MetricFamily Gauge(const MetricName& metric, double value);

// A family with one row for each name, at zero too.
prometheus::MetricFamily Counters(const MetricName& metric, std::string_view label,
                                  std::span<const std::string_view> names, std::span<const std::uint64_t> counts);

// Counts above 2^53 lose their last digits: that is what Prometheus stores.
inline double AsValue(std::uint64_t count) { return static_cast<double>(count); }
double SecondsOf(std::uint64_t nanos);

}  // namespace procevent
