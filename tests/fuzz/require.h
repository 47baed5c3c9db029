// How a fuzz target says that a rule does not hold: by its name, and by ending the process.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string_view>

namespace procevent {

inline void Require(bool holds, std::string_view rule) {
  if (!holds) {
    std::cerr << "broken: " << rule << std::endl;
    std::abort();
  }
}

}  // namespace procevent
