// Converts a snapshot of the reader into metric families. Pure functions; used by MetricsCollector and the tests.
#pragma once

#include "core/reader/numbers.h"
#include "core/reader/snapshot_exchange.h"
#include "exporter/metrics/family.h"
#include "exporter/metrics/shown_series.h"

namespace procevent {

// Passes all families of a snapshot to `sink`. Without a fresh snapshot, procevent_up is `subscribed_now`, and
// procevent_kernel_clones_total is omitted: an old value of it would not match the current one of the kernel. With
// kNone, before the reader's first answer, procevent_up is the only family. `exposed` are the counts of the groups
// that ShownSeries has made of the snapshot's numbers.
void AddSnapshotFamilies(const FamilySink& sink, const Snapshot& snapshot, const ExposedGroups& exposed,
                         SnapshotExchange::Freshness freshness, bool subscribed_now);

// Its parts, for the tests.
void AddHostFamilies(const FamilySink& sink, const Numbers& numbers);
void AddGroupFamilies(const FamilySink& sink, const Numbers& numbers, const ExposedGroups& exposed);
// Omitted with an event mask that lacks fork, exec or exit: the process table is incomplete then.
void AddProcessTable(const FamilySink& sink, const Numbers& numbers);

}  // namespace procevent
