// Generates the part of METRICS.md between its two markers: the catalogue as a table, then each metric with its meaning
// and an example query. Used by the test that keeps METRICS.md up to date.
#pragma once

#include <string>
#include <string_view>

namespace procevent {

// The marker lines around the generated part.
inline constexpr std::string_view kMetricsBegin = "<!-- from exporter/metrics/catalogue.h: begin -->\n\n";
inline constexpr std::string_view kMetricsEnd = "\n<!-- from exporter/metrics/catalogue.h: end -->\n";

std::string RenderMetricsDoc();

}  // namespace procevent
