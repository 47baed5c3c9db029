// The ledger and its reference, fed alike, and the reader's part between them and the host: batches, looks at /proc,
// surveys. For ledger_reference_test.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/ledger/ledger.h"
#include "tests/core/ledger/reference_ledger.h"
#include "tests/core/ledger/simulated_host.h"

namespace procevent {

// The sanitizers' builds see fewer events.
inline constexpr std::uint64_t kSlowdown = PROCEVENT_SLOWDOWN;

class LedgerPair {
 public:
  LedgerPair(SimulatedHost& host, unsigned cpus, const LedgerOptions& options, std::uint64_t seed);

  // The calls that both understand.
  void ApplyEvent(const Event& event, std::uint64_t now_ns);
  void Advance(std::uint64_t now_ns);
  void Invalidate();
  void ConfirmUpTo(std::uint64_t applied_until_ns);
  [[nodiscard]] std::optional<ProcReconciler::ProcRequest> NextRequest();
  void ApplySnapshot(const ProcSnapshot& snapshot, bool full);
  void ApplyGone(std::int32_t tgid, std::uint64_t taken_ns);
  void ApplyHidden(std::int32_t tgid);
  void AddFoundProcess(const ProcSnapshot& snapshot, procevent::ProcessFoundReason reason);

  // The reader's part.
  // All that /proc shows, before the first event is read.
  void Bootstrap();
  // Books all that was delivered.
  void Drain();
  // After a drain: looks at /proc for names, meanwhile the host goes on.
  void ReadNames(std::size_t max_names);
  // Looks for who is missing, and at all who are in doubt.
  void RunPass();
  // After silence: the same, until no doubt should be left.
  void Reconcile();

  [[nodiscard]] ::testing::AssertionResult Agree(bool peaks_too);
  [[nodiscard]] ::testing::AssertionResult HoldInvariants();
  // The table is exactly what lives.
  [[nodiscard]] ::testing::AssertionResult MatchHost() const;

  [[nodiscard]] const LedgerSnapshot& numbers() const { return numbers_; }
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  std::vector<reference::RecordedExec>& recorded_execs() { return reference_.resolver.recorded_execs; }
  [[nodiscard]] std::uint64_t applied() const { return applied_; }

 private:
  void AnswerRequest(std::int32_t tgid, bool full);
  void FindMissing();
  std::vector<std::int32_t> ListStale();
  bool Chance(double probability) { return std::bernoulli_distribution(probability)(random_); }

  SimulatedHost& host_;
  LedgerOptions options_;
  std::mt19937_64 random_;
  Ledger ledger_;
  reference::Ledger reference_;
  LedgerSnapshot numbers_;
  std::array<std::uint64_t, 4> totals_{};  // that never fall
  std::uint64_t applied_ = 0;
  Event previous_event_;         // the one booked last
  double step_probability_ = 0;  // reason often the host goes on while a survey looks
};

}  // namespace procevent
