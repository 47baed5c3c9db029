#include "core/reader/replayer.h"

#include <algorithm>
#include <array>
#include <exception>
#include <limits>
#include <utility>
#include <variant>

#include "core/base/fatal_error.h"
#include "core/base/system.h"

namespace procevent {
namespace {

constexpr std::uint64_t kPacketsPerStatus = 256;
constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max();
constexpr StaticError kFileChanged{"replay the capture", "the file changed after the replay began",
                                   "leave it unchanged and restart the exporter"};
constexpr StaticError kOutOfResources{"reopen the capture", "no open file or memory left",
                                      "raise the limits (ulimit -n, -v) and restart the exporter"};

}  // namespace

Replayer::Replayer(StoredCapture capture, ReplayOptions options, const CountingOptions& counting_options)
    : capture_(std::move(capture)),
      options_(std::move(options)),
      summary_(ValueOrThrow(CaptureSummary::ReadFrom(ValueOrThrow(capture_.StartReading())))),
      processor_(summary_.cpus(), summary_.coverage, counting_options),
      applier_(summary_, processor_),
      exchange_(Snapshot(summary_.cpus(), counting_options)),
      notices_(EventFd::MakeOrThrow()),
      poller_(std::array{thread_.stop_fd(), exchange_.request_fd()}) {}

void Replayer::Start(std::function<void()> begin) {
  thread_.Start("pe-replayer", "start the replay thread", [this, begin = std::move(begin)] {
    if (begin) {
      begin();
    }
    try {
      Run();
    } catch (...) {
      notices_.Post(MakeThreadFailedNotice("replay the capture"));
    }
  });
}

void Replayer::Run() {
  round_started_ns_ = MonotonicNanos();
  while (!thread_.stopping() && RunRound()) {
    if (!options_.loop) {
      notices_.Post({.kind = Notice::Kind::kReplayFinished, .count = summary_.datagrams});
      break;
    }
    const std::uint64_t ended_round_ns = applier_.round_start_ns();
    applier_.BeginNextRound();
    round_started_ns_ = options_.speed == 0
                            ? MonotonicNanos()
                            : round_started_ns_ + (applier_.round_start_ns() - ended_round_ns) / options_.speed;
  }
  ServeUntilStopped();
}

// The whole file was readable at the start, so an unreadable packet is a change.
bool Replayer::RunRound() {
  StaticError error = kOutOfResources;
  try {
    if (auto file = capture_.StartReading()) {
      const Result<bool> applied = ApplyPackets(file.value());
      if (applied && (!applied.value() || !capture_.changed())) {
        return applied.value();
      }
      error = kFileChanged;
    }
  } catch (const std::exception&) {  // no memory left
  }
  error_ = capture_.changed() ? kFileChanged : error;
  notices_.Post({.kind = Notice::Kind::kReplayFailed, .error = *error_});
  return false;
}

Result<bool> Replayer::ApplyPackets(CaptureFile& file) {
  std::uint64_t packets = 0;
  auto packet = file.Read();
  for (; packet && packet.value(); packet = file.Read()) {
    if (std::holds_alternative<ForeignPacket>(packet.value()->content)) {
      continue;
    }
    if (!WaitUntil(applier_.PacketTimeNanos(*packet.value()))) {
      return false;
    }
    applier_.ApplyPacket(*packet.value());
    if (++packets % kPacketsPerStatus == 0) {
      PublishStatus(MonotonicNanos());
    }
  }
  return packet ? Result<bool>(true) : packet.error();
}

bool Replayer::WaitUntil(std::uint64_t capture_ns) {
  while (!thread_.stopping()) {
    const std::uint64_t position_ns = options_.speed == 0 ? capture_ns : CaptureTimeNow();
    const bool due = position_ns >= capture_ns;
    if (!due) {
      applier_.Advance(position_ns);
    }
    ServeRequests();
    if (due) {
      return true;
    }
    PublishStatus(DueAt(capture_ns));
    if (poller_.Wait({}, DueAt(capture_ns))) {
      exchange_.ClearRequestSignal();
    }
  }
  return false;
}

// The numbers stay unchanged: the recorded time ended with the capture.
void Replayer::ServeUntilStopped() {
  while (!thread_.stopping()) {
    ServeRequests();
    PublishStatus(kForever);
    if (poller_.Wait({}, kForever)) {
      exchange_.ClearRequestSignal();
    }
  }
}

// In the pause between two rounds this is before the start of the round.
std::uint64_t Replayer::CaptureTimeNow() const {
  const std::uint64_t now = MonotonicNanos();
  const std::uint64_t start_ns = applier_.round_start_ns();
  return now >= round_started_ns_ ? start_ns + (now - round_started_ns_) * options_.speed
                                  : start_ns - std::min(start_ns, (round_started_ns_ - now) * options_.speed);
}

std::uint64_t Replayer::DueAt(std::uint64_t capture_ns) const {
  return options_.speed == 0 ? MonotonicNanos()
                             : round_started_ns_ + (capture_ns - applier_.round_start_ns()) / options_.speed;
}

void Replayer::FillStatus(ReaderStatus& status) const {
  status.replayed = true;
  status.subscribed = !error_;
  status.subscription_error = error_.value_or(StaticError{});
  status.loss_exact = summary_.coverage == EventCoverage::kAll;
  status.received_events = processor_.received();
  status.lost_events = processor_.lost();
}

void Replayer::PublishStatus(std::uint64_t next_update_ns) {
  ReaderStatus status;
  FillStatus(status);
  status.published_ns = MonotonicNanos();
  status.next_update_ns = next_update_ns;
  exchange_.PublishStatus(status);
}

// Applies reloaded options, and answers a scrape.
void Replayer::ServeRequests() {
  if (const auto options = reloaded_.Consume()) {
    processor_.Reload(std::move(*options));
  }
  if (!exchange_.IsRequested()) {
    return;
  }
  const std::uint64_t requested_ns = MonotonicNanos();
  Snapshot* const snapshot = exchange_.BeginFill();
  if (snapshot == nullptr) {
    return;
  }
  processor_.CopyTo(snapshot->numbers);
  snapshot->taken_unix_ms = ClockNanos(CLOCK_REALTIME) / kNanosPerMilli;
  snapshot->complete_until_ns = requested_ns;
  FillStatus(*snapshot);
  snapshot->reader_cpu_ns = ClockNanos(CLOCK_THREAD_CPUTIME_ID);
  exchange_.FinishFill();
}

}  // namespace procevent
