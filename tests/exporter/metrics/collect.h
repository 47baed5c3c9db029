// Collects metric families into one vector or text, which the product never does.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/system.h"
#include "core/sources/procfs/proc_stats.h"
#include "exporter/metrics/metrics_collector.h"
#include "exporter/metrics/shown_series.h"
#include "exporter/metrics/snapshot_families.h"
#include "exporter/metrics/text_format.h"

namespace procevent {

using MetricFamilies = std::vector<MetricFamily>;

inline FamilySink AppendTo(MetricFamilies& families) {
  return [&families](MetricFamily family) { families.push_back(std::move(family)); };
}

inline MetricFamilies Collect(MetricsCollector& collector) {
  MetricFamilies families;
  collector.Collect(MonotonicNanos(), AppendTo(families));
  return families;
}
inline MetricFamilies Collect(MetricsCollector&& collector) { return Collect(collector); }

// Asks so long ago that there is no time left to wait for an answer.
inline MetricFamilies CollectWithoutWaiting(MetricsCollector& collector) {
  MetricFamilies families;
  collector.Collect(MonotonicNanos() - std::chrono::nanoseconds(kSnapshotTimeout).count(), AppendTo(families));
  return families;
}

// Holds nothing back: no page was sent before.
inline MetricFamilies SnapshotFamilies(const Snapshot& snapshot, SnapshotExchange::Freshness freshness,
                                       bool subscribed_now = false) {
  MetricFamilies families;
  ShownSeries shown(1);
  AddSnapshotFamilies(AppendTo(families), snapshot, shown.MakePage(snapshot.numbers, 0), freshness, subscribed_now);
  return families;
}

inline MetricFamilies ProcessFamilies(const ProcessStats& stats) {
  MetricFamilies families;
  AddProcessFamilies(AppendTo(families), stats);
  return families;
}

inline std::string ToText(const MetricFamilies& families, TextFormat format = TextFormat::kPlain) {
  std::string text;
  TextWriter writer(format, [&text](std::string_view piece) { text += piece; });
  for (const auto& family : families) {
    writer.Write(family);
  }
  writer.Finish();
  return text;
}

}  // namespace procevent
