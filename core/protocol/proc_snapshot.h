// What /proc said of one process at one moment, and how its texts are read. Pure. The source makes sightings, the
// ledger believes them under its own rules.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/protocol/event.h"

namespace procevent {

inline constexpr std::uint32_t kUnknownId = UINT32_MAX;  // a user or group that is not known

struct ProcSnapshot {
  std::int32_t tgid = 0;
  std::uint64_t taken_ns = 0;     // CLOCK_MONOTONIC, when the last of it had been read
  CommName name;                  // of the leader
  std::uint32_t threads = 0;      // alive, the leader too
  bool leader_gone = false;       // it ended before the others
  bool dead = false;              // a zombie: all threads have ended
  bool exec_in_progress = false;  // it is in the middle of an exec, or may be: a tracer or a disk holds it
  std::uint64_t start_ns = 0;     // CLOCK_MONOTONIC, to about a hundredth of a second
  std::uint32_t euid = kUnknownId;
  std::uint32_t egid = kUnknownId;
  std::int32_t parent = 0;  // who waits for it; 0: nobody

  bool operator==(const ProcSnapshot&) const = default;
};

// From /proc/PID/stat: the name, the parent, the threads, and the start in ticks since boot. False: the text is not of
// that form.
[[nodiscard]] bool ParseProcStat(std::string_view text, ProcSnapshot& sighting, std::uint64_t& start_ticks);

// From /proc/PID/statm, which must have been read after stat: whether the process is in the middle of an exec, between
// its new memory and the code in that. False: the text is not of that form.
[[nodiscard]] bool ParseProcStatm(std::string_view text, ProcSnapshot& sighting);

// From /proc/PID/status: tgid, euid and egid. False: they are not there.
[[nodiscard]] bool ParseProcStatus(std::string_view text, ProcSnapshot& sighting);

}  // namespace procevent
