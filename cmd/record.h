// `record`: writes what the ledger is told to a capture, for a replay, decode, or Wireshark. Listens as Serve does.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "config/config.h"

namespace procevent {

struct RecordOrder {
  std::string file;                                   // "-" is the standard output
  std::optional<std::chrono::milliseconds> duration;  // nothing: until a signal comes
};

// The exit code.
int Record(const Config& config, const RecordOrder& order);

}  // namespace procevent
