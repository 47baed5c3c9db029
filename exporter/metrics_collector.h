// One scrape: what this process costs, then the reader's snapshot, as families and as text. Any scraping thread may
// call it, any number at once; the server does.
#pragma once

#include <string>

#include "core/reader/exchange.h"
#include "exporter/family.h"
#include "exporter/listener_state.h"
#include "exporter/own_state.h"
#include "exporter/process_stats.h"

namespace procevent {

class MetricsCollector {
 public:
  // Both must outlive the collector.
  MetricsCollector(Exchange& exchange, const OwnState& own)
      : exchange_(exchange), own_(own), units_(ReadMachineUnits()) {}

  // Waits no longer than `patience` for the reader.
  [[nodiscard]] Families Collect(std::chrono::milliseconds patience = kAnswerTimeout) const;

 private:
  Exchange& exchange_;
  const OwnState& own_;
  MachineUnits units_;
};

}  // namespace procevent
