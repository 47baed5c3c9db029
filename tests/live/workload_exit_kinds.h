// Ways for a process with threads to end, in which the EXIT events of its threads carry different statuses. The live
// tests and tests/bench/exit_status.cc compare the derived status of the process with that of waitpid.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace procevent::workload {

// One way to end. `run` is called in a child process of its own, which it ends. Runs of different numbers may end with
// different statuses.
struct ExitKind {
  std::string_view name;
  std::string_view description;
  void (*run)(int number);
};

inline constexpr std::size_t kExitKinds = 11;
const std::array<ExitKind, kExitKinds>& ExitKinds();

// Makes the kernel kill any thread of this process and its future children that makes one unused system call. Call it
// once, before a kind that needs it: each call attaches a filter, and attaching many can deadlock Linux 6.18.
void AllowThreadKills();
bool NeedsThreadKills(const ExitKind& kind);

}  // namespace procevent::workload
