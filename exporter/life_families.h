// How processes end, how many there are, and how well their names are known -> metric families. Pure. Only for
// SnapshotFamilies.
#pragma once

#include "core/ledger/numbers.h"
#include "exporter/family.h"

namespace procevent {

void AddLifeFamilies(Families& families, const Numbers& numbers);

}  // namespace procevent
