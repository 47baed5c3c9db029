#include "cmd/watch/watch.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "cmd/cli/output.h"
#include "cmd/serve/privilege.h"
#include "cmd/serve/signals.h"
#include "cmd/watch/event_printer.h"
#include "core/base/system.h"
#include "core/sources/connector/connector_source.h"

namespace procevent {
namespace {

constexpr std::chrono::milliseconds kPatience{2000};
constexpr std::uint64_t kForATour = 100 * kNanosPerMilli;
constexpr std::uint64_t kForTheFirstTour = 2 * kNanosPerSecond;  // on a machine that has much else to do
constexpr std::uint64_t kForTheRest = kNanosPerSecond;
constexpr std::uint64_t kBetweenLooks = kNanosPerSecond;  // for what was lost, and for silence
constexpr std::uint64_t kQuiet = 5 * kNanosPerSecond;     // after which it asks whether the kernel still speaks
constexpr std::uint64_t kEndOfTime = std::numeric_limits<std::uint64_t>::max();

void Tell(const Error& error) { PrintError("procevent_exporter: " + Describe(error)); }

class Watcher {
 public:
  explicit Watcher(const WatchOptions& order)
      : out_(signals_.fd()), printer_(order, [this](const CommBody& comm) { return source_.IsCanaryEvent(comm); }) {}

  int Run(std::optional<std::chrono::milliseconds> duration);

 private:
  bool Drain();
  void Hear(const DatagramBatch& batch);
  void DetectConnectorEnvironment(std::uint64_t now_ns);
  void ShowLosses();
  void ShowTheRest(std::uint64_t ended_ns);
  void BreakSilence();
  [[nodiscard]] bool AwaitMore(std::uint64_t end_ns) const;

  SignalReceiver signals_;
  ConnectorSource source_{ConnectorOptions{}};
  LineOutput out_;
  EventPrinter printer_;
  DatagramBatch batch_;
  std::uint64_t heard_ns_ = 0;    // when something came last
  std::uint64_t shown_ns_ = 0;    // the last event's own time
  std::uint64_t drops_told_ = 0;  // those that show as losses by now
  std::uint64_t next_look_ns_ = 0;
  Error told_;  // why there is still no fresh subscription
  bool failed_ = false;
};

int Watcher::Run(std::optional<std::chrono::milliseconds> duration) {
  if (const Status subscribed = source_.Resubscribe(kPatience); !subscribed) {
    Tell(subscribed.error());
    return 1;
  }
  // From each CPU's first event on a gap is a loss.
  const std::uint64_t give_up = MonotonicNanos() + kForTheFirstTour;
  while (!source_.SendCanaryOnEachCpu(MonotonicNanos() + kForATour) && MonotonicNanos() < give_up) {
  }
  if (const Status seen = printer_.Begin(out_.text()); !seen) {
    Tell(seen.error());  // it works, with fewer names
  }
  const std::uint64_t began = MonotonicNanos();
  const std::uint64_t end =
      duration ? began + static_cast<std::uint64_t>(duration->count()) * kNanosPerMilli : kEndOfTime;
  heard_ns_ = began;
  if (duration) {
    out_.SetDeadline(end + kForTheRest);
  }
  while (out_.Flush() && !failed_ && AwaitMore(end)) {
    if (Drain()) {
      DetectConnectorEnvironment(MonotonicNanos());
    }
  }
  ShowLosses();
  ShowTheRest(MonotonicNanos());
  source_.Close();
  return failed_ || out_.failed() ? 1 : 0;
}

// What happened before the end; a machine that makes more than can be shown does not put it off for long.
void Watcher::ShowTheRest(std::uint64_t ended_ns) {
  const std::uint64_t last = ended_ns + kForTheRest;
  out_.SetDeadline(last);
  while (out_.Flush() && !failed_ && shown_ns_ < ended_ns && MonotonicNanos() < last && !Drain()) {
  }
  out_.Flush();
}

// Until the next datagram, signal, look or end; false: it is over.
bool Watcher::AwaitMore(std::uint64_t end_ns) const {
  const std::uint64_t now = MonotonicNanos();
  if (now >= end_ns) {
    return false;
  }
  std::array<pollfd, 3> wanted{pollfd{source_.fd(), POLLIN, 0}, pollfd{signals_.fd(), POLLIN, 0},
                               pollfd{STDOUT_FILENO, 0, 0}};  // tells when nobody reads any more
  ::poll(wanted.data(), wanted.size(), MillisUntil(std::min(end_ns, now + kBetweenLooks), now));
  return wanted[1].revents == 0 && wanted[2].revents == 0;
}

// One batch. True: nothing more waits.
bool Watcher::Drain() {
  const auto received = source_.Receive(batch_);
  if (!received) {
    Tell(received.error());
    failed_ = true;
    return true;
  }
  Hear(batch_);
  return received.value().emptied;
}

void Watcher::Hear(const DatagramBatch& batch) {
  const std::uint64_t now = MonotonicNanos();
  const std::uint64_t wall_clock = ClockNanos(CLOCK_REALTIME) - now;
  Message message;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].origin != Datagram::Origin::kKernel) {
      continue;
    }
    heard_ns_ = now;
    Decoder decoder(batch[i].bytes);
    while (decoder.Next(message)) {
      printer_.Print(message, wall_clock, out_.text());
      shown_ns_ = message.outcome == DecodeOutcome::kEvent ? message.event.timestamp_ns : shown_ns_;
    }
  }
}

void Watcher::DetectConnectorEnvironment(std::uint64_t now_ns) {
  if (now_ns < next_look_ns_) {
    return;
  }
  next_look_ns_ = now_ns + kBetweenLooks;
  if (now_ns - heard_ns_ > kQuiet) {
    BreakSilence();
  }
  ShowLosses();
}

// What was dropped last shows with the next event of its CPU: each makes one.
void Watcher::ShowLosses() {
  const std::uint64_t drops = source_.Queue().drops;
  if (drops != drops_told_ && source_.SendCanaryOnEachCpu(MonotonicNanos() + kForATour)) {
    drops_told_ = drops;
  }
}

// Any local user can end everybody's subscription. The kernel answers at once, or not at all.
void Watcher::BreakSilence() {
  source_.SendCanary();
  const std::uint64_t before = heard_ns_;
  Drain();
  if (heard_ns_ != before || failed_) {
    return;
  }
  printer_.Invalidate();
  const Status renewed = source_.Resubscribe(kPatience);
  if (renewed) {
    PrintError(
        "procevent_exporter: the kernel fell silent: another program ended everybody's subscription; it was renewed, "
        "and what happened meanwhile was missed");
  } else if (renewed.error() != told_) {
    Tell(renewed.error());
  }
  told_ = renewed ? Error{} : renewed.error();
}

}  // namespace

int WatchEvents(const WatchOptions& order) {
  ReserveStandardDescriptors();
  PrivilegeDropper privilege(
      [](LogLevel, std::string_view text) { PrintError("procevent_exporter: " + std::string(text)); });
  privilege.KeepForReader();
  return Watcher(order).Run(order.duration);
}

}  // namespace procevent
