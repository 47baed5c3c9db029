// Families -> the text format of Prometheus, version 0.0.4. prometheus-cpp's own serializer writes the same through
// iostreams, which took more than half of a scrape's time; numbers are the shortest that read back as the same. Pure.
// For the metrics collector.
#pragma once

#include <string>

#include "exporter/family.h"

namespace procevent {

// Counters, gauges and histograms; no other families are made here.
std::string ToText(const Families& families);

}  // namespace procevent
