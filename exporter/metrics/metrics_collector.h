// Collects all metrics of a scrape.
#pragma once

#include <cstdint>

#include "core/reader/snapshot_exchange.h"
#include "core/sources/procfs/proc_stats.h"
#include "exporter/metrics/exporter_state.h"
#include "exporter/metrics/family.h"
#include "exporter/metrics/page_info.h"
#include "exporter/metrics/shown_series.h"
#include "exporter/metrics/text_format.h"

namespace procevent {

// One family for each known value.
void AddProcessFamilies(const FamilySink& sink, const ProcessStats& stats);

// Collects the reader's snapshot and the exporter's own metrics. Any number of threads may call it at once.
class MetricsCollector {
 public:
  // Both must outlive the collector. `first_scrapes`: see ShownSeries.
  MetricsCollector(SnapshotExchange& exchange, const ExporterState& state, unsigned first_scrapes)
      : exchange_(exchange), state_(state), units_(ReadMachineUnits()), shown_(first_scrapes) {}

  // Passes each family to `sink`, one at a time. The scraper asked at `asked_ns` (CLOCK_MONOTONIC); waits for the
  // reader until kSnapshotTimeout after that. Other scrapes wait meanwhile. The page is complete until
  // Snapshot::complete_until_ns, or until now if the reader did not answer.
  PageInfo Collect(std::uint64_t asked_ns, const FamilySink& sink);
  // The same as text.
  PageInfo WriteText(std::uint64_t asked_ns, TextFormat format, const TextSink& sink);
  // The page was sent: the kernel has accepted its last byte.
  void RecordSent(std::uint64_t page) { shown_.RecordSent(page); }

 private:
  [[nodiscard]] bool IsSubscribed() const;

  SnapshotExchange& exchange_;
  const ExporterState& state_;
  MachineUnits units_;
  ShownSeries shown_;  // makes a page only within VisitSnapshot, so one at a time
};

}  // namespace procevent
