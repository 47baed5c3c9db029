// Rules of a process's life, shared by every process table: that of the tracker, of the library and of `watch FILE`.
//
// Each rule comes from the kernel's source or from a measurement. Pure values and functions.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/system.h"
#include "core/protocol/event.h"

namespace procevent {

// The kernel changes a process a moment before or after it makes the event of that change. A /proc snapshot may or may
// not include events within this distance of it: /proc shows a new name before its EXEC or COMM, and a child before its
// FORK.
inline constexpr std::uint64_t kSnapshotMargin = 10 * kNanosPerMilli;

// Whether one moment certainly precedes the other, where one of them is that of a snapshot and the other of an event.
[[nodiscard]] constexpr bool CertainlyPrecedes(std::uint64_t first_ns, std::uint64_t second_ns) {
  return first_ns + kSnapshotMargin <= second_ns;
}

// Whether the thread is the leader of its process. Only the name and the credentials of the leader are those of the
// process, and only the FORK of a leader starts a process.
[[nodiscard]] constexpr bool IsLeader(const Task& task) { return task.pid == task.tgid; }

// Origin of the name that a new process has until it executes or is renamed.
enum class ChildName : std::uint8_t {
  kOfParent,         // the leader of the parent forked it
  kOfAnotherThread,  // another thread of the parent forked it; its name may differ and is not known
  kOfKernelThread,   // kthreadd names its children without an event, a moment after the fork
};
// `parent` is the thread that the FORK names.
[[nodiscard]] ChildName NameOfChild(const Task& parent);

// The live threads of a process. Their number starts with the FORK, with an EXEC, or with a /proc snapshot, which
// includes all events up to its time. `snapshot_ns` is that time, or 0 without a snapshot.
struct ThreadState {
  static constexpr std::uint32_t kMaxThreads = INT32_MAX;  // the kernel's limit is 2^22

  std::uint32_t count : 31 = 1;
  bool leader_gone : 1 = false;  // the leader exited before the other threads

  // As a snapshot shows it.
  [[nodiscard]] static constexpr ThreadState Of(std::uint32_t threads, bool leader_gone) {
    return {.count = std::min(threads, kMaxThreads) & kMaxThreads, .leader_gone = leader_gone};
  }

  constexpr void OnThreadStart(std::uint64_t when_ns, std::uint64_t snapshot_ns) {
    if (when_ns > snapshot_ns && count < kMaxThreads) {
      ++count;
    }
  }
  // An exec leaves one thread, which becomes the leader, whichever thread called it.
  constexpr void OnExec(std::uint64_t when_ns, std::uint64_t snapshot_ns) {
    if (when_ns > snapshot_ns) {
      *this = {};
    }
  }
  // Returns whether the process ended: no thread is left. The leader may end before other threads. A snapshot that
  // shows the leader alive was taken before the leader's EXIT, whatever the timestamps are.
  [[nodiscard]] constexpr bool OnThreadExit(bool leader, std::uint64_t when_ns, std::uint64_t snapshot_ns) {
    if (when_ns <= snapshot_ns && (!leader || leader_gone)) {
      return false;
    }
    leader_gone = leader_gone || leader;
    if (count > 1) {
      --count;
      return false;
    }
    // While the leader lives, one thread is left: the FORK of the ended one was lost, or an exec ended it before.
    return leader_gone;
  }
  bool operator==(const ThreadState&) const = default;
};
static_assert(sizeof(ThreadState) == 4);

// Where the start of a process is known from.
enum class StartSource : std::uint8_t { kFork, kProc };

// How a start in /proc compares with the known start of a process of the same PID.
enum class StartMatch : std::uint8_t {
  kSame,
  kEarlier,  // it is no other process, since later owners of a PID start later: the host was suspended after the FORK
  kLater,    // another process has the PID by now
};
// /proc gives the start in hundredths of a second, rounded down and converted between two clocks. So it is at most this
// long before the FORK, and never after it. Two starts of one process in /proc differ at most by this.
inline constexpr std::uint64_t kStartMargin = 50 * kNanosPerMilli;
[[nodiscard]] StartMatch CompareStarts(StartSource source, std::uint64_t known_ns, std::uint64_t proc_ns);

}  // namespace procevent
