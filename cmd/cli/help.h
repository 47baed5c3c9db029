// Formats --help from the tables of commands and options. Pure.
#pragma once

#include <string>

#include "cmd/cli/flags.h"

namespace procevent {

// The help of the program if `topic` is kServe, else of that command.
std::string FormatHelp(Command topic);

}  // namespace procevent
