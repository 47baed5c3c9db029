#include "exporter/metrics/text_format.h"

#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace procevent {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

constexpr std::size_t kPieceBytes = 65536;

template <typename... Parts>
void Put(std::string& out, const Parts&... parts) {
  (out.append(parts), ...);
}

void PutEscaped(std::string& out, std::string_view text, bool quotes) {
  while (true) {
    const std::size_t special = text.find_first_of(quotes ? "\\\n\"" : "\\\n");
    out += text.substr(0, special);
    if (special == std::string_view::npos) {
      return;
    }
    out += '\\';
    out += text[special] == '\n' ? 'n' : text[special];
    text.remove_prefix(special + 1);
  }
}

// Writes no exponent for values from 1e-4 to 2^53.
void PutFinite(std::string& out, double value) {
  constexpr double kMinFixed = 1e-4;
  constexpr double kMaxFixed = 9'007'199'254'740'992;  // 2^53: doubles above skip integers
  const double size = std::abs(value);
  std::array<char, 32> text{};
  char* const last = text.data() + text.size();
  const auto end = size <= kMaxFixed && value == std::trunc(value)
                       ? std::to_chars(text.data(), last, static_cast<std::int64_t>(value))
                       : std::to_chars(text.data(), last, value,
                                       size >= kMinFixed && size <= kMaxFixed ? std::chars_format::fixed
                                                                              : std::chars_format::scientific);
  out.append(text.data(), end.ptr);
}

void PutNumber(std::string& out, double value) {
  if (std::isfinite(value)) {
    PutFinite(out, value);
  } else {
    Put(out, std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
  }
}

void PutLabels(std::string& out, const ClientMetric& series, std::string_view bound) {
  char separator = '{';
  for (const ClientMetric::Label& label : series.label) {
    out += separator;
    Put(out, label.name, "=\"");
    PutEscaped(out, label.value, true);
    out += '"';
    separator = ',';
  }
  if (!bound.empty()) {
    out += separator;
    Put(out, "le=\"", bound, "\"");
    separator = ',';
  }
  if (separator == ',') {
    out += '}';
  }
}

void PutSample(std::string& out, const ClientMetric& series, double value, std::string_view bound = {}) {
  PutLabels(out, series, bound);
  out += ' ';
  PutNumber(out, value);
  out += '\n';
}

std::string_view TypeName(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return "counter";
    case prometheus::MetricType::Histogram:
      return "histogram";
    case prometheus::MetricType::Gauge:
      return "gauge";
    default:
      assert(false);  // the catalogue has no other types
      return "untyped";
  }
}

}  // namespace

void TextWriter::Write(const MetricFamily& family) {
  WriteHeader(family, TypeName(family.type));
  for (const ClientMetric& series : family.metric) {
    if (family.type == prometheus::MetricType::Histogram) {
      WriteHistogram(family.name, series);
    } else {
      Put(text_, family.name);
      PutSample(text_, series,
                family.type == prometheus::MetricType::Counter ? series.counter.value : series.gauge.value);
    }
    FlushIfFull();
  }
}

void TextWriter::Flush() {
  if (!text_.empty()) {
    sink_(text_);
    text_.clear();
  }
}

void TextWriter::FlushIfFull() {
  if (text_.size() >= kPieceBytes) {
    Flush();
  }
}

void TextWriter::WriteHeader(const MetricFamily& family, std::string_view type) {
  Put(text_, "# HELP ", family.name, " ");
  PutEscaped(text_, family.help, false);
  Put(text_, "\n# TYPE ", family.name, " ", type, "\n");
}

void TextWriter::WriteHistogram(std::string_view name, const ClientMetric& series) {
  const ClientMetric::Histogram& histogram = series.histogram;
  Put(text_, name, "_count");
  PutSample(text_, series, ToDouble(histogram.sample_count));
  Put(text_, name, "_sum");
  PutSample(text_, series, histogram.sample_sum);
  for (const ClientMetric::Bucket& bucket : histogram.bucket) {
    std::string bound;
    PutNumber(bound, bucket.upper_bound);
    Put(text_, name, "_bucket");
    PutSample(text_, series, ToDouble(bucket.cumulative_count), bound);
  }
}

}  // namespace procevent
