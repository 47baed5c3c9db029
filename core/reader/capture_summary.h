// What must be known of a capture before it is replayed: that it is whole, which clock it goes by, and how far its
// numbers run. Made by the replayer, at start.
#pragma once

#include <cstdint>
#include <vector>

#include "core/protocol/event_mask.h"
#include "core/source/capture_file.h"

namespace procevent {

struct CaptureSummary {
  // Reads the file to its end. Throws std::runtime_error with a line that names what is wrong, and where.
  static CaptureSummary Of(CaptureFile file);

  Hearing hearing = Hearing::kAll;
  std::uint64_t datagrams = 0;
  std::uint64_t clock_offset_ns = 0;  // a packet's time less this is the CLOCK_MONOTONIC of the events
  std::uint64_t first_ns = 0;         // of that clock
  std::uint64_t last_ns = 0;

  // How many events the kernel numbered on each CPU, from the first to the last.
  std::vector<std::uint32_t> numbered;

  [[nodiscard]] unsigned cpus() const { return static_cast<unsigned>(numbered.size()); }
};

}  // namespace procevent
