// What the exporter tells of itself beside the reader's numbers. cmd makes one, which outlives the server.
#pragma once

#include "exporter/refusals.h"
#include "exporter/reload_status.h"

namespace procevent {

struct OwnState {
  ReloadStatus reloads;
  Refusals refusals{};
};

}  // namespace procevent
