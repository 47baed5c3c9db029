// Builds prometheus-cpp metric families from the catalogue. Only exporter/metrics may include it: no other module uses
// prometheus-cpp.
#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/metrics/catalogue.h"

namespace procevent {

// A family of prometheus-cpp, which has no exemplars, with exemplars.
struct MetricFamily : prometheus::MetricFamily {
  // The exemplar of a counter's series, which is the process that it counted last. At the index of the series; 0 or no
  // element: none. Exemplars have no time: Prometheus takes that of the scrape, and keeps an unchanged one once.
  std::vector<std::int32_t> last_pids;
};

// Receives one family at a time, so that the families of a large page are never in memory together.
using FamilySink = std::function<void(MetricFamily)>;

// Names and values of the labels of one series. At most kMaxLabels, in place. Does not own the texts.
class Labels {
 public:
  using Label = std::pair<std::string_view, std::string_view>;
  static constexpr std::size_t kMaxLabels = 12;

  Labels() = default;
  Labels(std::initializer_list<Label> labels) {
    for (const Label& label : labels) {
      Add(label.first, label.second);
    }
  }
  void Add(std::string_view name, std::string_view value) { labels_.at(size_++) = {name, value}; }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const Label* begin() const { return labels_.data(); }
  [[nodiscard]] const Label* end() const { return labels_.data() + size_; }

 private:
  std::array<Label, kMaxLabels> labels_;
  std::size_t size_ = 0;
};

// An empty family with the name, HELP text and type of `metric`.
MetricFamily MakeFamily(const Metric& metric);
void AddSeries(MetricFamily& family, double value, const Labels& labels = {});
// A series of a counter with an exemplar. Only OpenMetrics shows it.
void AddSeriesWithPid(MetricFamily& family, double value, std::int32_t last_pid, const Labels& labels);
// `counts` are per bucket, not cumulative. `upper_bounds` has one element less: the last bucket is +Inf.
void AddHistogram(MetricFamily& family, std::span<const std::uint64_t> counts, std::span<const double> upper_bounds,
                  double sum, const Labels& labels = {});

// A family with one series without labels.
MetricFamily MakeFamily(const Metric& metric, double value);
// A family with one series for each of `label_values`, including zero counts. The metric has exactly one label.
MetricFamily MakeFamily(const Metric& metric, std::span<const std::string_view> label_values,
                        std::span<const std::uint64_t> counts);

// Counts above 2^53 lose their last digits. Prometheus stores every value as a double.
inline double ToDouble(std::uint64_t count) { return static_cast<double>(count); }
double NanosToSeconds(std::uint64_t nanos);

}  // namespace procevent
