// FOLDED: text_format.h, metrics_collector.h
#pragma once

#include <chrono>
#include <string>

#include "core/reader/snapshot_exchange.h"
#include "core/sources/procfs/proc_stats.h"
#include "exporter/metrics/exporter_state.h"
#include "exporter/metrics/family.h"

namespace procevent {

// MetricFamilies -> the text format of Prometheus, version 0.0.4. prometheus-cpp's own serializer writes the same
// through iostreams, which took more than half of a scrape's time; numbers are the shortest that read back as the same.
// Pure. For the metrics collector.

// Counters, gauges and histograms; no other families are made here.
std::string ToText(const MetricFamilies& families);

// A family for each value that is there.
MetricFamilies ProcessFamilies(const ProcessStats& stats);

// One scrape: what this process costs, then the reader's snapshot, as families and as text. Any scraping thread may
// call it, any number at once; the server does.

class MetricsCollector {
 public:
  // Both must outlive the collector.
  MetricsCollector(SnapshotExchange& exchange, const ExporterState& own)
      : exchange_(exchange), own_(own), units_(ReadMachineUnits()) {}

  // Waits no longer than `patience` for the reader.
  [[nodiscard]] MetricFamilies Collect(std::chrono::milliseconds patience = kSnapshotTimeout) const;

 private:
  SnapshotExchange& exchange_;
  const ExporterState& own_;
  MachineUnits units_;
};

}  // namespace procevent
