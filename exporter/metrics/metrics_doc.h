// The generated part of METRICS.md: the catalogue as a table, and each metric with its meaning and a query. Pure. For
// the test that keeps the file up to date.
#pragma once

#include <string>
#include <string_view>

namespace procevent {

// The lines of METRICS.md that it stands between.
inline constexpr std::string_view kMetricsBegin = "<!-- from exporter/metrics/catalogue.h: begin -->\n\n";
inline constexpr std::string_view kMetricsEnd = "\n<!-- from exporter/metrics/catalogue.h: end -->\n";

std::string RenderMetricsDoc();

}  // namespace procevent
