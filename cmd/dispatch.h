// Runs the command that the command line names.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cmd/cli/flags.h"
#include "config/load.h"
#include "config/schema/environment.h"

namespace procevent {

// Runs the program. Returns the exit code: 0 done, 1 failed at run time, 2 wrong usage or configuration.
int Run(std::span<const char* const> arguments);

// Returns the environment variables whose names begin with PROCEVENT_, or a prefix within two typing errors of it, in
// upper or lower case.
std::vector<EnvironmentVariable> ReadEnvironment();

// Returns the configuration file that the flags name, else the one that the environment names.
std::optional<std::string> FindConfigFile(const Flags& flags, std::span<const EnvironmentVariable> environment);

// Loads the configuration. Flags override the environment, which overrides the file, which overrides the defaults.
// Returns the errors of all of them together.
LoadedConfig Configure(const Flags& flags, std::span<const EnvironmentVariable> environment);

// The same without the configuration file.
LoadedConfig ConfigureWithoutFile(const Flags& flags, std::span<const EnvironmentVariable> environment);

}  // namespace procevent
