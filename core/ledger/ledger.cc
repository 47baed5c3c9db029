#include "core/ledger/ledger.h"

namespace procevent {

void Ledger::Book(const Message& message, std::uint64_t now_ns) {
  if (message.outcome == Outcome::kEvent) {
    BookEvent(message.event, now_ns);
  } else if (const auto reason = RejectionOf(message.outcome)) {
    Reject(*reason);
  }
}

void Ledger::Reject(Rejection reason, std::uint64_t times) {
  numbers_.rejected[static_cast<std::size_t>(reason)] += times;
}

void Ledger::BookEvent(const Event& event, std::uint64_t now_ns) {
  const Sequence::Arrival arrival = sequence_.Note(event.cpu, event.sequence);
  if (arrival.repeated) {
    Reject(Rejection::kRepeated);
    return;
  }
  if (arrival.lost != 0 && gaps_ == GapsAre::kLosses) {
    numbers_.lost[event.cpu] += arrival.lost;
    lost_ += arrival.lost;
  }
  ++numbers_.events[static_cast<std::size_t>(event.kind())];
  if (event.kind() != EventKind::kAck) {
    numbers_.delay.Add(now_ns > event.timestamp_ns ? now_ns - event.timestamp_ns : 0);
  }
}

}  // namespace procevent
