#include "exporter/metrics_collector.h"

#include <prometheus/text_serializer.h>

#include <iterator>

#include "exporter/build_info.h"
#include "exporter/pid_limit.h"
#include "exporter/readiness.h"
#include "exporter/snapshot_families.h"

namespace procevent {
namespace {

prometheus::MetricFamily BuildInfo() {
  auto family = Gauge({"procevent_build_info", "1, with the version and the compiler it was built with."});
  Add(family, 1, {{"version", Version()}, {"compiler", Compiler()}});
  return family;
}

}  // namespace

Families MetricsCollector::Collect() const {
  Families process = ProcessFamilies(ReadProcessStats(units_));
  Snapshot snapshot;
  const Exchange::Age age = exchange_.Take(snapshot, kAnswerTimeout);
  Families families = SnapshotFamilies(snapshot, age);
  if (const auto limit = ReadPidLimit()) {
    families.push_back(
        Gauge({"procevent_pid_max", "Processes and threads that the machine can have at once."}, AsValue(*limit)));
  }
  families.push_back(BuildInfo());
  families.insert(families.end(), std::make_move_iterator(process.begin()), std::make_move_iterator(process.end()));
  return families;
}

std::string ToText(const Families& families) { return prometheus::TextSerializer().Serialize(families); }

}  // namespace procevent
