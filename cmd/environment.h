// The process's own environment, as data. Used by Run.
#pragma once

#include <vector>

#include "config/environment.h"

namespace procevent {

// The variables that may be meant for us: those that begin nearly with PROCEVENT_, in capitals or not.
std::vector<Variable> ReadEnvironment();

}  // namespace procevent
