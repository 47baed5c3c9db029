// Implements `procevent_exporter record`: writes the inputs of the reader to a capture for replay, decode or Wireshark.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "config/schema/effective_config.h"

namespace procevent {

struct RecordOptions {
  std::string file;                                   // "-" is the standard output
  std::optional<std::chrono::milliseconds> duration;  // empty: until a signal arrives
};

// Subscribes as Serve does. Returns the exit code.
int Record(const Config& config, const RecordOptions& options);

}  // namespace procevent
