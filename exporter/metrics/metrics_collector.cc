#include "exporter/metrics/metrics_collector.h"

#include <optional>
#include <string_view>

#include "core/base/system.h"
#include "exporter/metrics/snapshot_families.h"

namespace procevent {

namespace {

MetricFamily MakeBuildInfo() {
  auto family = MakeFamily(FindMetric("procevent_exporter_build_info"));
  AddSeries(family, 1, {{"version", Version()}, {"revision", Revision()}, {"compiler", Compiler()}});
  return family;
}

void AddReloads(const FamilySink& sink, const ReloadStatus& reloads) {
  sink(MakeFamily(FindMetric("procevent_exporter_config_last_reload_successful"), reloads.successful() ? 1 : 0));
  sink(MakeFamily(FindMetric("procevent_exporter_config_last_reload_success_timestamp_seconds"),
                  reloads.succeeded_at_seconds()));
  sink(MakeFamily(FindMetric("procevent_exporter_config_restart_pending"), reloads.restart_pending() ? 1 : 0));
}

}  // namespace

void AddProcessFamilies(const FamilySink& sink, const ProcessStats& stats) {
  const auto add = [&sink](const auto& value, const Metric& metric) {
    if (value) {
      sink(MakeFamily(metric, static_cast<double>(*value)));
    }
  };
  add(stats.cpu_seconds, FindMetric("process_cpu_seconds_total"));
  add(stats.resident_bytes, FindMetric("process_resident_memory_bytes"));
  add(stats.virtual_bytes, FindMetric("process_virtual_memory_bytes"));
  add(stats.max_virtual_bytes, FindMetric("process_virtual_memory_max_bytes"));
  add(stats.start_time_seconds, FindMetric("process_start_time_seconds"));
  add(stats.open_fds, FindMetric("process_open_fds"));
  add(stats.max_fds, FindMetric("process_max_fds"));
  add(stats.threads, FindMetric("process_threads"));
}

PageInfo MetricsCollector::Collect(std::uint64_t asked_ns, const FamilySink& sink) {
  PageInfo page;
  // Read before the snapshot's families are made, which need memory and CPU themselves.
  std::optional<ProcessStats> process;
  const auto write_snapshot = [&](const Snapshot& snapshot, SnapshotExchange::Freshness freshness) {
    process = ReadProcessStats(units_);
    const std::uint64_t now_ns = MonotonicNanos();
    const ExposedGroups& exposed = shown_.MakePage(snapshot.numbers, now_ns);
    // Scrapes that asked meanwhile would get the same stale snapshot, so this page serves them, too.
    page = {.complete_until_ns = freshness == SnapshotExchange::Freshness::kFresh ? snapshot.complete_until_ns : now_ns,
            .number = exposed.page};
    AddSnapshotFamilies(sink, snapshot, exposed, freshness, IsSubscribed());
  };
  if (exchange_.VisitSnapshot(asked_ns, kSnapshotTimeout, write_snapshot) == SnapshotExchange::Freshness::kNone) {
    process = ReadProcessStats(units_);
    page.complete_until_ns = MonotonicNanos();
    AddSnapshotFamilies(sink, Snapshot(), {}, SnapshotExchange::Freshness::kNone, IsSubscribed());
  }
  if (const auto limit = ReadPidMax()) {
    sink(MakeFamily(FindMetric("procevent_pid_max"), ToDouble(*limit)));
  }
  sink(MakeBuildInfo());
  AddReloads(sink, state_.reloads);
  sink(MakeFamily(FindMetric("procevent_exporter_http_requests_refused_total"), kRefusalReasonNames,
                  state_.refusals.counts()));
  AddProcessFamilies(sink, *process);
  return page;
}

bool MetricsCollector::IsSubscribed() const {
  const ReaderStatus status = exchange_.status();
  return status.subscribed && IsResponsive(status, MonotonicNanos());
}

PageInfo MetricsCollector::WriteText(std::uint64_t asked_ns, TextFormat format, const TextSink& sink) {
  TextWriter writer(format, sink);
  const PageInfo page = Collect(asked_ns, [&writer](const MetricFamily& family) { writer.Write(family); });
  writer.Finish();
  return page;
}

}  // namespace procevent
