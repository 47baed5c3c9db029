// Applies process events to the process table, and emits the activities that they show.
//
// A process is a tgid. The rules stand at the functions below; each comes from the kernel's source or a measurement.
//
// An event of a process without a row adds one ("event"). COMM does so only if it names the leader. EXIT and COREDUMP
// add none: they are activities of an untracked process, as is an event whose tgid is not positive. ACK, SID and
// unknown events change nothing here.
//
// The table is bounded. If an event may need rows and none are free, the oldest rows are evicted before the event is
// applied. So an eviction never removes a row whose activity is just being emitted. It may remove the row of the
// very process that the event is about, which then starts as an unknown one.
//
// Known limit: an EXIT that is received after the same pid was assigned again ends the new process.
//
// Owned by the tracker. Single-threaded.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/protocol/event.h"
#include "core/tracker/name_resolver.h"
#include "core/tracker/process_rows.h"

namespace procevent {

// Why a row was added without a FORK.
enum class ProcessFoundReason : std::uint8_t {
  kBootstrap,       // /proc listed it when the subscription began
  kReconciliation,  // a later pass over /proc found it
  kEvent,           // an event of it was received
};
inline constexpr std::size_t kProcessFoundReasons = 3;
inline constexpr std::array<std::string_view, kProcessFoundReasons> kProcessFoundReasonNames{"bootstrap",
                                                                                             "reconciliation", "event"};

// Why a row was dropped without an EXIT.
enum class ProcessDropReason : std::uint8_t {
  kEvicted,   // the table was full and this row the oldest
  kGone,      // /proc does not list the process any more
  kReplaced,  // a FORK assigned its pid to another process
};
inline constexpr std::size_t kProcessDropReasons = 3;
inline constexpr std::array<std::string_view, kProcessDropReasons> kProcessDropReasonNames{"evicted", "gone",
                                                                                           "replaced"};

// Follows processes and threads from FORK to EXIT.
class EventApplier {
 public:
  EventApplier(ProcessRows& table, NameResolver& resolver) : table_(table), resolver_(resolver) {}

  // ACK, SID, COMM and unknown events are no activity.
  void ApplyEvent(const Event& event);

  // Adds a row for a process whose FORK was not received. Requires a snapshot of a live process without a row, and a
  // free row.
  RowId AddProcess(const ProcSnapshot& snapshot, ProcessFoundReason reason);
  // Drops the row of a process whose EXIT was not received.
  void DropProcess(RowId id, ProcessDropReason reason);

  // The kinds of a change of the effective user or group.
  struct CredentialCountKinds {
    CountKind gained, left, other;
  };

  [[nodiscard]] const std::array<std::uint64_t, kProcessFoundReasons>& found() const { return found_; }
  [[nodiscard]] const std::array<std::uint64_t, kProcessDropReasons>& dropped() const { return dropped_; }

 private:
  // FORK: a child with pid == tgid is a process, any other child a thread.
  void Apply(const ForkBody& body, std::uint64_t when_ns);
  // EXEC: earlier exit statuses are discarded.
  void Apply(const ExecBody& body, std::uint64_t when_ns);
  // EXIT: ends a thread, and the process with its last one. Without a row, an EXIT with pid == tgid is that of a
  // process, any other that of a thread.
  void Apply(const ExitBody& body, std::uint64_t when_ns);
  void Apply(const UidBody& body, std::uint64_t when_ns);
  void Apply(const GidBody& body, std::uint64_t when_ns);
  // PTRACE: an attachment is an activity of the tracer. A detachment does not carry the tracer: it is one of the tracer
  // that attached last, or untracked if that is not known.
  void Apply(const PtraceBody& body, std::uint64_t when_ns);
  // COMM: only the leader's name is the name of the process. Renames of other threads change nothing.
  void Apply(const CommBody& body, std::uint64_t when_ns);
  void Apply(const CoredumpBody& body, std::uint64_t when_ns);
  template <typename OtherBody>
  void Apply(const OtherBody& /*body*/, std::uint64_t /*when_ns*/) {}

  // The fork is an activity of the parent process that the kernel names: with CLONE_PARENT that is the grandparent. It
  // is untracked if the parent's or the child's tgid is not positive, or if both are the same.
  //
  // The name of the child, by NameOfChild:
  //   - It is that of the parent: the parent's name or pending counts.
  //   - It is that of another thread: /proc is read for the child.
  //   - The child is a kernel thread: reading /proc at once would be too early, so the next pass over the rows does it.
  void StartProcess(const ForkBody& body, std::uint64_t when_ns);
  // The start is an activity of the child's tgid, whatever parent the event names.
  void StartThread(const Task& child, std::uint64_t when_ns);
  // The process ends with the EXIT after which no thread is left, see ThreadState.
  void EndThread(RowId id, const ExitBody& body, std::uint64_t when_ns);
  // ProcessExitStatus derives the status of the process from the EXITs of its threads since the last EXEC.
  // Lifetime and "without exec" are known only if the FORK was received and nothing was missed since.
  void EndProcess(RowId id, std::uint64_t when_ns);

  // Only the credentials of the leader are those of the process: a change by another thread changes no row. A change is
  // counted as "other" unless the leader gains or leaves id 0, and the id before is known for sure.
  void RecordCredential(const Task& task, std::uint32_t effective, const CredentialCountKinds& kinds,
                        std::uint32_t ProcessRow::*known, std::uint64_t when_ns);

  // Finds a row and makes it current, see NameResolver::ForgetIfStale.
  [[nodiscard]] RowId FindRow(std::int32_t tgid);
  // Evicts until a row is free, and adds one if there is none and the tgid is positive. An event that may need two rows
  // evicts before.
  [[nodiscard]] RowId FindOrAddRow(std::int32_t tgid);
  RowId AddUnknown(std::int32_t tgid, ProcessFoundReason reason);
  void MarkChanged(RowId id, std::uint64_t when_ns);
  // Marks the row uncertain if the event is within kSnapshotMargin of the snapshot that its threads are based on.
  void MarkThreadsChanged(RowId id, std::uint64_t when_ns);
  // Erases the row that a FORK of the same tgid finds. All other events of a child follow its FORK, so the row is one
  // of two things:
  //   - The same process: its snapshot is at most kSnapshotMargin older than the FORK, which was still queued then.
  //   - An older process whose EXIT was not received: its row is dropped as "replaced".
  void EraseReplaced(RowId old, std::uint64_t forked_ns);
  void EvictUntilFree(std::size_t rows);

  ProcessRows& table_;
  NameResolver& resolver_;
  std::array<std::uint64_t, kProcessFoundReasons> found_{};
  std::array<std::uint64_t, kProcessDropReasons> dropped_{};
};

}  // namespace procevent
