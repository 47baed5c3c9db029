#include "core/reader/replayer.h"

#include <algorithm>
#include <array>
#include <exception>
#include <limits>
#include <utility>

#include "core/base/system.h"

namespace procevent {
namespace {

constexpr std::uint64_t kEndOfTime = std::numeric_limits<std::uint64_t>::max();
constexpr Error kChanged{"read the capture on", 0,
                         "it was whole when the replay began: leave it as it is, and start the exporter again"};
constexpr Error kNoMeans{"open the capture again", 0,
                         "the exporter may open no more files, or has no memory: raise its limits (ulimit -n, -v), and "
                         "start it again"};

}  // namespace

Replayer::Replayer(StoredCapture capture, ReplayOptions options, const LedgerOptions& ledger_options)
    : capture_(std::move(capture)),
      options_(std::move(options)),
      summary_(CaptureSummary::ReadFrom(capture_.Open())),
      ledger_(summary_.cpus(), summary_.coverage, ledger_options),
      playback_(summary_, ledger_),
      exchange_(Snapshot(summary_.cpus(), ledger_options)),
      notices_(EventFd::MakeOrThrow()),
      waiter_(std::array{thread_.stop_fd(), exchange_.request_fd()}) {}

void Replayer::Start(std::function<void()> begin) {
  thread_.Start("pe-replayer", "start the replaying thread", [this, begin = std::move(begin)] {
    if (begin) {
      begin();
    }
    Run();
  });
}

void Replayer::Run() {
  round_started_ns_ = MonotonicNanos();
  while (!thread_.stopping() && PlayOnce()) {
    if (!options_.loop) {
      notices_.Post({.kind = Notice::Kind::kReplayFinished, .number = summary_.datagrams});
      break;
    }
    const std::uint64_t ended = playback_.round_start_ns();
    playback_.BeginNextRound();
    round_started_ns_ = options_.speed == 0 ? MonotonicNanos()
                                            : round_started_ns_ + (playback_.round_start_ns() - ended) / options_.speed;
  }
  Rest();
}

bool Replayer::PlayOnce() {
  try {
    CaptureFile file = capture_.Open();
    CapturedPacket packet;
    CaptureFile::PacketResult got = file.Read(packet);
    for (; got == CaptureFile::PacketResult::kPacket; got = file.Read(packet)) {
      if (packet.kind == CapturedPacket::Kind::kForeign) {
        continue;
      }
      if (!WaitUntil(playback_.PacketTimeNanos(packet))) {
        return false;
      }
      playback_.ApplyPacket(packet);
    }
    if (got == CaptureFile::PacketResult::kEnd && !capture_.changed()) {
      return true;
    }
    cause_ = kChanged;
  } catch (const std::exception&) {
    cause_ = capture_.changed() ? kChanged : kNoMeans;
  }
  notices_.Post({.kind = Notice::Kind::kReplayFailed, .error = cause_});
  return false;
}

bool Replayer::WaitUntil(std::uint64_t time_ns) {
  while (!thread_.stopping()) {
    const std::uint64_t position = options_.speed == 0 ? time_ns : Position();
    const bool due = position >= time_ns;
    if (!due) {
      playback_.Advance(position);
    }
    Obey();
    if (due) {
      return true;
    }
    if (waiter_.Wait(-1, DueAt(time_ns))) {
      exchange_.ClearRequestSignal();
    }
  }
  return false;
}

// The numbers stay as they are: time ended with the capture.
void Replayer::Rest() {
  while (!thread_.stopping()) {
    Obey();
    if (waiter_.Wait(-1, kEndOfTime)) {
      exchange_.ClearRequestSignal();
    }
  }
}

// Where in the round's time the replay is by now; before its beginning in the pause between two.
std::uint64_t Replayer::Position() const {
  const std::uint64_t now = MonotonicNanos();
  const std::uint64_t begins = playback_.round_start_ns();
  return now >= round_started_ns_ ? begins + (now - round_started_ns_) * options_.speed
                                  : begins - std::min(begins, (round_started_ns_ - now) * options_.speed);
}

std::uint64_t Replayer::DueAt(std::uint64_t time_ns) const {
  return options_.speed == 0 ? MonotonicNanos()
                             : round_started_ns_ + (time_ns - playback_.round_start_ns()) / options_.speed;
}

// What others ask for: other groups of names, and a scrape.
void Replayer::Obey() {
  if (const auto groups = groups_.Consume()) {
    ledger_.SetNameGroups(std::move(*groups));
  }
  if (!exchange_.IsRequested()) {
    return;
  }
  const std::uint64_t since = MonotonicNanos();
  Snapshot* const snapshot = exchange_.BeginFill();
  if (snapshot == nullptr) {
    return;
  }
  ledger_.CopyTo(snapshot->ledger);
  snapshot->taken_ns = since;
  snapshot->replayed = true;
  snapshot->loss_exact = summary_.coverage == EventCoverage::kAll;
  snapshot->subscribed = cause_ == Error{};
  snapshot->subscription_error = cause_;
  snapshot->reader_cpu_ns = ClockNanos(CLOCK_THREAD_CPUTIME_ID);
  exchange_.FinishFill();
}

}  // namespace procevent
