// The rows of the comm table -> metric families. Pure. Only for SnapshotFamilies.
#pragma once

#include "core/ledger/numbers.h"
#include "exporter/family.h"

namespace procevent {

void AddCommFamilies(Families& families, const Numbers& numbers);

}  // namespace procevent
