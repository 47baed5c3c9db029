// Converts a snapshot of the reader into metric families. Pure functions; used by MetricsCollector and the tests.
#pragma once

#include "core/ledger/ledger_snapshot.h"
#include "core/reader/snapshot_exchange.h"
#include "exporter/metrics/family.h"

namespace procevent {

// All families of a snapshot. With kNone, before the reader's first answer, only procevent_listener_up 0. A stale
// snapshot also reports procevent_listener_up 0, and omits procevent_kernel_forks_total: an old value of it would not
// match the current one of the kernel.
MetricFamilies SnapshotFamilies(const Snapshot& snapshot, SnapshotExchange::Freshness freshness);

// The parts of SnapshotFamilies, for the tests: the counts by command, and exits, attribution and the process table.
void AddCommFamilies(MetricFamilies& families, const LedgerSnapshot& ledger);
void AddLifecycleFamilies(MetricFamilies& families, const LedgerSnapshot& ledger);

}  // namespace procevent
