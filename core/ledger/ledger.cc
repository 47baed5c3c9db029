#include "core/ledger/ledger.h"

#include <algorithm>

namespace procevent {

Ledger::Ledger(unsigned cpus, EventCoverage hearing, const LedgerOptions& options)
    : hearing_(hearing),
      sequence_(cpus),
      stream_(cpus),
      accounts_(options),
      table_(hearing == EventCoverage::kPartial ? 0 : options.process_limit),
      names_(table_, accounts_),
      census_(table_, names_),
      sightings_(table_, names_, census_) {}

void Ledger::ApplyMessage(const Message& message, std::uint64_t now_ns) {
  if (message.outcome == DecodeOutcome::kEvent) {
    ApplyEvent(message.event, now_ns);
  } else if (const auto reason = RejectionOf(message.outcome)) {
    CountRejection(*reason);
  }
}

void Ledger::CountRejection(Rejection reason, std::uint64_t times) {
  stream_.rejected[static_cast<std::size_t>(reason)] += times;
}

void Ledger::ApplyEvent(const Event& event, std::uint64_t now_ns) {
  const SequenceTracker::Arrival arrival = sequence_.Observe(event.cpu, event.sequence);
  if (arrival.duplicate) {
    CountRejection(Rejection::kRepeated);
    return;
  }
  if (arrival.lost != 0 && hearing_ == EventCoverage::kAll) {
    stream_.lost[event.cpu] += arrival.lost;
    lost_ += arrival.lost;
    Invalidate();
  }
  ++stream_.events[static_cast<std::size_t>(event.kind())];
  if (event.kind() == EventKind::kAck) {
    return;
  }
  stream_.delay.Add(now_ns > event.timestamp_ns ? now_ns - event.timestamp_ns : 0);
  peaks_.AddEvent(event.kind(), event.timestamp_ns);
  census_.ApplyEvent(event);
}

void Ledger::Advance(std::uint64_t now_ns) {
  peaks_.Advance(now_ns);
  accounts_.Advance(now_ns);
}

void Ledger::CopyTo(LedgerSnapshot& numbers) const {
  static_cast<StreamStatistics&>(numbers) = stream_;
  numbers.processes_tracked = tracks_processes();
  numbers.comms = accounts_.comms();
  numbers.exits = accounts_.exits();
  numbers.pending = names_.pending();
  numbers.attributions = names_.attributions();
  numbers.peaks = peaks_.Rates();
  numbers.processes = table_.size();
  numbers.threads = table_.threads();
  numbers.found = census_.found();
  numbers.dropped = census_.dropped();
}

}  // namespace procevent
