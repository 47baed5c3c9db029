#include "core/reader/event_drain.h"

#include <algorithm>

#include "core/base/system.h"

namespace procevent {
namespace {

constexpr std::uint64_t kMaxRun = 20 * kNanosPerMilli;

}  // namespace

struct EventDrain::Hooks {
  EventDrain& drain;
  std::uint64_t now_ns;

  void BeforeEvent(const Event& /*event*/) const {}
  void AfterEvent(const Event& event) const {
    drain.newest_event_ns_ = event.timestamp_ns;
    drain.subscription_.OnEvent(event, now_ns);
    drain.answerer_.OnEventApplied();
  }
};

void EventDrain::Run() {
  std::uint64_t now = MonotonicNanos();
  const std::uint64_t began_ns = now;
  const std::uint64_t deadline = now + kMaxRun;
  processor_.Advance(now);
  losses_.CheckQueue(now);
  losses_.RecordQueueUsage(now);
  std::size_t messages = 0;
  bool emptied = false;
  do {
    const auto received = source_.Receive();
    messages += secondary_.Drain(deadline);
    now = MonotonicNanos();
    if (!received) {
      subscription_.OnSocketFailed(received.error());
      queue_empty_ = true;
      break;
    }
    processor_.Advance(now);
    losses_.CheckQueue(now);
    ApplyEvents(now);
    messages += received.value().messages;
    queue_empty_ = emptied = received.value().emptied;
  } while (!queue_empty_ && now < deadline);
  // The queue keeps its order, and the kernel stamps an event before it queues it. So every event that was queued
  // before the timestamp of an applied one has been applied, too.
  applied_until_ns_ = std::max(applied_until_ns_, emptied ? began_ns : newest_event_ns_);
  if (queue_empty_) {
    losses_.OnQueueEmptied(now);
  }
  losses_.Report(now);
  scheduler_.RecordDrain(messages, queue_empty_, now);
}

void EventDrain::RunUntilEmpty(int max_runs) {
  queue_empty_ = false;
  for (int i = 0; i < max_runs && !queue_empty_; ++i) {
    Run();
  }
}

void EventDrain::ApplyEvents(std::uint64_t now_ns) {
  const Hooks hooks{*this, now_ns};
  for (const Input& input : source_.inputs()) {
    inputs_.Apply(input, now_ns, hooks);
  }
}

}  // namespace procevent
