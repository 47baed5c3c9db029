// Tells a ledger what happened on a made-up machine, an event a millisecond, for tests that read like a story.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/system.h"
#include "core/ledger/ledger.h"

namespace procevent {

class LedgerDriver {
 public:
  static constexpr std::uint64_t kStep = kNanosPerMilli;
  static constexpr std::int32_t kShell = 100;

  // A shell called "sh" lives, and is known by name.
  explicit LedgerDriver(const LedgerOptions& options = {}, EventCoverage hearing = EventCoverage::kAll)
      : ledger_(1, hearing, options) {
    ledger_.reconciler().AddFoundProcess(Seen(kShell, "sh"), ProcessFoundReason::kBootstrap);
    Pass(20);
    ledger_.reconciler().ApplySnapshot(Seen(kShell, "sh"), true);
    SettleAfter(20);
  }

  void Pass(std::uint64_t millis) { now_ += millis * kStep; }
  void Tell(const Event::Body& body) {
    Pass(1);
    const Event event{
        .sequence = sequence_++, .acknowledged = 0, .what = 0, .cpu = 0, .timestamp_ns = now_, .body = body};
    ledger_.ApplyMessage({.outcome = DecodeOutcome::kEvent, .kernel_errno = 0, .event = event}, now_);
  }
  void Lose(std::uint32_t events) { sequence_ += events; }

  static Task Leader(std::int32_t tgid) { return {tgid, tgid}; }
  void Fork(std::int32_t child, std::int32_t parent = kShell) { Tell(ForkBody{Leader(parent), Leader(child)}); }
  // The kernel names the parent of the process, not the thread that started this one.
  void StartThread(std::int32_t pid, std::int32_t tgid) { Tell(ForkBody{Leader(kShell), {pid, tgid}}); }
  void Exec(std::int32_t tgid) { Tell(ExecBody{Leader(tgid)}); }
  void Exit(std::int32_t tgid, std::uint32_t wait_status = 0) { ExitThread(tgid, tgid, wait_status); }
  void ExitThread(std::int32_t pid, std::int32_t tgid, std::uint32_t wait_status = 0) {
    Tell(ExitBody{.task = {pid, tgid}, .wait_status = wait_status, .parent_signal = 17, .parent = {}});
  }
  void Rename(std::int32_t tgid, std::string_view name) { RenameThread(tgid, tgid, name); }
  void RenameThread(std::int32_t pid, std::int32_t tgid, std::string_view name) {
    std::array<char, kCommSize> comm{};
    std::ranges::copy(name, comm.begin());
    Tell(CommBody{{pid, tgid}, comm});
  }

  // The queue was empty just now; whoever is asked for is called so.
  void Look(std::string_view name) {
    while (const auto question = ledger_.reconciler().NextRequest()) {
      ledger_.reconciler().ApplySnapshot(Seen(question->tgid, name), question->full);
    }
  }
  void Settle() { ledger_.reconciler().ConfirmUpTo(now_); }
  void SettleAfter(std::uint64_t millis) {
    Pass(millis);
    Settle();
  }
  // Executes something, which is looked at, and believed.
  void ExecNamed(std::int32_t tgid, std::string_view name) {
    Exec(tgid);
    Look(name);
    SettleAfter(20);
  }

  [[nodiscard]] ProcSnapshot Seen(std::int32_t tgid, std::string_view name, std::uint32_t threads = 1) const {
    ProcSnapshot sighting;
    sighting.tgid = tgid;
    sighting.taken_ns = now_;
    sighting.name = CommName(name);
    sighting.threads = threads;
    sighting.euid = 0;
    sighting.egid = 0;
    return sighting;
  }

  [[nodiscard]] LedgerSnapshot numbers() const {
    LedgerSnapshot numbers(1);
    ledger_.CopyTo(numbers);
    return numbers;
  }
  [[nodiscard]] std::uint64_t Of(std::string_view comm, CountKind count) const {
    for (const CommRow& row : numbers().comms.rows) {
      if (row.in_use && row.label.view() == comm) {
        return row.counts[count];
      }
    }
    return 0;
  }
  [[nodiscard]] std::uint64_t Pending(CountKind count) const { return numbers().pending[count]; }
  [[nodiscard]] Ledger& ledger() { return ledger_; }

 private:
  Ledger ledger_;
  std::uint64_t now_ = kNanosPerSecond;
  std::uint32_t sequence_ = 0;
};

inline constexpr std::string_view kUntrackedComm = kReservedCommNames[0];
inline constexpr std::string_view kUnattributedComm = kReservedCommNames[1];

}  // namespace procevent
