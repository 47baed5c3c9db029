#include "core/ledger/ledger.h"

#include <algorithm>
#include <numeric>

namespace procevent {

Ledger::Ledger(unsigned cpus, EventCoverage coverage, const LedgerOptions& options)
    : coverage_(coverage),
      sequence_(cpus),
      stream_(cpus),
      statistics_(options),
      table_(coverage == EventCoverage::kPartial ? 0 : options.process_limit),
      resolver_(table_, statistics_),
      tracker_(table_, resolver_),
      reconciler_(table_, resolver_, tracker_) {}

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
  const SequenceTracker::Arrival arrival = sequence_.Observe(event.cpu, event.sequence, event.timestamp_ns);
  if (arrival.duplicate) {
    CountRejection(Rejection::kRepeated);
    return;
  }
  if (arrival.lost != 0 && loss_exact()) {
    stream_.lost[event.cpu] += arrival.lost;
    lost_ += arrival.lost;
    Invalidate();
  }
  ++stream_.events[static_cast<std::size_t>(event.kind())];
  if (event.kind() == EventKind::kAck) {
    return;
  }
  stream_.delay.Add(now_ns > event.timestamp_ns ? now_ns - event.timestamp_ns : 0);
  if (const auto activity = tracker_.ApplyEvent(event)) {
    peaks_.Add(*activity, event.timestamp_ns);
  }
}

void Ledger::Advance(std::uint64_t now_ns) {
  peaks_.Advance(now_ns);
  statistics_.Advance(now_ns);
}

std::uint64_t Ledger::received() const {
  return std::accumulate(stream_.events.begin(), stream_.events.end(), std::uint64_t{0}) -
         stream_.events_of(EventKind::kAck);
}

void Ledger::CopyTo(LedgerSnapshot& snapshot) const {
  static_cast<StreamStatistics&>(snapshot) = stream_;
  snapshot.processes_tracked = tracks_processes();
  snapshot.comms = statistics_.comms();
  snapshot.exit_reasons.Assign(statistics_.exit_reasons());
  snapshot.exits = statistics_.exits();
  snapshot.pending = resolver_.pending();
  snapshot.attributions = resolver_.attributions();
  snapshot.peaks = peaks_.Rates();
  snapshot.processes = table_.size();
  snapshot.threads = table_.threads();
  snapshot.found = tracker_.found();
  snapshot.dropped = tracker_.dropped();
}

}  // namespace procevent
