// Flags over file over defaults. Used by Run.
#pragma once

#include "cmd/flags.h"
#include "config/load.h"

namespace procevent {

// The faults of the file and of the flags at once.
LoadedConfig Configure(const Flags& flags);

}  // namespace procevent
