// One scrape: what this process costs, then the reader's snapshot, as families and as text. Any scraping thread may
// call it, any number at once; the server does.
#pragma once

#include <prometheus/collectable.h>

#include <string>

#include "core/reader/exchange.h"
#include "exporter/family.h"
#include "exporter/process_stats.h"

namespace procevent {

class MetricsCollector : public prometheus::Collectable {
 public:
  // `exchange` must outlive the collector.
  explicit MetricsCollector(Exchange& exchange) : exchange_(exchange), units_(ReadMachineUnits()) {}

  [[nodiscard]] Families Collect() const override;

 private:
  Exchange& exchange_;
  MachineUnits units_;
};

// The text format, version 0.0.4.
std::string ToText(const Families& families);

}  // namespace procevent
