// Follows processes for the reference processor, and emits their activities. The rules are those of
// core/tracker/event_applier.h and core/tracker/proc_reconciler.h.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/protocol/event.h"
#include "core/protocol/proc_snapshot.h"
#include "tests/core/reference/reference_activity.h"
#include "tests/core/reference/reference_resolver.h"

namespace procevent::reference {

// The slow and obvious counterpart of ProcessTracker.
class ReferenceTracker {
 public:
  ReferenceTracker(std::size_t process_limit, Emit emit) : resolver(std::move(emit)), limit_(process_limit) {}

  void ApplyEvent(const Event& event);
  void Invalidate() { resolver.Invalidate(); }

  struct ProcRequest {
    std::int32_t tgid = 0;
    bool full = false;
    bool operator==(const ProcRequest&) const = default;
  };
  std::optional<ProcRequest> NextRequest();
  void ApplySnapshot(const ProcSnapshot& snapshot, bool full);
  void ApplyGone(std::int32_t tgid, std::uint64_t taken_ns);
  void ApplyHidden(std::int32_t tgid);
  [[nodiscard]] bool CanTrack(std::int32_t tgid) const;
  void AddFoundProcess(const ProcSnapshot& snapshot, std::string_view reason);
  void ConfirmUpTo(std::uint64_t applied_until_ns);
  [[nodiscard]] std::vector<std::int32_t> ListStale() const;

  [[nodiscard]] std::uint64_t Threads() const;

  ReferenceResolver resolver;
  std::map<std::string_view, std::uint64_t> found;
  std::map<std::string_view, std::uint64_t> dropped;

 private:
  struct UnconfirmedSnapshot {
    std::uint64_t order = 0;  // of the row
    std::uint64_t losses = 0;
    bool gone = false;
    ProcSnapshot snapshot;
  };
  void Apply(const Event& event, const ForkBody& body);
  void Apply(const Event& event, const ExecBody& body);
  void Apply(const Event& event, const ExitBody& body);
  void Apply(const Event& event, const UidBody& body);
  void Apply(const Event& event, const GidBody& body);
  void Apply(const Event& event, const PtraceBody& body);
  void Apply(const Event& event, const CommBody& body);
  void Apply(const Event& event, const CoredumpBody& body);
  template <typename Other>
  void Apply(const Event& /*event*/, const Other& /*body*/) {}

  struct Credential {
    std::optional<std::uint32_t> Process::*known;
    CountKind gained, left, other;
  };
  void RecordCredential(const Event& event, const Task& task, std::uint32_t effective, const Credential& credential);

  void ForkProcess(const Event& event, const ForkBody& body);
  void MarkThreadsChanged(Process& row, std::uint64_t when_ns);
  void EvictUntilFree(std::size_t rows);
  bool FindRow(std::int32_t tgid);
  bool FindOrAddRow(std::int32_t tgid);
  Process& AddRow(std::int32_t tgid);
  void DropProcess(std::int32_t tgid, std::string_view reason);
  void ApplyIfConfirmed(const UnconfirmedSnapshot& unconfirmed);

  std::size_t limit_;
  std::uint64_t rows_added_ = 0;
  std::list<UnconfirmedSnapshot> unconfirmed_;
};

}  // namespace procevent::reference
