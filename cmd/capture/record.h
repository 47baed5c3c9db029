// Implements `procevent_exporter record`: writes the ledger's inputs to a capture for replay, decode or Wireshark.
#pragma once

#include "cmd/cli/flags.h"
#include "config/schema/effective_config.h"

namespace procevent {

// Subscribes as Serve does. Returns the exit code.
int Record(const Config& config, const RecordOptions& options);

}  // namespace procevent
