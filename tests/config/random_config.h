// Configurations and texts at random, any that a file could say: for what must hold for all of them.
#pragma once

#include <random>
#include <string>

#include "config/schema/effective_config.h"

namespace procevent {

// A few characters of UTF-8, some of which YAML, a terminal or an expression takes for something else.
std::string RandomText(std::mt19937& random);

Config RandomConfig(std::mt19937& random);

}  // namespace procevent
