// FOLDED: comm_families.h, life_families.h, snapshot_families.h
#pragma once

#include "core/ledger/ledger_snapshot.h"
#include "core/reader/snapshot_exchange.h"
#include "exporter/metrics/family.h"

namespace procevent {

// The rows of the comm table -> metric families. Pure. Only for SnapshotFamilies.

void AddCommFamilies(MetricFamilies& families, const LedgerSnapshot& numbers);

// How processes end, how many there are, and how well their names are known -> metric families. Pure. Only for
// SnapshotFamilies.

void AddLifecycleFamilies(MetricFamilies& families, const LedgerSnapshot& numbers);

// One snapshot of the reader -> metric families. Pure. Only for the metrics collector.

// Only what is known is said: of a reader that has never answered (kNone) no more than that it is not up. A stale
// snapshot is said to be not up either, and leaves out what is an audit of this very moment.
MetricFamilies SnapshotFamilies(const Snapshot& snapshot, SnapshotExchange::Freshness age);

}  // namespace procevent
