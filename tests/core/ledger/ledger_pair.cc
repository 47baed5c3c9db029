#include "tests/core/ledger/ledger_pair.h"

#include <algorithm>

namespace procevent {

LedgerPair::LedgerPair(SimulatedHost& world, unsigned cpus, const LedgerOptions& options, std::uint64_t seed)
    : world_(world),
      options_(options),
      random_(seed),
      ledger_(cpus, EventCoverage::kAll, options),
      reference_(cpus, options),
      numbers_(cpus, options) {}

void LedgerPair::Bootstrap() {
  for (const std::int32_t tgid : world_.List()) {
    if (const auto sighting = world_.See(tgid)) {
      Found(*sighting, procevent::ProcessFoundReason::kBootstrap);
    }
    world_.Step();
  }
}

// As the reader does: time first, then what there is, then what /proc said long enough ago.
void LedgerPair::Drain() {
  const std::uint64_t heard = world_.now_ns();
  Advance(heard);
  for (const Event& event : world_.TakeDelivered()) {
    Book(event, heard);
  }
  if (!world_.HidesLosses()) {
    Settle(heard);
  }
}

// Now and then it and the one before it come twice, as both sockets of a changeover deliver them.
void LedgerPair::Book(const Event& event, std::uint64_t now_ns) {
  std::vector<Event> events{event};
  if (booked_ > 0 && Chance(0.001)) {
    events.insert(events.end(), {before_, event});
  }
  for (const Event& each : events) {
    ledger_.ApplyMessage({.outcome = DecodeOutcome::kEvent, .event = each}, now_ns);
    reference_.Book(each, now_ns);
  }
  before_ = event;
  ++booked_;
}

void LedgerPair::LookForNames(std::size_t most) {
  for (std::size_t i = 0; i < most; ++i) {
    const auto question = NextQuestion();
    if (!question) {
      return;
    }
    Answer(question->tgid, question->full);
    if (Chance(0.2)) {
      world_.Step();
    }
  }
}

std::optional<ProcReconciler::ProcRequest> LedgerPair::NextQuestion() {
  const auto question = ledger_.reconciler().NextRequest();
  const auto expected = reference_.NextQuestion();
  EXPECT_EQ(question.has_value(), expected.has_value());
  if (question && expected) {
    EXPECT_EQ(question->tgid, expected->tgid);
    EXPECT_EQ(question->full, expected->whole);
  }
  return question;
}

void LedgerPair::Answer(std::int32_t tgid, bool whole) {
  if (Chance(0.01)) {
    SawNothing(tgid);
    return;
  }
  auto sighting = world_.See(tgid);
  if (!sighting) {
    SawGone(tgid, world_.now_ns());
    return;
  }
  sighting->dead = sighting->dead && whole;  // the name alone does not tell
  Saw(*sighting, whole);
}

std::vector<std::int32_t> LedgerPair::InDoubt() {
  std::vector<std::int32_t> tgids;
  RowId cursor = 0;
  const RowId end = ledger_.reconciler().end_of_rows();
  while (const auto tgid = ledger_.reconciler().NextStale(cursor, end)) {
    tgids.push_back(*tgid);
  }
  return tgids;
}

void LedgerPair::FindMissing() {
  for (const std::int32_t tgid : world_.List()) {
    ASSERT_EQ(ledger_.reconciler().CanTrack(tgid), reference_.Unknown(tgid)) << tgid;
    const auto sighting = world_.See(tgid);
    if (sighting && reference_.Unknown(tgid)) {
      Found(*sighting, procevent::ProcessFoundReason::kReconciliation);
    }
    if (Chance(stepping_)) {
      world_.Step();
    }
  }
}

void LedgerPair::Survey() {
  stepping_ = 0.05;
  FindMissing();
  const std::vector<std::int32_t> doubtful = InDoubt();
  std::vector<std::int32_t> sorted = doubtful;
  std::ranges::sort(sorted);
  ASSERT_EQ(sorted, reference_.InDoubt());
  for (const std::int32_t tgid : doubtful) {
    Answer(tgid, true);
    if (Chance(stepping_)) {
      world_.Step();
    }
  }
  stepping_ = 0;
}

void LedgerPair::Found(const ProcSnapshot& sighting, procevent::ProcessFoundReason how) {
  ledger_.reconciler().AddFoundProcess(sighting, how);
  reference_.Found(sighting, kProcessFoundReasonNames.at(static_cast<std::size_t>(how)));
}

void LedgerPair::Settle(std::uint64_t heard_ns) {
  ledger_.reconciler().ConfirmUpTo(heard_ns);
  reference_.Settle(heard_ns);
}

void LedgerPair::Advance(std::uint64_t now_ns) {
  ledger_.Advance(now_ns);
  reference_.Advance(now_ns);
}

void LedgerPair::Invalidate() {
  ledger_.Invalidate();
  reference_.Invalidate();
}

void LedgerPair::Saw(const ProcSnapshot& sighting, bool whole) {
  ledger_.reconciler().ApplySnapshot(sighting, whole);
  reference_.Saw(sighting, whole);
}

void LedgerPair::SawGone(std::int32_t tgid, std::uint64_t taken_ns) {
  ledger_.reconciler().ApplyGone(tgid, taken_ns);
  reference_.SawGone(tgid, taken_ns);
}

void LedgerPair::SawNothing(std::int32_t tgid) {
  ledger_.reconciler().ApplyHidden(tgid);
  reference_.SawNothing(tgid);
}

void LedgerPair::Reconcile() {
  constexpr int kMostPasses = 5;
  constexpr std::size_t kInStep = 64;
  constexpr std::uint64_t kStep = 10'000'000;
  for (int pass = 0; pass < kMostPasses; ++pass) {
    world_.Rest(20 * kStep);
    world_.SoundCanaries();
    Drain();
    FindMissing();
    std::size_t in_step = 0;
    for (const std::int32_t tgid : InDoubt()) {
      Answer(tgid, true);
      if (++in_step % kInStep == 0) {
        world_.Rest(kStep);
        Drain();
      }
    }
  }
  world_.Rest(20 * kStep);
  Drain();
}

}  // namespace procevent
