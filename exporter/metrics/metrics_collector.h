// Collects all metrics of a scrape.
#pragma once

#include <cstdint>

#include "core/reader/snapshot_exchange.h"
#include "core/sources/procfs/proc_stats.h"
#include "exporter/metrics/exporter_state.h"
#include "exporter/metrics/family.h"
#include "exporter/metrics/text_format.h"

namespace procevent {

// One family for each known value.
void AddProcessFamilies(const FamilySink& sink, const ProcessStats& stats);

// Collects the reader's snapshot and the exporter's own metrics. Any number of threads may call it at once.
class MetricsCollector {
 public:
  // Both must outlive the collector.
  MetricsCollector(SnapshotExchange& exchange, const ExporterState& state)
      : exchange_(exchange), state_(state), units_(ReadMachineUnits()) {}

  // Passes each family to `sink`, one at a time. The scraper asked at `asked_ns` (CLOCK_MONOTONIC); waits for the
  // reader until kSnapshotTimeout after that. Returns until when another scraper may have asked that these metrics
  // serve, too: Snapshot::complete_until_ns, or now if the reader did not answer. Other scrapes wait meanwhile.
  std::uint64_t Collect(std::uint64_t asked_ns, const FamilySink& sink) const;
  // The same as text.
  std::uint64_t WriteText(std::uint64_t asked_ns, TextFormat format, const TextSink& sink) const;

 private:
  [[nodiscard]] bool IsSubscribed() const;

  SnapshotExchange& exchange_;
  const ExporterState& state_;
  MachineUnits units_;
};

}  // namespace procevent
