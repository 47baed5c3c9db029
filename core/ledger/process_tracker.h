// Who lives, and what each of them does: process events in, process rows and bookings out. The rules were
// bought with measurements; CONTRIBUTING has them in words. Owned by the ledger.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/ledger/name_resolver.h"
#include "core/ledger/process_rows.h"
#include "core/protocol/event.h"

namespace procevent {

// Rows that began without their FORK.
enum class ProcessFoundReason : std::uint8_t { kBootstrap, kReconciliation, kEvent };
inline constexpr std::size_t kProcessFoundReasons = 3;
inline constexpr std::array<std::string_view, kProcessFoundReasons> kProcessFoundReasonNames{"bootstrap",
                                                                                             "reconciliation", "event"};

// Rows that ended without their EXIT.
enum class ProcessDropReason : std::uint8_t {
  kEvicted,   // the table was full
  kGone,      // /proc does not know the process any more
  kReplaced,  // its number was given to another process
};
inline constexpr std::size_t kProcessDropReasons = 3;
inline constexpr std::array<std::string_view, kProcessDropReasons> kProcessDropReasonNames{"evicted", "gone",
                                                                                           "replaced"};

// What the kernel counts a moment before or after it says so: how far a number of threads seen in /proc may be off.
inline constexpr std::uint64_t kThreadsMargin = 10 * kNanosPerMilli;
// /proc shows a child a moment before its FORK is made.
inline constexpr std::uint64_t kForkMargin = 10 * kNanosPerMilli;

class ProcessTracker {
 public:
  ProcessTracker(ProcessRows& table, NameResolver& names) : table_(table), names_(names) {}

  void ApplyEvent(const Event& event);

  // A row for a process whose FORK was not seen. It has none, and `sighting` is of a living one.
  RowId AddProcess(const ProcSnapshot& sighting, ProcessFoundReason how);
  // Its end was not seen either.
  void DropProcess(RowId id, ProcessDropReason why);

  // The columns of a change of user or group.
  struct CredentialCountKinds {
    CountKind gained, left, other;
  };

  [[nodiscard]] const std::array<std::uint64_t, kProcessFoundReasons>& found() const { return found_; }
  [[nodiscard]] const std::array<std::uint64_t, kProcessDropReasons>& dropped() const { return dropped_; }

 private:
  void On(const ForkBody& body, std::uint64_t when_ns);
  void On(const ExecBody& body, std::uint64_t when_ns);
  void On(const ExitBody& body, std::uint64_t when_ns);
  void On(const UidBody& body, std::uint64_t when_ns);
  void On(const GidBody& body, std::uint64_t when_ns);
  void On(const PtraceBody& body, std::uint64_t when_ns);
  void On(const CommBody& body, std::uint64_t when_ns);
  void On(const CoredumpBody& body, std::uint64_t when_ns);
  template <typename Other>
  void On(const Other& /*body*/, std::uint64_t /*when_ns*/) {}

  void StartProcess(const ForkBody& body, std::uint64_t when_ns);
  void StartThread(const Task& child, std::uint64_t when_ns);
  void EndThread(RowId id, const ExitBody& body, std::uint64_t when_ns);
  void EndProcess(RowId id, std::uint64_t when_ns);

  void BookCredential(const Task& task, std::uint32_t effective, const CredentialCountKinds& effects,
                      std::uint32_t ProcessRow::*known, std::uint64_t when_ns);

  [[nodiscard]] RowId Known(std::int32_t tgid);
  [[nodiscard]] RowId KnownOrFound(std::int32_t tgid);
  RowId BeginUnknown(std::int32_t tgid, ProcessFoundReason how);
  void NoteChange(RowId id, std::uint64_t when_ns);
  void NoteThreads(RowId id, std::uint64_t when_ns);
  void Replace(RowId old, std::uint64_t forked_ns);
  void MakeRoom(std::size_t rows);

  ProcessRows& table_;
  NameResolver& names_;
  std::array<std::uint64_t, kProcessFoundReasons> found_{};
  std::array<std::uint64_t, kProcessDropReasons> dropped_{};
};

}  // namespace procevent
