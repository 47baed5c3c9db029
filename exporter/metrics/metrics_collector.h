// Collects all metrics of a scrape and writes them in the Prometheus text format.
#pragma once

#include <chrono>
#include <string>

#include "core/reader/snapshot_exchange.h"
#include "core/sources/procfs/proc_stats.h"
#include "exporter/metrics/exporter_state.h"
#include "exporter/metrics/family.h"

namespace procevent {

// The Prometheus text format, version 0.0.4, for counters, gauges and histograms. prometheus-cpp's serializer writes
// the same samples, but its iostreams took more than half of a scrape's time. Numbers are the shortest that parse back
// to the same value.
std::string ToText(const MetricFamilies& families);

// One family for each known value.
MetricFamilies ProcessFamilies(const ProcessStats& stats);

// Collects the metrics of one scrape: the exporter's own resource usage first, then the reader's snapshot. Any number
// of threads may call it at once.
class MetricsCollector {
 public:
  // Both must outlive the collector.
  MetricsCollector(SnapshotExchange& exchange, const ExporterState& state)
      : exchange_(exchange), state_(state), units_(ReadMachineUnits()) {}

  // Waits at most `timeout` for the reader.
  [[nodiscard]] MetricFamilies Collect(std::chrono::milliseconds timeout = kSnapshotTimeout) const;

 private:
  SnapshotExchange& exchange_;
  const ExporterState& state_;
  MachineUnits units_;
};

}  // namespace procevent
