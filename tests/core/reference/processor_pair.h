// Feeds the processor and its reference with the same inputs, and compares them. It also plays the reader between them
// and SimulatedHost: it drains batches, reads /proc for names, and runs passes over /proc.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/reader/input_processor.h"
#include "tests/core/reference/pair_capture.h"
#include "tests/core/reference/reference_processor.h"
#include "tests/core/reference/simulated_host.h"

namespace procevent {

// Builds with sanitizers apply fewer events, divided by this.
inline constexpr std::uint64_t kSlowdown = PROCEVENT_SLOWDOWN;

// A processor and its reference.
class ProcessorPair {
 public:
  ProcessorPair(SimulatedHost& host, unsigned cpus, const CountingOptions& options, std::uint64_t seed);

  // Begins the capture and writes all inputs to it. To be called before the first input; the pair uses it to the last.
  void RecordTo(PairCapture& capture);

  // Each of these calls the processor and the reference.
  void ApplyEvent(const Event& event, std::uint64_t now_ns);
  void Advance(std::uint64_t now_ns);
  void Invalidate();
  void ConfirmUpTo(std::uint64_t applied_until_ns);
  [[nodiscard]] std::optional<ProcReconciler::ProcRequest> NextRequest();
  void ApplySnapshot(const ProcSnapshot& snapshot, bool full);
  void ApplyGone(std::int32_t tgid, std::uint64_t taken_ns);
  void ApplyHidden(std::int32_t tgid);
  void AddFoundProcess(const ProcSnapshot& snapshot, procevent::ProcessFoundReason reason);

  // The reader's work.
  // Adds all processes that /proc lists, before the first event is received.
  void Bootstrap();
  // Applies all events that were delivered.
  void Drain();
  // Reads /proc for at most `max_names` names, while the host goes on. To be called after Drain.
  void ReadNames(std::size_t max_names);
  // Adds the processes that the tables lack, and reads /proc for all stale rows, while the host goes on.
  void RunPass();
  // Does the same on an idle host, until no row should be stale.
  void Reconcile();

  [[nodiscard]] ::testing::AssertionResult Agree(bool with_peaks);
  [[nodiscard]] ::testing::AssertionResult HoldInvariants();
  // Whether the table holds exactly the live processes of the host.
  [[nodiscard]] ::testing::AssertionResult MatchHost() const;

  [[nodiscard]] const Numbers& snapshot() const { return snapshot_; }
  [[nodiscard]] const InputProcessor& processor() const { return processor_; }
  // Whether every failed or killed process found room in the table of exit reasons.
  [[nodiscard]] bool exit_reasons_complete() const { return reference_.statistics.exit_reasons_complete; }
  std::vector<reference::RecordedExec>& recorded_execs() { return reference_.tracker.resolver.recorded_execs; }
  [[nodiscard]] std::uint64_t applied() const { return applied_; }

 private:
  void AnswerRequest(std::int32_t tgid, bool full);
  void Apply(const Input& input);
  void Apply(ProcRead::Kind kind, const ProcSnapshot& snapshot);
  void FindMissing();
  std::vector<std::int32_t> ListStale();
  bool Chance(double probability) { return std::bernoulli_distribution(probability)(random_); }

  SimulatedHost& host_;
  CountingOptions options_;
  std::mt19937_64 random_;
  InputProcessor processor_;
  reference::InputProcessor reference_;
  Numbers snapshot_;
  std::array<std::uint64_t, 4> totals_{};  // at the last check; they never decrease
  std::uint64_t applied_ = 0;
  PairCapture* capture_ = nullptr;  // may be null
  bool requested_ = false;          // a request was taken, and its answer follows
  Event previous_event_;            // applied last
  double step_probability_ = 0;     // that the host goes on after each read of a pass
};

}  // namespace procevent
