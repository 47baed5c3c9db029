// One snapshot of the reader -> metric families. Pure. Only for the metrics collector.
#pragma once

#include "core/reader/exchange.h"
#include "core/reader/snapshot.h"
#include "exporter/family.h"

namespace procevent {

// Only what is known is said: of a reader that has never answered (kNone) no more than that it is not up. A stale
// snapshot is said to be not up either, and leaves out what is an audit of this very moment.
Families SnapshotFamilies(const Snapshot& snapshot, Exchange::Age age);

}  // namespace procevent
