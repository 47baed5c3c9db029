#include "exporter/metrics/catalogue.h"

#include <numeric>

#include "core/statistics/group_name.h"

namespace procevent {
namespace {

constexpr std::size_t kExtraHistogramSeries = 3;  // the +Inf bucket, the sum and the count

}  // namespace

std::size_t MaxSeries(const Metric& metric, const CountingOptions& options, std::size_t cpus) {
  const std::size_t rows = options.group_limit + kReservedGroups;
  const auto histogram = [rows](std::size_t bounds, bool by_group) {
    return (bounds + kExtraHistogramSeries) * (by_group ? rows : 1);
  };
  switch (metric.max_series.scope) {
    case SeriesScope::kCpu:
      return metric.max_series.count * cpus;
    case SeriesScope::kGroup:
      return metric.max_series.count * rows;
    case SeriesScope::kExitCodes:
      return histogram(options.exit_code_bounds.size(), options.exit_code_by_group);
    case SeriesScope::kLifetimes:
      return histogram(options.lifetime_bounds.size(), options.lifetime_by_group);
    case SeriesScope::kExporter:
      break;
  }
  return metric.max_series.count;
}

std::size_t MaxSeries(const CountingOptions& options, std::size_t cpus) {
  return std::accumulate(kCatalogue.begin(), kCatalogue.end(), std::size_t{0},
                         [&](std::size_t sum, const Metric& metric) { return sum + MaxSeries(metric, options, cpus); });
}

}  // namespace procevent
