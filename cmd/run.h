// The program behind main: flags to the command they name. Used by main.
#pragma once

#include <span>

namespace procevent {

// The exit code: 0 done, 1 failed at run time, 2 wrong usage or configuration.
int Run(std::span<const char* const> arguments);

}  // namespace procevent
