// Defines the kinds of activities, and counters for them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace procevent {

// The kinds of activities that the kernel's events show: a fork event is a fork or a thread start, an exit event an
// exit or a thread end.
enum class ActivityKind : std::uint8_t {
  kFork,
  kThreadStart,
  kThreadEnd,
  kExec,
  kExit,
  kUidChange,
  kGidChange,
  kPtrace,
  kCoredump,
};
inline constexpr std::size_t kActivityKinds = 9;
inline constexpr std::array<std::string_view, kActivityKinds> kActivityNames{
    "fork", "thread_start", "thread_end", "exec", "exit", "uid_change", "gid_change", "ptrace", "coredump"};

// The kinds of counts that each group has.
enum class CountKind : std::uint8_t {
  kForks,
  kThreadsStarted,
  kThreadsEnded,
  kExecs,
  kSucceeded,  // exits with status 0
  kFailed,     // exits with another status
  kKilled,     // exits by a signal
  kCoredumps,
  kWithoutExec,  // exits of processes that never executed a program after their fork
  kUidGainedRoot,
  kUidLeftRoot,
  kUidOther,
  kGidGainedRoot,
  kGidLeftRoot,
  kGidOther,
  kAttached,  // ptrace
  kDetached,
};
inline constexpr std::size_t kCountKinds = 17;

// One counter for each kind.
class Counts {
 public:
  [[nodiscard]] std::uint64_t& operator[](CountKind count) { return counts_[static_cast<std::size_t>(count)]; }
  [[nodiscard]] std::uint64_t operator[](CountKind count) const { return counts_[static_cast<std::size_t>(count)]; }
  Counts& operator+=(const Counts& other) {
    for (std::size_t i = 0; i < kCountKinds; ++i) {
      counts_[i] += other.counts_[i];
    }
    return *this;
  }
  Counts& operator-=(const Counts& other) {
    for (std::size_t i = 0; i < kCountKinds; ++i) {
      counts_[i] -= other.counts_[i];
    }
    return *this;
  }
  [[nodiscard]] bool empty() const { return *this == Counts(); }
  bool operator==(const Counts&) const = default;

 private:
  std::array<std::uint64_t, kCountKinds> counts_{};
};

// Returns the activity that is counted in `kind`. Each activity is counted once. kWithoutExec is none: it counts some
// exits a second time.
constexpr std::optional<ActivityKind> ActivityKindOf(CountKind kind) {
  switch (kind) {
    case CountKind::kForks:
      return ActivityKind::kFork;
    case CountKind::kThreadsStarted:
      return ActivityKind::kThreadStart;
    case CountKind::kThreadsEnded:
      return ActivityKind::kThreadEnd;
    case CountKind::kExecs:
      return ActivityKind::kExec;
    case CountKind::kSucceeded:
    case CountKind::kFailed:
    case CountKind::kKilled:
      return ActivityKind::kExit;
    case CountKind::kCoredumps:
      return ActivityKind::kCoredump;
    case CountKind::kUidGainedRoot:
    case CountKind::kUidLeftRoot:
    case CountKind::kUidOther:
      return ActivityKind::kUidChange;
    case CountKind::kGidGainedRoot:
    case CountKind::kGidLeftRoot:
    case CountKind::kGidOther:
      return ActivityKind::kGidChange;
    case CountKind::kAttached:
    case CountKind::kDetached:
      return ActivityKind::kPtrace;
    case CountKind::kWithoutExec:
      break;
  }
  return std::nullopt;
}

using ActivityCounts = std::array<std::uint64_t, kActivityKinds>;

constexpr ActivityCounts CountActivities(const Counts& counts) {
  ActivityCounts activities{};
  for (std::size_t i = 0; i < kCountKinds; ++i) {
    const auto kind = static_cast<CountKind>(i);
    if (const auto activity = ActivityKindOf(kind)) {
      activities[static_cast<std::size_t>(*activity)] += counts[kind];
    }
  }
  return activities;
}

}  // namespace procevent
