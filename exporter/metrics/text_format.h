// Writes metric families as text: the Prometheus text format or OpenMetrics.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "exporter/metrics/family.h"

namespace procevent {

using TextSink = std::function<void(std::string_view)>;

enum class TextFormat : std::uint8_t { kPlain, kOpenMetrics };  // Prometheus text format 0.0.4, OpenMetrics 1.0.0
inline constexpr std::size_t kTextFormats = 2;

// The value of the header Content-Type.
constexpr std::string_view ContentType(TextFormat format) {
  return format == TextFormat::kOpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                            : "text/plain; version=0.0.4; charset=utf-8";
}

// Writes counters, gauges and histograms. Both formats have the same samples. OpenMetrics adds units, exemplars and an
// end mark, and names the family of a counter without "_total". prometheus-cpp's serializer has the plain format only,
// and its iostreams took more than half of a scrape's time. Numbers are the shortest that parse back to the same value.
// The text goes to the sink in pieces of about 64 KiB, so that a large page is never whole in memory.
class TextWriter {
 public:
  TextWriter(TextFormat format, TextSink sink) : format_(format), sink_(std::move(sink)) {}

  void Write(const MetricFamily& family);
  // The last call: ends the page and passes on what is left.
  void Finish();

 private:
  void WriteHeader(const MetricFamily& family);
  void WriteHistogram(std::string_view name, const prometheus::ClientMetric& series);
  void Flush();

  const TextFormat format_;
  TextSink sink_;
  std::string text_;
};

}  // namespace procevent
