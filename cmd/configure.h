// Flags over environment over file over defaults. Used by Run.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "cmd/flags.h"
#include "config/environment.h"
#include "config/load.h"

namespace procevent {

// The file that the flags name, else the environment.
std::optional<std::string> ConfigFileOf(const Flags& flags, std::span<const Variable> environment);

// The faults of the file, of the environment and of the flags at once.
LoadedConfig Configure(const Flags& flags, std::span<const Variable> environment);

// As if no file were named.
LoadedConfig ConfigureWithoutFile(const Flags& flags, std::span<const Variable> environment);

}  // namespace procevent
