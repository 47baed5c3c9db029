// Makes random configurations and texts, each of which a file can contain, for property tests.
#pragma once

#include <random>
#include <string>

#include "config/schema/effective_config.h"

namespace procevent {

// A few characters of UTF-8, some with a meaning in YAML, in a terminal or in a regular expression.
std::string RandomText(std::mt19937& random);

Config RandomConfig(std::mt19937& random);

}  // namespace procevent
