// What a replay can be told. The configuration fills it in.
#pragma once

#include <string>

namespace procevent {

struct ReplayOptions {
  std::string file;    // a capture; empty: nothing is replayed
  unsigned speed = 1;  // a multiple of the recorded one; 0: as fast as possible
  bool loop = false;   // begin anew at the end
  bool operator==(const ReplayOptions&) const = default;
};

}  // namespace procevent
