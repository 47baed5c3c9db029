// FOLDED: environment.h, configure.h, run.h
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cmd/cli/flags.h"
#include "config/load.h"
#include "config/schema/environment.h"

namespace procevent {

// The process's own environment, as data. Used by Run.

// The variables that may be meant for us: those that begin nearly with PROCEVENT_, in capitals or not.
std::vector<EnvironmentVariable> ReadEnvironment();

// Flags over environment over file over defaults. Used by Run.

// The file that the flags name, else the environment.
std::optional<std::string> FindConfigFile(const Flags& flags, std::span<const EnvironmentVariable> environment);

// The faults of the file, of the environment and of the flags at once.
LoadedConfig Configure(const Flags& flags, std::span<const EnvironmentVariable> environment);

// As if no file were named.
LoadedConfig ConfigureWithoutFile(const Flags& flags, std::span<const EnvironmentVariable> environment);

// The program behind main: flags to the command they name. Used by main.

// The exit code: 0 done, 1 failed at run time, 2 wrong usage or configuration.
int Run(std::span<const char* const> arguments);

}  // namespace procevent
