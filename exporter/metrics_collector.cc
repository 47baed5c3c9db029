#include "exporter/metrics_collector.h"

#include <iterator>

#include "exporter/build_info.h"
#include "exporter/pid_limit.h"
#include "exporter/snapshot_families.h"

namespace procevent {
namespace {

prometheus::MetricFamily BuildInfo() {
  auto family = Family(Catalogued("procevent_build_info"));
  Add(family, 1, {{"version", Version()}, {"compiler", Compiler()}});
  return family;
}

void AddReloads(Families& families, const ReloadStatus& reloads) {
  families.push_back(Family(Catalogued("procevent_config_last_reload_successful"), reloads.successful() ? 1 : 0));
  families.push_back(
      Family(Catalogued("procevent_config_last_reload_success_timestamp_seconds"), reloads.succeeded_at_seconds()));
  families.push_back(Family(Catalogued("procevent_config_restart_pending"), reloads.restart_pending() ? 1 : 0));
}

}  // namespace

Families MetricsCollector::Collect(std::chrono::milliseconds patience) const {
  Families process = ProcessFamilies(ReadProcessStats(units_));
  Snapshot snapshot;
  const Exchange::Age age = exchange_.Take(snapshot, patience);
  Families families = SnapshotFamilies(snapshot, age);
  if (const auto limit = ReadPidLimit()) {
    families.push_back(Family(Catalogued("procevent_pid_max"), AsValue(*limit)));
  }
  families.push_back(BuildInfo());
  AddReloads(families, own_.reloads);
  families.push_back(
      Family(Catalogued("procevent_http_requests_refused_total"), kRefusalNames, own_.refusals.counts()));
  families.insert(families.end(), std::make_move_iterator(process.begin()), std::make_move_iterator(process.end()));
  return families;
}

}  // namespace procevent
