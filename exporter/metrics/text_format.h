// Writes metric families in the Prometheus text format.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "exporter/metrics/family.h"

namespace procevent {

using TextSink = std::function<void(std::string_view)>;

// Writes the text format, version 0.0.4, for counters, gauges and histograms. prometheus-cpp's serializer writes the
// same samples, but its iostreams took more than half of a scrape's time. Numbers are the shortest that parse back to
// the same value. The text goes to the sink in pieces of about 64 KiB, so that a large page is never whole in memory.
class TextWriter {
 public:
  explicit TextWriter(TextSink sink) : sink_(std::move(sink)) {}

  void Write(const prometheus::MetricFamily& family);
  // Passes on what is left. To be called at the end.
  void Flush();

 private:
  void WriteHeader(const prometheus::MetricFamily& family, std::string_view type);
  void WriteHistogram(std::string_view name, const prometheus::ClientMetric& series);
  void FlushIfFull();

  TextSink sink_;
  std::string text_;
};

}  // namespace procevent
