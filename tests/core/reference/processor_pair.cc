#include "tests/core/reference/processor_pair.h"

#include <algorithm>
#include <utility>

namespace procevent {

ProcessorPair::ProcessorPair(SimulatedHost& host, unsigned cpus, const CountingOptions& options, std::uint64_t seed)
    : host_(host),
      options_(options),
      random_(seed),
      processor_(cpus, EventCoverage::kAll, options),
      reference_(cpus, options),
      snapshot_(cpus, options) {}

void ProcessorPair::RecordTo(PairCapture& capture) {
  capture_ = &capture;
  capture.Begin(static_cast<unsigned>(processor_.stream().lost.size()), host_.now_ns());
}

void ProcessorPair::Bootstrap() {
  for (const std::int32_t tgid : host_.ListProcesses()) {
    if (const auto snapshot = host_.ReadProc(tgid)) {
      AddFoundProcess(*snapshot, procevent::ProcessFoundReason::kBootstrap);
    }
    host_.Step();
  }
}

// In the order of the reader: the time, the events, and then the snapshots that these confirm.
void ProcessorPair::Drain() {
  const std::uint64_t now = host_.now_ns();
  Advance(now);
  for (const Event& event : host_.TakeDelivered()) {
    ApplyEvent(event, now);
  }
  if (!host_.HasHiddenLosses()) {
    ConfirmUpTo(now);
  }
}

// Sometimes repeats the event and the previous one, as both sockets do while a subscription is replaced.
void ProcessorPair::ApplyEvent(const Event& event, std::uint64_t now_ns) {
  std::vector<Event> events{event};
  if (applied_ > 0 && Chance(0.001)) {
    events.insert(events.end(), {previous_event_, event});
  }
  for (const Event& each : events) {
    if (capture_ != nullptr) {
      capture_->Write(each, now_ns);
    }
    processor_.ApplyMessage({.outcome = DecodeOutcome::kEvent, .event = each}, now_ns);
    reference_.ApplyEvent(each, now_ns);
  }
  previous_event_ = event;
  ++applied_;
}

void ProcessorPair::ReadNames(std::size_t max_names) {
  for (std::size_t i = 0; i < max_names; ++i) {
    const auto request = NextRequest();
    if (!request) {
      return;
    }
    AnswerRequest(request->tgid, request->full);
    if (Chance(0.2)) {
      host_.Step();
    }
  }
}

std::optional<ProcReconciler::ProcRequest> ProcessorPair::NextRequest() {
  const auto request = processor_.reconciler().NextRequest();
  const auto expected = reference_.tracker.NextRequest();
  EXPECT_EQ(request.has_value(), expected.has_value());
  if (request && expected) {
    EXPECT_EQ(request->tgid, expected->tgid);
    EXPECT_EQ(request->full, expected->full);
  }
  requested_ = request.has_value();
  if (!request) {
    Apply(NoProcRequest{});
  }
  return request;
}

void ProcessorPair::AnswerRequest(std::int32_t tgid, bool full) {
  if (Chance(0.01)) {
    ApplyHidden(tgid);
    return;
  }
  auto snapshot = host_.ReadProc(tgid);
  if (!snapshot) {
    ApplyGone(tgid, host_.now_ns());
    return;
  }
  snapshot->dead = snapshot->dead && full;  // a read of the name alone does not detect a zombie
  ApplySnapshot(*snapshot, full);
}

std::vector<std::int32_t> ProcessorPair::ListStale() {
  std::vector<std::int32_t> tgids;
  RowId cursor = 0;
  const RowId end = processor_.reconciler().end_of_rows();
  while (const auto tgid = processor_.reconciler().NextStale(cursor, end)) {
    tgids.push_back(*tgid);
  }
  return tgids;
}

void ProcessorPair::FindMissing() {
  for (const std::int32_t tgid : host_.ListProcesses()) {
    ASSERT_EQ(processor_.reconciler().CanTrack(tgid), reference_.tracker.CanTrack(tgid)) << tgid;
    const auto snapshot = host_.ReadProc(tgid);
    if (snapshot && reference_.tracker.CanTrack(tgid)) {
      AddFoundProcess(*snapshot, procevent::ProcessFoundReason::kReconciliation);
    }
    if (Chance(step_probability_)) {
      host_.Step();
    }
  }
}

void ProcessorPair::RunPass() {
  step_probability_ = 0.05;
  FindMissing();
  const std::vector<std::int32_t> stale = ListStale();
  std::vector<std::int32_t> sorted = stale;
  std::ranges::sort(sorted);
  ASSERT_EQ(sorted, reference_.tracker.ListStale());
  for (const std::int32_t tgid : stale) {
    AnswerRequest(tgid, true);
    if (Chance(step_probability_)) {
      host_.Step();
    }
  }
  step_probability_ = 0;
}

void ProcessorPair::Apply(const Input& input) {
  if (capture_ != nullptr) {
    capture_->Write(input, host_.now_ns());
  }
  processor_.Apply(input, host_.now_ns());
}

void ProcessorPair::Apply(ProcRead::Kind kind, const ProcSnapshot& snapshot) {
  ProcRead read{.kind = kind, .requested = std::exchange(requested_, false), .snapshot = snapshot};
  if (kind == ProcRead::Kind::kNameOnly) {
    read.snapshot.threads = 1;  // a read of the name alone does not detect a zombie
  }
  Apply(read);
}

void ProcessorPair::AddFoundProcess(const ProcSnapshot& snapshot, procevent::ProcessFoundReason reason) {
  Apply(reason == procevent::ProcessFoundReason::kBootstrap ? ProcRead::Kind::kBootstrap
                                                            : ProcRead::Kind::kReconciliation,
        snapshot);
  reference_.tracker.AddFoundProcess(snapshot, kProcessFoundReasonNames.at(static_cast<std::size_t>(reason)));
}

void ProcessorPair::ConfirmUpTo(std::uint64_t applied_until_ns) {
  Apply(Watermark{applied_until_ns});
  reference_.tracker.ConfirmUpTo(applied_until_ns);
}

void ProcessorPair::Advance(std::uint64_t now_ns) {
  processor_.Advance(now_ns);
  reference_.Advance(now_ns);
}

void ProcessorPair::Invalidate() {
  Apply(Invalidation{});
  reference_.tracker.Invalidate();
}

void ProcessorPair::ApplySnapshot(const ProcSnapshot& snapshot, bool full) {
  Apply(full ? ProcRead::Kind::kFull : ProcRead::Kind::kNameOnly, snapshot);
  reference_.tracker.ApplySnapshot(snapshot, full);
}

void ProcessorPair::ApplyGone(std::int32_t tgid, std::uint64_t taken_ns) {
  ProcSnapshot snapshot;
  snapshot.tgid = tgid;
  snapshot.taken_ns = taken_ns;
  Apply(ProcRead::Kind::kGone, snapshot);
  reference_.tracker.ApplyGone(tgid, taken_ns);
}

void ProcessorPair::ApplyHidden(std::int32_t tgid) {
  ProcSnapshot snapshot;
  snapshot.tgid = tgid;
  Apply(ProcRead::Kind::kHidden, snapshot);
  reference_.tracker.ApplyHidden(tgid);
}

void ProcessorPair::Reconcile() {
  constexpr int kMaxPasses = 5;
  constexpr std::size_t kProcessesPerStep = 64;
  constexpr std::uint64_t kStep = 10'000'000;
  for (int pass = 0; pass < kMaxPasses; ++pass) {
    host_.AdvanceTime(20 * kStep);
    host_.SendCanaries();
    Drain();
    FindMissing();
    std::size_t in_step = 0;
    for (const std::int32_t tgid : ListStale()) {
      AnswerRequest(tgid, true);
      if (++in_step % kProcessesPerStep == 0) {
        host_.AdvanceTime(kStep);
        Drain();
      }
    }
  }
  host_.AdvanceTime(20 * kStep);
  Drain();
}

}  // namespace procevent
