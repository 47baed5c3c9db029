#include "core/ledger/ledger.h"

#include <algorithm>

namespace procevent {

Ledger::Ledger(unsigned cpus, Hearing hearing, const LedgerOptions& options)
    : hearing_(hearing),
      sequence_(cpus),
      stream_(cpus),
      accounts_(options),
      table_(hearing == Hearing::kParts ? 0 : options.process_limit),
      names_(table_, accounts_),
      census_(table_, names_),
      sightings_(table_, names_, census_) {}

void Ledger::Book(const Message& message, std::uint64_t now_ns) {
  if (message.outcome == Outcome::kEvent) {
    BookEvent(message.event, now_ns);
  } else if (const auto reason = RejectionOf(message.outcome)) {
    Reject(*reason);
  }
}

void Ledger::Reject(Rejection reason, std::uint64_t times) {
  stream_.rejected[static_cast<std::size_t>(reason)] += times;
}

void Ledger::BookEvent(const Event& event, std::uint64_t now_ns) {
  const Sequence::Arrival arrival = sequence_.Note(event.cpu, event.sequence);
  if (arrival.repeated) {
    Reject(Rejection::kRepeated);
    return;
  }
  if (arrival.lost != 0 && hearing_ == Hearing::kAll) {
    stream_.lost[event.cpu] += arrival.lost;
    lost_ += arrival.lost;
    Doubt();
  }
  ++stream_.events[static_cast<std::size_t>(event.kind())];
  if (event.kind() == EventKind::kAck) {
    return;
  }
  stream_.delay.Add(now_ns > event.timestamp_ns ? now_ns - event.timestamp_ns : 0);
  peaks_.Note(event.kind(), event.timestamp_ns);
  census_.Book(event);
}

void Ledger::Advance(std::uint64_t now_ns) {
  peaks_.Advance(now_ns);
  accounts_.Advance(now_ns);
}

void Ledger::CopyTo(Numbers& numbers) const {
  static_cast<StreamNumbers&>(numbers) = stream_;
  numbers.followed = follows();
  numbers.comms = accounts_.comms();
  numbers.ends = accounts_.ends();
  numbers.pending = names_.pending();
  numbers.attributions = names_.attributions();
  numbers.peaks = peaks_.Rates();
  numbers.processes = table_.size();
  numbers.threads = table_.threads();
  numbers.found = census_.found();
  numbers.dropped = census_.dropped();
}

}  // namespace procevent
