// Defines the activities of processes, which the tracker emits and the statistics count.
#pragma once

#include <cstdint>
#include <type_traits>

#include "core/protocol/event.h"
#include "core/tracker/attributes.h"
#include "core/tracker/counts.h"

namespace procevent {

// How a process exited.
struct ProcessExit {
  WaitStatus status;
  bool without_exec : 1 = false;    // its fork was received, and it never executed a program
  bool lifetime_known : 1 = false;  // its fork was received
  std::int32_t pid = 0;
  std::uint64_t lifetime_ns = 0;  // valid if the lifetime is known
};

static_assert(sizeof(ProcessExit) == 16);  // 65 536 of them may wait for a name

// Returns the kind that an exit is counted as.
constexpr CountKind ExitCountKindOf(const ProcessExit& exit) {
  return exit.status.signal != 0   ? CountKind::kKilled
         : exit.status.status != 0 ? CountKind::kFailed
                                   : CountKind::kSucceeded;
}

// The status of the exit, or 128 + the signal.
constexpr std::uint64_t ExitCodeOf(const ProcessExit& exit) {
  constexpr std::uint64_t kSignalBase = 128;
  return exit.status.signal != 0 ? kSignalBase + exit.status.signal : exit.status.status;
}

// The process that did something. {pid, start_ns} identifies it.
struct ActiveProcess {
  std::int32_t pid = 0;
  std::int32_t parent = 0;                             // 0: unknown
  std::uint64_t start_ns = 0;                          // time of its FORK; 0: unknown
  const AttributesTable::Entry* attributes = nullptr;  // never null; valid only during the call that passes it
};

// Something that a process did, shown by one event, or by several equal ones that waited for the same attributes.
struct Activity {
  // Each activity has its attributes once. If they are not known at the event, it reaches the sinks twice.
  enum class Stage : std::uint8_t {
    kImmediate,  // at the event, with the attributes
    kWaiting,    // at the event; the attributes are still to come
    kResolved,   // after it waited, with the attributes
  };
  Stage stage = Stage::kImmediate;
  CountKind what = CountKind::kForks;
  std::uint64_t times = 1;
  std::uint64_t when_ns = 0;  // of the event; of counts that waited: of the latest event that waited with them
  // Of a resolved activity: the process that the name was read for, which may be a parent of the one that acted. An
  // exit always has its own process. Both have the attributes of the process that owned the pending counts, when these
  // were closed. That is right for the name, which all members share. An attribute that can differ between members, or
  // that changes without a new name, must close or split the pending counts.
  ActiveProcess process = {};
  const ProcessExit* exit = nullptr;  // of an exit; valid only during the call that passes it
};

// Passes activities to an object of any type with OnActivity(const Activity&). Does not own it.
class ActivitySink {
 public:
  template <typename Sink>
  requires(!std::is_same_v<Sink, ActivitySink>) explicit ActivitySink(Sink& sink)
      : sink_(&sink),
        on_activity_([](void* object, const Activity& activity) { static_cast<Sink*>(object)->OnActivity(activity); }) {
  }

  void Emit(const Activity& activity) const { on_activity_(sink_, activity); }

 private:
  void* sink_;
  void (*on_activity_)(void* sink, const Activity& activity);
};

}  // namespace procevent
