// The ledger and its reference, fed alike, and the reader's part between them and the world: batches, looks at /proc,
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
  LedgerPair(SimulatedHost& world, unsigned cpus, const LedgerOptions& options, std::uint64_t seed);

  // The calls that both understand.
  void Book(const Event& event, std::uint64_t now_ns);
  void Advance(std::uint64_t now_ns);
  void Invalidate();
  void Settle(std::uint64_t heard_ns);
  [[nodiscard]] std::optional<ProcReconciler::ProcRequest> NextQuestion();
  void Saw(const ProcSnapshot& sighting, bool whole);
  void SawGone(std::int32_t tgid, std::uint64_t taken_ns);
  void SawNothing(std::int32_t tgid);
  void Found(const ProcSnapshot& sighting, procevent::ProcessFoundReason how);

  // The reader's part.
  // All that /proc shows, before the first event is read.
  void Bootstrap();
  // Books all that was delivered.
  void Drain();
  // After a drain: looks at /proc for names, meanwhile the world goes on.
  void LookForNames(std::size_t most);
  // Looks for who is missing, and at all who are in doubt.
  void Survey();
  // After silence: the same, until no doubt should be left.
  void Reconcile();

  [[nodiscard]] ::testing::AssertionResult Agree(bool peaks_too);
  [[nodiscard]] ::testing::AssertionResult HoldInvariants();
  // The table is exactly what lives.
  [[nodiscard]] ::testing::AssertionResult KnowTheTruth() const;

  [[nodiscard]] const LedgerSnapshot& numbers() const { return numbers_; }
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  std::vector<reference::RecordedExec>& booked_execs() { return reference_.people.booked_execs; }
  [[nodiscard]] std::uint64_t booked() const { return booked_; }

 private:
  void Answer(std::int32_t tgid, bool whole);
  void FindMissing();
  std::vector<std::int32_t> InDoubt();
  bool Chance(double probability) { return std::bernoulli_distribution(probability)(random_); }

  SimulatedHost& world_;
  LedgerOptions options_;
  std::mt19937_64 random_;
  Ledger ledger_;
  reference::Ledger reference_;
  LedgerSnapshot numbers_;
  std::array<std::uint64_t, 4> totals_{};  // that never fall
  std::uint64_t booked_ = 0;
  Event before_;         // the one booked last
  double stepping_ = 0;  // how often the world goes on while a survey looks
};

}  // namespace procevent
