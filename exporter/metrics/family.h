// FOLDED: signal_name.h, family.h
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

#include "exporter/metrics/catalogue.h"

namespace procevent {

// Small helpers to build prometheus-cpp's families. Only for the exporter's own .cc files: no other floor sees
// prometheus-cpp.

using MetricFamilies = std::vector<prometheus::MetricFamily>;
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// A family of that name, help and type; rows are added to it.
prometheus::MetricFamily MakeFamily(const Metric& metric);
void AddSeries(prometheus::MetricFamily& family, double value, Labels labels = {});
// `counts` of each bucket alone; the last, that of +Inf, has no bound in `upper`.
void AddHistogram(prometheus::MetricFamily& family, std::span<const std::uint64_t> counts,
                  std::span<const double> upper, double sum, Labels labels = {});

// One of one row, without labels.
prometheus::MetricFamily MakeFamily(const Metric& metric, double value);
// One with a row for each name, at zero too. The metric has one label.
prometheus::MetricFamily MakeFamily(const Metric& metric, std::span<const std::string_view> names,
                                    std::span<const std::uint64_t> counts);

// Counts above 2^53 lose their last digits: that is what Prometheus stores.
inline double ToDouble(std::uint64_t count) { return static_cast<double>(count); }
double NanosToSeconds(std::uint64_t nanos);

}  // namespace procevent
