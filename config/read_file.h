// The bytes of a small file, without waiting for anybody. Used by LoadConfigFile.
#pragma once

#include <string>

namespace procevent {

struct ReadText {
  std::string text;
  std::string found;    // what is in the way; empty: nothing, and `text` is the file
  std::string allowed;  // what to give instead
};

// A regular file of at most 1 MiB; never blocks on a FIFO or a device.
ReadText ReadWholeFile(const std::string& path);

}  // namespace procevent
