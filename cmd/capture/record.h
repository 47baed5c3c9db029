// `record`: writes what the ledger is told to a capture, for a replay, decode, or Wireshark. Listens as Serve does.
#pragma once

#include "cmd/cli/flags.h"
#include "config/schema/effective_config.h"

namespace procevent {

// The exit code.
int Record(const Config& config, const RecordOptions& order);

}  // namespace procevent
