// Attributes events to names for the reference tracker: one map of processes, and shared pending counts in plain
// lists. The rules are those of core/tracker/name_resolver.h.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/protocol/event.h"
#include "core/protocol/proc_snapshot.h"
#include "tests/core/reference/reference_activity.h"

namespace procevent::reference {

// The kernel changes a process up to this long before or after the time of the event.
inline constexpr std::uint64_t kMargin = 10'000'000;

// Identifies one EXEC event.
struct ExecKey {
  std::uint32_t cpu = 0;
  std::uint32_t sequence = 0;
  auto operator<=>(const ExecKey&) const = default;
};
// The name that an EXEC was recorded under, and the source of it. No name: unattributed, or untracked.
struct RecordedExec {
  ExecKey exec;
  std::optional<std::string> name;
  std::string_view source;
};

// A name that /proc showed and that is not confirmed yet.
struct NameCandidate {
  std::string name;
  std::uint64_t taken_ns = 0;
};

// Equal events that wait for a name.
struct WaitingEvents {
  std::uint64_t times = 0;
  std::uint64_t latest_ns = 0;
};

// Activities that wait for the name of `owner`.
struct UnnamedCounts {
  std::int32_t owner = 0;
  std::set<std::int32_t> members;
  std::map<CountKind, WaitingEvents> events;
  std::vector<ExitRecord> exits;
  std::vector<ExecKey> execs;
  std::optional<NameCandidate> candidate;
  std::uint64_t retry_read_ns = 0;  // when /proc last showed the owner in the middle of an exec
  unsigned retries = 0;
};
using UnnamedCountsPtr = std::shared_ptr<UnnamedCounts>;

// The EXIT of one thread.
struct ThreadExit {
  std::uint64_t when_ns = 0;
  bool leader = false;
  std::uint32_t wait_status = 0;
};

// A process and its state in the reference processor.
struct Process {
  std::uint64_t order = 0;  // position among all rows ever added
  std::uint32_t threads = 1;
  bool leader_gone = false;
  std::vector<ThreadExit> exits;  // since the last exec, in the order of receipt
  bool has_executed = false;
  std::optional<std::uint64_t> forked_ns;
  std::uint64_t changed_ns = 0;
  std::uint64_t snapshot_ns = 0;  // time of the snapshot that `threads` is based on; 0: none
  std::optional<std::uint32_t> euid;
  std::optional<std::uint32_t> egid;
  std::int32_t tracer = 0;

  std::uint64_t losses = 0;     // number of losses when the row was last current
  bool uncertain = false;       // an event that changed anything but the name may have been missed
  bool needs_snapshot = false;  // the next pass over the rows reads /proc for it

  std::optional<std::string> name;                // confirmed; no counts are pending
  std::optional<NameCandidate> unconfirmed_name;  // no counts are pending yet
  UnnamedCountsPtr pending;                       // where its events are counted until the name is known
};

inline std::string NameOf(const CommName& name) { return std::string(name.view()); }
inline std::optional<std::uint32_t> IdOf(std::uint32_t id) {
  return id == kUnknownId ? std::nullopt : std::optional<std::uint32_t>(id);
}

// The slow and obvious counterpart of NameResolver.
class ReferenceResolver {
 public:
  explicit ReferenceResolver(Emit emit) : emit_(std::move(emit)) {}

  void Invalidate() { ++losses; }
  void ForgetIfStale(std::int32_t tgid);

  void Record(std::int32_t tgid, CountKind kind, std::uint64_t when_ns, std::optional<ExecKey> exec = std::nullopt);
  void Record(std::int32_t tgid, const ExitRecord& exit);
  void RecordUntracked(CountKind kind, std::uint64_t when_ns, std::optional<ExecKey> exec = std::nullopt);
  void RecordUntracked(const ExitRecord& exit);

  void InheritName(std::int32_t child, std::int32_t parent);
  void ClearName(std::int32_t child);
  // Returns false if the maximum number of pending counts is open.
  bool OpenPending(std::int32_t tgid);
  void OnExec(std::int32_t tgid, std::uint64_t when_ns);
  void OnRename(std::int32_t tgid, const std::string& name, std::uint64_t when_ns);
  void OnExit(std::int32_t tgid, std::uint64_t when_ns);
  void LeavePending(std::int32_t tgid);

  [[nodiscard]] std::optional<std::int32_t> NextNameRequest();
  void SetCandidate(std::int32_t tgid, const std::string& name, std::uint64_t taken_ns);
  // Returns whether /proc will be read again for the name.
  bool ScheduleRetry(std::int32_t tgid, std::uint64_t taken_ns);
  void ConfirmName(std::int32_t tgid, const std::string& name);
  void ConfirmNamesUpTo(std::uint64_t applied_until_ns);

  [[nodiscard]] CountMap Pending() const;

  std::map<std::int32_t, Process> rows;
  std::uint64_t losses = 1;
  std::map<std::string_view, std::uint64_t> attributions;
  std::vector<RecordedExec> recorded_execs;  // for the test to read and clear

 private:
  void ClosePending(const UnnamedCountsPtr& pending, std::string_view source, const std::optional<std::string>& name);
  void CloseIfConfirmed(std::int32_t tgid, std::uint64_t when_ns, std::uint64_t margin_ns);
  [[nodiscard]] bool OwnsPending(std::int32_t tgid) const;

  Emit emit_;
  std::set<UnnamedCountsPtr> all_pending_;
  std::list<UnnamedCountsPtr> unread_;
  std::list<UnnamedCountsPtr> retry_;
  std::list<UnnamedCountsPtr> candidates_;
  std::size_t pending_exits_ = 0;
  std::uint64_t applied_until_ns_ = 0;
};

}  // namespace procevent::reference
