#include "core/reader/event_drain.h"

#include <algorithm>

#include "core/base/system.h"

namespace procevent {
namespace {

constexpr std::uint64_t kMaxRun = 20 * kNanosPerMilli;

}  // namespace

void EventDrain::Run() {
  std::uint64_t now = MonotonicNanos();
  const std::uint64_t began_ns = now;
  const std::uint64_t deadline = now + kMaxRun;
  ledger_.Advance(now);
  losses_.CheckQueue();
  losses_.RecordQueueUsage(now);
  std::size_t datagrams = 0;
  bool emptied = false;
  do {
    const auto received = source_.Receive(batch_);
    now = MonotonicNanos();
    if (!received) {
      subscription_.OnSocketFailed(received.error());
      queue_empty_ = true;
      break;
    }
    ledger_.Advance(now);
    losses_.CheckQueue();
    ApplyBatch(now);
    datagrams += received.value().datagrams;
    queue_empty_ = emptied = received.value().emptied;
  } while (!queue_empty_ && now < deadline);
  // The queue keeps its order, and the kernel stamps an event before it queues it. So every event that was queued
  // before the timestamp of an applied one has been applied, too.
  applied_until_ns_ = std::max(applied_until_ns_, emptied ? began_ns : newest_event_ns_);
  if (queue_empty_) {
    losses_.OnQueueEmptied();
  }
  losses_.Report(now);
  scheduler_.RecordDrain(datagrams, queue_empty_, now);
}

void EventDrain::RunUntilEmpty(int max_runs) {
  queue_empty_ = false;
  for (int i = 0; i < max_runs && !queue_empty_; ++i) {
    Run();
  }
}

void EventDrain::ApplyBatch(std::uint64_t now_ns) {
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const Datagram datagram = batch_[i];
    switch (datagram.origin) {
      case Datagram::Origin::kKernel:
        inputs_.RecordDatagram(datagram.bytes, now_ns);
        ApplyDatagram(datagram.bytes, now_ns);
        break;
      case Datagram::Origin::kForeign:
        inputs_.ApplyAndRecord(CapturedRejection{CapturedRejection::Reason::kForeignSender});
        break;
      case Datagram::Origin::kOversized:
        inputs_.ApplyAndRecord(CapturedRejection{CapturedRejection::Reason::kOversized});
        break;
    }
  }
}

void EventDrain::ApplyDatagram(std::span<const std::byte> bytes, std::uint64_t now_ns) {
  ForEachMessage(bytes, [&](const Message& message) {
    ledger_.ApplyMessage(message, now_ns);
    if (message.outcome == DecodeOutcome::kEvent) {
      newest_event_ns_ = message.event.timestamp_ns;
      subscription_.OnEvent(message.event, now_ns);
      answerer_.OnEventApplied();
    }
  });
}

}  // namespace procevent
