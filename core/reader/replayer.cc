#include "core/reader/replayer.h"

#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <exception>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "core/base/clock.h"
#include "core/base/remedies.h"

namespace procevent {
namespace {

constexpr std::uint64_t kEndOfTime = std::numeric_limits<std::uint64_t>::max();
constexpr Error kChanged{"read the capture on", 0,
                         "it was whole when the replay began: leave it as it is, and start the exporter again"};

}  // namespace

Replayer::Replayer(StoredCapture capture, ReplayOptions options, const LedgerOptions& ledger_options)
    : capture_(std::move(capture)),
      options_(std::move(options)),
      summary_(CaptureSummary::Of(capture_.Open())),
      ledger_(summary_.cpus(), summary_.hearing, ledger_options),
      playback_(summary_, ledger_),
      exchange_(Snapshot(summary_.cpus(), ledger_options)),
      notices_(Wake::MakeOrThrow()),
      stop_(Wake::MakeOrThrow()),
      waiter_(std::array{stop_.fd(), exchange_.asked_fd()}) {}

void Replayer::Start(std::function<void()> begin) {
  try {
    thread_ = std::thread([this, begin = std::move(begin)] {
      if (begin) {
        begin();
      }
      Run();
    });
  } catch (const std::system_error& fault) {
    throw std::runtime_error(Describe(Error{"start the replaying thread", fault.code().value(), kThreadsRemedy}));
  }
}

void Replayer::Stop() {
  if (thread_.joinable()) {
    stopping_.store(true, std::memory_order_relaxed);
    stop_.Ring();
    thread_.join();
  }
}

void Replayer::Run() {
  ::prctl(PR_SET_NAME, "pe-replayer");
  round_started_ns_ = MonotonicNanos();
  while (!stopping_.load(std::memory_order_relaxed) && PlayOnce()) {
    if (!options_.loop) {
      notices_.Post({.kind = Notice::Kind::kReplayed, .number = summary_.datagrams});
      break;
    }
    const std::uint64_t ended = playback_.begins_ns();
    playback_.BeginAnew();
    round_started_ns_ =
        options_.speed == 0 ? MonotonicNanos() : round_started_ns_ + (playback_.begins_ns() - ended) / options_.speed;
  }
  Rest();
}

bool Replayer::PlayOnce() {
  try {
    CaptureFile file = capture_.Open();
    CapturedPacket packet;
    CaptureFile::Got got = file.Read(packet);
    for (; got == CaptureFile::Got::kPacket; got = file.Read(packet)) {
      if (packet.kind == CapturedPacket::Kind::kForeign) {
        continue;
      }
      if (!WaitUntil(playback_.TimeOf(packet))) {
        return false;
      }
      playback_.Play(packet);
    }
    if (got == CaptureFile::Got::kEnd && !capture_.changed()) {
      return true;
    }
  } catch (const std::exception&) {  // no descriptor, no memory
  }
  cause_ = kChanged;
  notices_.Post({.kind = Notice::Kind::kNotReplayed, .error = cause_});
  return false;
}

bool Replayer::WaitUntil(std::uint64_t time_ns) {
  while (!stopping_.load(std::memory_order_relaxed)) {
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
      exchange_.Heard();
    }
  }
  return false;
}

// The numbers stay as they are: time ended with the capture.
void Replayer::Rest() {
  while (!stopping_.load(std::memory_order_relaxed)) {
    Obey();
    if (waiter_.Wait(-1, kEndOfTime)) {
      exchange_.Heard();
    }
  }
}

// Where in the round's time the replay is by now.
std::uint64_t Replayer::Position() const {
  const std::uint64_t now = MonotonicNanos();
  const std::uint64_t passed = now - std::min(now, round_started_ns_);
  return playback_.begins_ns() + passed * options_.speed;
}

std::uint64_t Replayer::DueAt(std::uint64_t time_ns) const {
  return options_.speed == 0 ? MonotonicNanos()
                             : round_started_ns_ + (time_ns - playback_.begins_ns()) / options_.speed;
}

// What others ask for: other groups of names, and a scrape.
void Replayer::Obey() {
  if (const auto groups = groups_.Take()) {
    ledger_.Regroup(std::move(*groups));
  }
  if (!exchange_.Asked()) {
    return;
  }
  const std::uint64_t since = MonotonicNanos();
  Snapshot* const snapshot = exchange_.Begin();
  if (snapshot == nullptr) {
    return;
  }
  ledger_.CopyTo(snapshot->numbers);
  snapshot->taken_ns = since;
  snapshot->replayed = true;
  snapshot->loss_exact = summary_.hearing == Hearing::kAll;
  snapshot->listening = cause_ == Error{};
  snapshot->cause = cause_;
  snapshot->reader_cpu_ns = NanosOf(CLOCK_THREAD_CPUTIME_ID);
  exchange_.Finish();
}

}  // namespace procevent
