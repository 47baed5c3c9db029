// State of one process as read from /proc, and the parsers of its files.
//
// Pure. core/sources reads the files. The tracker decides whether to trust a snapshot.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/protocol/event.h"

namespace procevent {

inline constexpr std::uint32_t kUnknownId = UINT32_MAX;  // user or group is unknown
inline constexpr std::int32_t kKthreadd = 2;             // the parent of all kernel threads

// The state of a process at `taken_ns`.
struct ProcSnapshot {
  std::int32_t tgid = 0;
  std::uint64_t taken_ns = 0;   // CLOCK_MONOTONIC, after the last file was read
  CommName name;                // of the thread group leader
  std::uint32_t threads = 0;    // live threads, including the leader
  bool leader_gone = false;     // the leader exited before the other threads
  bool dead = false;            // zombie: all threads have exited
  bool may_be_in_exec = false;  // true also if uncertain: a tracer or disk I/O blocks the process
  // A user process that has no memory, although it does not exit by itself. A signal may be ending it because an exec
  // failed beyond the point of no return, where the kernel has already set the name of the program that never ran.
  bool without_memory = false;
  std::uint64_t start_ns = 0;  // CLOCK_MONOTONIC, with a resolution of about 10 ms
  std::uint32_t euid = kUnknownId;
  std::uint32_t egid = kUnknownId;
  std::int32_t parent = 0;  // process that waits for it, or 0

  // Whether the name is that of the program that the process executes, or of its kernel thread.
  [[nodiscard]] bool has_reliable_name() const { return !may_be_in_exec && !without_memory; }
  // Whether it still has the name of kthreadd: the kernel renames a new kernel thread shortly after the fork, without
  // an event.
  [[nodiscard]] bool is_unnamed_kernel_thread() const { return parent == kKthreadd && name == CommName("kthreadd"); }
  bool operator==(const ProcSnapshot&) const = default;
};

// Parses /proc/PID/stat: name, parent, threads, and the start time in ticks since boot. Sets `without_memory` where the
// name is reliable only with memory; ParseProcStatm decides. Returns false and changes nothing if the text is
// malformed.
[[nodiscard]] bool ParseProcStat(std::string_view text, ProcSnapshot& snapshot, std::uint64_t& start_ticks);

// Parses /proc/PID/statm, which must have been read after stat. Sets `may_be_in_exec` if the process has new memory
// but no code mapped yet, and clears `without_memory` if it has memory. Returns false if the text is malformed.
[[nodiscard]] bool ParseProcStatm(std::string_view text, ProcSnapshot& snapshot);

// Parses /proc/PID/status: tgid, euid and egid. Returns false if one of them is missing.
[[nodiscard]] bool ParseProcStatus(std::string_view text, ProcSnapshot& snapshot);

}  // namespace procevent
