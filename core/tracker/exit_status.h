// Derives the wait status of a process from the EXIT events of its threads.
//
// waitpid returns the status of the exit_group or the fatal signal that ended the process. Without one, it returns the
// status of the thread that began its exit last (Linux 5.18 and newer). An EXIT event carries only the status of its
// thread, and does not show which thread called exit_group. The rule, which was compared with waitpid:
//   - The status of the process is that of its latest EXIT since its last EXEC, by timestamp.
//   - If that status is 0 and the leader ended with another status at most kLeaderWindowNs before, it is the leader's:
//     the leader called exit_group while other threads were ending with status 0.
//
// Known limits:
//   - A leader that ends alone with another status than 0 (SYS_exit), at most kLeaderWindowNs before a last thread that
//     ends with 0, looks the same. The result is then the leader's status, and waitpid returns 0.
//   - Threads that end on their own at the same time emit their EXITs in another order than they began to exit.
//   - After an exit_group of the leader, a thread that ends on its own with 0 may take longer than kLeaderWindowNs, as
//     when it frees the memory of the process.
// tests/bench/exit_status.cc measures how often each case occurs.
//
// A plain value without allocation, part of each row of the process table.
#pragma once

#include <cstdint>

namespace procevent {

// The exit status of one process so far.
class ProcessExitStatus {
 public:
  static constexpr std::uint64_t kLeaderWindowNs = 2'000'000;

  // Discards the statuses of the threads that the exec ended.
  void OnExec() { *this = {}; }

  // Events of different CPUs may arrive in another order than they were made. Of two exits with equal timestamps, the
  // one that arrived later counts as the later one.
  void OnThreadExit(bool leader, std::uint64_t when_ns, std::uint32_t wait_status) {
    if (when_ns >= last_ns_) {
      last_ns_ = when_ns;
      last_status_ = static_cast<std::uint16_t>(wait_status);
    }
    if (leader && when_ns >= leader_ns_) {
      leader_ns_ = when_ns;
      leader_status_ = static_cast<std::uint16_t>(wait_status);
    }
  }

  // See DecodeWaitStatus. 0 before the first exit.
  [[nodiscard]] std::uint32_t wait_status() const {
    return last_status_ == 0 && last_ns_ - leader_ns_ <= kLeaderWindowNs ? leader_status_ : last_status_;
  }

 private:
  // Times of the latest EXIT of any thread and of the leader; 0: none. So `leader_ns_` is never above `last_ns_`.
  std::uint64_t last_ns_ = 0;
  std::uint64_t leader_ns_ = 0;
  // A wait status has 16 bits.
  std::uint16_t last_status_ = 0;
  std::uint16_t leader_status_ = 0;
};

}  // namespace procevent
