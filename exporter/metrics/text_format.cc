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

// Writes "1.0", "1e-05" or "1e+06", as Go does: Prometheus compares the label as text.
void PutBound(std::string& out, double bound) {
  if (std::isinf(bound)) {
    Put(out, "+Inf");
    return;
  }
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), bound, std::chars_format::general);
  const std::string_view digits(text.data(), static_cast<std::size_t>(end.ptr - text.data()));
  Put(out, digits, digits.find_first_of(".e") == std::string_view::npos ? ".0" : "");
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

void PutSample(std::string& out, const ClientMetric& series, double value, std::string_view bound = {},
               std::int32_t exemplar_pid = 0) {
  PutLabels(out, series, bound);
  out += ' ';
  PutNumber(out, value);
  if (exemplar_pid != 0) {
    Put(out, " # {pid=\"", std::to_string(exemplar_pid), "\"} 1");
  }
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

// The name in OpenMetrics, where only the samples of a counter end with "_total".
std::string_view OpenMetricsName(const MetricFamily& family) {
  constexpr std::string_view kTotal = "_total";
  std::string_view name = family.name;
  if (family.type == prometheus::MetricType::Counter) {
    assert(name.ends_with(kTotal));
    name.remove_suffix(kTotal.size());
  }
  return name;
}

// Only units that the name ends with, as OpenMetrics demands. Empty for all others.
std::string_view UnitOf(std::string_view name) {
  for (const std::string_view suffix : {"_seconds", "_bytes"}) {
    if (name.ends_with(suffix)) {
      return suffix.substr(1);
    }
  }
  return {};
}

}  // namespace

void TextWriter::Write(const MetricFamily& family) {
  WriteHeader(family);
  for (std::size_t i = 0; i < family.metric.size(); ++i) {
    const ClientMetric& series = family.metric[i];
    if (family.type == prometheus::MetricType::Histogram) {
      WriteHistogram(family.name, series);
    } else {
      Put(text_, family.name);
      PutSample(text_, series,
                family.type == prometheus::MetricType::Counter ? series.counter.value : series.gauge.value, {},
                format_ == TextFormat::kOpenMetrics && i < family.last_pids.size() ? family.last_pids[i] : 0);
    }
    if (text_.size() >= kPieceBytes) {
      Flush();
    }
  }
}

void TextWriter::Finish() {
  if (format_ == TextFormat::kOpenMetrics) {
    Put(text_, "# EOF\n");
  }
  Flush();
}

void TextWriter::Flush() {
  if (!text_.empty()) {
    sink_(text_);
    text_.clear();
  }
}

void TextWriter::WriteHeader(const MetricFamily& family) {
  const bool open_metrics = format_ == TextFormat::kOpenMetrics;
  const std::string_view name = open_metrics ? OpenMetricsName(family) : family.name;
  Put(text_, "# HELP ", name, " ");
  PutEscaped(text_, family.help, open_metrics);
  Put(text_, "\n# TYPE ", name, " ", TypeName(family.type), "\n");
  if (const std::string_view unit = UnitOf(name); open_metrics && !unit.empty()) {
    Put(text_, "# UNIT ", name, " ", unit, "\n");
  }
}

void TextWriter::WriteHistogram(std::string_view name, const ClientMetric& series) {
  const ClientMetric::Histogram& histogram = series.histogram;
  for (const ClientMetric::Bucket& bucket : histogram.bucket) {
    std::string bound;
    PutBound(bound, bucket.upper_bound);
    Put(text_, name, "_bucket");
    PutSample(text_, series, ToDouble(bucket.cumulative_count), bound);
  }
  Put(text_, name, "_sum");
  PutSample(text_, series, histogram.sample_sum);
  Put(text_, name, "_count");
  PutSample(text_, series, ToDouble(histogram.sample_count));
}

}  // namespace procevent
