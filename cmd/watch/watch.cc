#include "cmd/watch/watch.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <variant>

#include "cmd/cli/output.h"
#include "cmd/logging/log.h"
#include "cmd/serve/privilege.h"
#include "cmd/serve/signals.h"
#include "cmd/watch/event_printer.h"
#include "core/base/system.h"
#include "core/protocol/decoder.h"
#include "core/sources/connector/connector_source.h"

namespace procevent {
namespace {

constexpr std::chrono::milliseconds kSubscribeTimeout{2000};
constexpr std::uint64_t kCanaryTimeoutNs = 100 * kNanosPerMilli;      // for one pass over the CPUs
constexpr std::uint64_t kFirstCanaryTimeoutNs = 2 * kNanosPerSecond;  // longer, since busy CPUs delay the first pass
constexpr std::uint64_t kFinishTimeoutNs = kNanosPerSecond;
constexpr std::uint64_t kCheckIntervalNs = kNanosPerSecond;    // between checks for losses and for a lost subscription
constexpr std::uint64_t kIdleTimeoutNs = 5 * kNanosPerSecond;  // without a datagram, before a canary is sent
constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

void ReportError(const Error& error) { PrintError(Describe(error)); }

// Receives events, prints them, and restores the subscription if it is lost. One thread.
class Watcher {
 public:
  explicit Watcher(const WatchOptions& options)
      : out_(signals_.fd()), printer_(options, [this](const CommBody& comm) { return source_.IsCanaryEvent(comm); }) {}

  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher() { source_.Close(); }  // also after an exception: otherwise the kernel would keep making events

  int Run(std::optional<std::chrono::milliseconds> duration);

 private:
  bool ReceiveBatch();
  void PrintBatch();
  void RunDueChecks(std::uint64_t now_ns);
  void RevealLosses();
  void Finish(std::uint64_t end_ns);
  void CheckSubscription();
  [[nodiscard]] bool AwaitInput(std::uint64_t end_ns) const;

  SignalReceiver signals_;
  ConnectorSource source_{ConnectorOptions{}};
  LineOutput out_;
  EventPrinter printer_;
  std::uint64_t last_datagram_ns_ = 0;  // when the last kernel datagram was received
  std::uint64_t last_event_ns_ = 0;     // the kernel's time of the last event
  std::uint64_t revealed_drops_ = 0;    // socket drops that have become visible as sequence gaps
  std::uint64_t next_check_ns_ = 0;
  StaticError reported_error_;  // why the subscription could not be restored; reported once per cause
  bool failed_ = false;
};

int Watcher::Run(std::optional<std::chrono::milliseconds> duration) {
  if (const Status subscribed = source_.Resubscribe(kSubscribeTimeout); !subscribed) {
    ReportError(subscribed.error());
    return 1;
  }
  // The first event of each CPU sets the baseline from which a sequence gap is a loss.
  const std::uint64_t canary_deadline = MonotonicNanos() + kFirstCanaryTimeoutNs;
  while (!source_.SendCanaryOnEachCpu(MonotonicNanos() + kCanaryTimeoutNs) && MonotonicNanos() < canary_deadline) {
  }
  if (const Status begun = printer_.Begin(out_.text()); !begun) {
    ReportError(begun.error());  // not fatal: fewer processes have a name
  }
  const std::uint64_t start = MonotonicNanos();
  const std::uint64_t end = duration ? start + static_cast<std::uint64_t>(duration->count()) * kNanosPerMilli : kNever;
  last_datagram_ns_ = start;
  if (duration) {
    out_.SetDeadline(end + kFinishTimeoutNs);
  }
  while (out_.Flush() && !failed_ && AwaitInput(end)) {
    if (ReceiveBatch()) {
      RunDueChecks(MonotonicNanos());
    }
  }
  RevealLosses();
  Finish(MonotonicNanos());
  source_.Close();
  return failed_ || out_.failed() ? 1 : 0;
}

// Prints the events that happened before the end. The deadline bounds this where events arrive faster than they print.
void Watcher::Finish(std::uint64_t end_ns) {
  const std::uint64_t deadline = end_ns + kFinishTimeoutNs;
  out_.SetDeadline(deadline);
  while (out_.Flush() && !failed_ && last_event_ns_ < end_ns && MonotonicNanos() < deadline && !ReceiveBatch()) {
  }
  out_.Flush();
}

// Waits for a datagram, a signal, the next check or the end. Returns false if the watch is over.
bool Watcher::AwaitInput(std::uint64_t end_ns) const {
  const std::uint64_t now = MonotonicNanos();
  if (now >= end_ns) {
    return false;
  }
  std::array<pollfd, 3> descriptors{pollfd{source_.fd(), POLLIN, 0}, pollfd{signals_.fd(), POLLIN, 0},
                                    pollfd{STDOUT_FILENO, 0, 0}};  // POLLERR when the reader has closed the pipe
  ::poll(descriptors.data(), descriptors.size(), MillisUntil(std::min(end_ns, now + kCheckIntervalNs), now));
  return descriptors[1].revents == 0 && descriptors[2].revents == 0;
}

// Receives and prints one batch. Returns true if the queue is empty or receiving failed.
bool Watcher::ReceiveBatch() {
  const auto received = source_.Receive();
  if (!received) {
    ReportError(received.error());
    failed_ = true;
    return true;
  }
  PrintBatch();
  return received.value().emptied;
}

void Watcher::PrintBatch() {
  const std::uint64_t now = MonotonicNanos();
  const std::uint64_t wall_clock_offset = ClockNanos(CLOCK_REALTIME) - now;
  const auto print = [&](const Message& message) {
    last_datagram_ns_ = now;
    printer_.Print(message, wall_clock_offset, out_.text());
    last_event_ns_ = message.outcome == DecodeOutcome::kEvent ? message.event.timestamp_ns : last_event_ns_;
  };
  for (const Input& input : source_.inputs()) {
    if (const auto* const datagram = std::get_if<ConnectorDatagram>(&input)) {
      ForEachMessage(datagram->bytes, print);
    }
  }
}

void Watcher::RunDueChecks(std::uint64_t now_ns) {
  if (now_ns < next_check_ns_) {
    return;
  }
  next_check_ns_ = now_ns + kCheckIntervalNs;
  if (now_ns - last_datagram_ns_ > kIdleTimeoutNs) {
    CheckSubscription();
  }
  RevealLosses();
}

// A drop shows as a sequence gap only at the next event of its CPU. The canary makes one event on each CPU.
void Watcher::RevealLosses() {
  const std::uint64_t drops = source_.Queue().drops;
  if (drops != revealed_drops_ && source_.SendCanaryOnEachCpu(MonotonicNanos() + kCanaryTimeoutNs)) {
    revealed_drops_ = drops;
  }
}

// Detects a lost subscription and renews it: any local user can end the subscriptions of all listeners. The kernel
// delivers a canary at once, or never.
void Watcher::CheckSubscription() {
  source_.SendCanary();
  const std::uint64_t before = last_datagram_ns_;
  ReceiveBatch();
  if (last_datagram_ns_ != before || failed_) {
    return;
  }
  printer_.Invalidate();
  const Status renewed = source_.Resubscribe(kSubscribeTimeout);
  if (renewed) {
    PrintError(
        "subscription lost: another program ended the subscriptions of all listeners; it has been "
        "renewed, events in between were missed");
    reported_error_ = {};
  } else if (const StaticError& error = renewed.error(); error != reported_error_) {
    ReportError(renewed.error());
    reported_error_ = error;
  }
}

}  // namespace

int WatchEvents(const WatchOptions& options) {
  ReserveStandardDescriptors();
  PrivilegeDropper privilege([](const LogMessage& message) { PrintError(message.text); });
  privilege.KeepForReader();
  return Watcher(options).Run(options.duration);
}

}  // namespace procevent
