// Finds the event from which on each /proc snapshot of a capture is valid, so that a watch prints the name of a program
// at its EXEC, although the recorder read the name later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/lookup/process_table.h"
#include "core/protocol/capture_record.h"
#include "core/protocol/event.h"
#include "core/protocol/sequence_tracker.h"
#include "core/reader/capture_applier.h"
#include "core/sources/capture/capture_file.h"

namespace procevent {

// Collects the snapshots of a whole capture, then applies them step by step. A step is an event that is no duplicate,
// or an invalidation. One thread at a time.
class CapturedNames {
 public:
  explicit CapturedNames(const CaptureSummary& summary);

  // Adds the next packet of the capture.
  void Add(const CapturedPacket& packet);
  // After the last packet.
  void Finish();

  // Applies the snapshots of the next step. The first call is for the processes that run at the start.
  void ApplyNextStep(ProcessTable& table);

 private:
  // The time of a process during which it has one name, from `since_step` on.
  struct Period {
    std::size_t since_step = 0;
    bool named = false;         // a snapshot of this period was accepted
    bool user_changed = false;  // a UID event since then: a later snapshot has another user
    std::optional<ProcSnapshot> pending;
  };
  void AddEvent(const Event& event);
  void AddSnapshot(const CapturedProcSnapshot& captured);
  void BeginPeriod(std::int32_t pid, std::uint64_t when_ns);
  void ChangeUser(std::int32_t pid, std::uint64_t when_ns);
  void InvalidateAll(std::uint64_t lost_after_ns);
  static void DropContradicted(Period& period, std::uint64_t when_ns);
  void Accept(Period& period);
  Period& FindPeriod(std::int32_t pid);

  bool gaps_are_losses_;
  SequenceTracker sequence_;
  std::vector<std::uint64_t> last_event_ns_;  // by CPU
  std::uint64_t last_ns_ = 0;                 // the time of the latest event
  std::size_t step_ = 0;                      // the number of steps so far
  std::size_t stale_until_step_ = 0;          // periods that began earlier were invalidated
  std::unordered_map<std::int32_t, Period> periods_;
  std::vector<std::pair<std::size_t, ProcSnapshot>> accepted_;  // with the step from which on each is valid
  std::size_t next_ = 0;                                        // of accepted_, to be applied
};

}  // namespace procevent
