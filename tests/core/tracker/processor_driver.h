// Feeds a processor with the events and /proc snapshots of a fictional host, one event per millisecond.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/system.h"
#include "core/reader/input_processor.h"

namespace procevent {

// A processor, the clock and the sequence numbers of its host.
class ProcessorDriver {
 public:
  static constexpr std::uint64_t kStep = kNanosPerMilli;
  static constexpr std::int32_t kShell = 100;

  // Starts with one process: a shell with the confirmed name "sh".
  explicit ProcessorDriver(const CountingOptions& options = {}, EventCoverage coverage = EventCoverage::kAll)
      : processor_(1, coverage, options) {
    processor_.reconciler().AddFoundProcess(SnapshotOf(kShell, "sh"), ProcessFoundReason::kBootstrap);
    PassTime(20);
    processor_.reconciler().ApplySnapshot(SnapshotOf(kShell, "sh"), true);
    ConfirmAfter(20);
  }

  void PassTime(std::uint64_t millis) { now_ += millis * kStep; }
  void Emit(const Event::Body& body) {
    PassTime(1);
    const Event event{
        .sequence = sequence_++, .acknowledged = 0, .what = 0, .cpu = 0, .timestamp_ns = now_, .body = body};
    processor_.ApplyMessage({.outcome = DecodeOutcome::kEvent, .kernel_errno = 0, .event = event}, now_);
  }
  void LoseEvents(std::uint32_t events) { sequence_ += events; }

  static Task Leader(std::int32_t tgid) { return {tgid, tgid}; }
  void Fork(std::int32_t child, std::int32_t parent = kShell) { Emit(ForkBody{Leader(parent), Leader(child)}); }
  // The kernel names the parent of the process, not the thread that started this one.
  void StartThread(std::int32_t pid, std::int32_t tgid) { Emit(ForkBody{Leader(kShell), {pid, tgid}}); }
  void Exec(std::int32_t tgid) { Emit(ExecBody{Leader(tgid)}); }
  void Exit(std::int32_t tgid, std::uint32_t wait_status = 0) { ExitThread(tgid, tgid, wait_status); }
  void ExitThread(std::int32_t pid, std::int32_t tgid, std::uint32_t wait_status = 0) {
    Emit(ExitBody{.task = {pid, tgid}, .wait_status = wait_status, .parent_signal = 17, .parent = {}});
  }
  void Rename(std::int32_t tgid, std::string_view name) { RenameThread(tgid, tgid, name); }
  void RenameThread(std::int32_t pid, std::int32_t tgid, std::string_view name) {
    std::array<char, kCommSize> comm{};
    std::ranges::copy(name, comm.begin());
    Emit(CommBody{{pid, tgid}, comm});
  }

  // Answers all requests of the processor with snapshots that show this name.
  void ReadNames(std::string_view name) {
    while (const auto request = processor_.reconciler().NextRequest()) {
      processor_.reconciler().ApplySnapshot(SnapshotOf(request->tgid, name), request->full);
    }
  }
  void ConfirmAll() { processor_.reconciler().ConfirmUpTo(now_); }
  void ConfirmAfter(std::uint64_t millis) {
    PassTime(millis);
    ConfirmAll();
  }
  // Executes a program whose name is read from /proc and confirmed.
  void ExecNamed(std::int32_t tgid, std::string_view name) {
    Exec(tgid);
    ReadNames(name);
    ConfirmAfter(20);
  }

  [[nodiscard]] ProcSnapshot SnapshotOf(std::int32_t tgid, std::string_view name, std::uint32_t threads = 1) const {
    ProcSnapshot snapshot;
    snapshot.tgid = tgid;
    snapshot.taken_ns = now_;
    snapshot.name = CommName(name);
    snapshot.threads = threads;
    snapshot.euid = 0;
    snapshot.egid = 0;
    return snapshot;
  }

  [[nodiscard]] Numbers snapshot() const {
    Numbers snapshot(1);
    processor_.CopyTo(snapshot);
    return snapshot;
  }
  [[nodiscard]] std::uint64_t CountOf(std::string_view comm, CountKind kind) const {
    for (const GroupRow& row : snapshot().groups.rows) {
      if (row.in_use() && row.labels[0].view() == comm) {
        return row.counts[kind];
      }
    }
    return 0;
  }
  // Of all commands.
  [[nodiscard]] std::uint64_t ExitsBy(ExitReason reason) const {
    std::uint64_t exits = 0;
    const Numbers now = snapshot();
    for (const ExitReasonCount& pair : now.exit_reasons.pairs()) {
      exits += pair.reason == reason ? pair.count : 0;
    }
    return exits;
  }
  [[nodiscard]] std::uint64_t Pending(CountKind kind) const { return snapshot().pending[kind]; }
  [[nodiscard]] InputProcessor& processor() { return processor_; }

 private:
  InputProcessor processor_;
  std::uint64_t now_ = kNanosPerSecond;
  std::uint32_t sequence_ = 0;
};

inline constexpr std::string_view kUntrackedLabel = kReservedGroupNames[0];
inline constexpr std::string_view kUnattributedLabel = kReservedGroupNames[1];

}  // namespace procevent
