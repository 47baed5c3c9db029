// Finds the event from which on each /proc snapshot of a capture is valid, so that a watch prints the name of a program
// at its EXEC, although the recorder read the name later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/lookup/process_table.h"
#include "core/protocol/capture_packet.h"
#include "core/protocol/event.h"
#include "core/protocol/sequence_tracker.h"
#include "core/reader/capture_applier.h"

namespace procevent {

// Reads packets ahead of the printed event, and applies their snapshots step by step. A step is an event that is no
// duplicate, or an invalidation. Bounded like the process table. One thread at a time.
class CapturedNames {
 public:
  explicit CapturedNames(const CaptureSummary& summary);

  // Adds the content of the next packet of the capture.
  void Add(const PacketContent& content);
  // After the last packet.
  void Finish();

  // Applies the snapshots of the next step. The first call is for the processes that run at the start. A snapshot that
  // was added after its step is applied late.
  void ApplyNextStep(ProcessTable& table);

 private:
  // The time of a process during which it has one name, from `since_step` on.
  struct Period {
    std::size_t since_step = 0;
    std::int32_t parent = 0;       // that forked it at the beginning of the period; 0: unknown
    std::optional<CommName> name;  // of its first snapshot
    bool user_known = false;       // a snapshot has it
    bool user_changed = false;     // a UID event since then: a later snapshot has another user
    std::vector<ProcSnapshot> unconfirmed;
  };
  void AddEvent(const Event& event);
  void AddSnapshot(const ProcRead& read);
  void BeginPeriod(std::int32_t pid, std::uint64_t when_ns, std::int32_t parent = 0);
  void ChangeUser(std::int32_t pid, std::uint64_t when_ns);
  void ConfirmUpTo(std::uint64_t applied_until_ns);
  void InvalidateAll(std::uint64_t lost_after_ns);
  void Forget();
  void ForgetOldest();
  void AcceptBefore(Period& period, std::uint64_t change_ns);
  Period& FindPeriod(std::int32_t pid);

  bool gaps_are_losses_;
  SequenceTracker sequence_;
  std::vector<std::uint64_t> last_event_ns_;  // by CPU
  std::uint64_t last_ns_ = 0;                 // the time of the latest event
  std::size_t added_steps_ = 0;
  std::size_t applied_steps_ = 0;
  std::size_t unknown_until_step_ = 0;  // a process without a period had none since then
  std::unordered_map<std::int32_t, Period> periods_;
  std::deque<std::pair<std::uint64_t, std::int32_t>> unconfirmed_;  // when each was taken, and its process
  std::multimap<std::size_t, ProcSnapshot> accepted_;               // by the step from which on each is valid
};

}  // namespace procevent
