#include "exporter/metrics/metrics_doc.h"

#include <array>
#include <string_view>

#include "exporter/metrics/catalogue.h"
#include "exporter/metrics/metric_texts.h"

namespace procevent {
namespace {

static_assert(kMetricTexts.size() == kCatalogue.size());

std::string_view TypeName(MetricType type) {
  constexpr std::array<std::string_view, 3> kNames{"counter", "gauge", "histogram"};
  return kNames.at(static_cast<std::size_t>(type));
}

// "1 per CPU".
std::string BoundText(const Metric& metric) {
  const LedgerOptions defaults;
  std::string count = std::to_string(metric.max_series.count);
  const auto histogram = [&](std::string_view key) {
    return std::to_string(MaxSeries(metric, defaults, 1)) + ", or this per command with `" + std::string(key) +
           ".by_comm`";
  };
  switch (metric.max_series.scope) {
    case SeriesScope::kCpu:
      return count + " per CPU";
    case SeriesScope::kComm:
      return count + " per command";
    case SeriesScope::kExitCodes:
      return histogram("histograms.exit_code");
    case SeriesScope::kLifetimes:
      return histogram("histograms.lifetime");
    case SeriesScope::kExporter:
      break;
  }
  return count;
}

// "`comm`, `outcome`" from "comm, outcome".
std::string QuoteLabels(std::string_view labels) {
  std::string text;
  while (!labels.empty()) {
    const std::size_t end = labels.find(", ");
    text += (text.empty() ? "`" : ", `") + std::string(labels.substr(0, end)) + '`';
    labels = end == std::string_view::npos ? std::string_view{} : labels.substr(end + 2);
  }
  return text;
}

std::string LabelsText(const Metric& metric) {
  const SeriesScope scope = metric.max_series.scope;
  const bool may_be_by_comm = scope == SeriesScope::kExitCodes || scope == SeriesScope::kLifetimes;
  return may_be_by_comm ? "`comm`, if configured" : QuoteLabels(metric.labels);
}

void AppendTableRow(std::string& page, const Metric& metric) {
  const std::string name(metric.name);
  page += "| [`" + name + "`](#" + name + ") | " + std::string(TypeName(metric.type)) + " | " +
          std::string(metric.unit) + " | " + LabelsText(metric) + " | " + BoundText(metric) + " |\n";
}

void AppendSection(std::string& page, const Metric& metric, const MetricText& text) {
  page += "\n### " + std::string(metric.name) + "\n\n" + std::string(text.meaning) + '\n';
  if (!text.investigate_when.empty()) {
    page += "\nInvestigate when " + std::string(text.investigate_when) + '\n';
  }
  page += "\n```promql\n" + std::string(text.example) + "\n```\n";
}

}  // namespace

std::string RenderMetricsDoc() {
  const LedgerOptions defaults;
  const std::string commands = std::to_string(defaults.comm_limit);
  std::string page = "| name | type | unit | labels | maximum series |\n| --- | --- | --- | --- | --- |\n";
  for (const Metric& metric : kCatalogue) {
    AppendTableRow(page, metric);
  }
  page += "\nWith the defaults (`comms.limit` " + commands + ") and 8 CPUs the maximum is " +
          std::to_string(MaxSeries(defaults, 8)) + " series. A series by command appears only with its first count.\n";
  for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
    AppendSection(page, kCatalogue.at(i), kMetricTexts.at(i));
  }
  return page;
}

}  // namespace procevent
