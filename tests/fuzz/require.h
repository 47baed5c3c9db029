// Ends a fuzz target and prints the invariant that it found violated.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string_view>

namespace procevent {

inline void Require(bool holds, std::string_view invariant) {
  if (!holds) {
    std::cerr << "violated: " << invariant << std::endl;
    std::abort();
  }
}

}  // namespace procevent
