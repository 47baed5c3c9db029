#include "core/reader/replayer.h"

#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <exception>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <variant>

#include "core/base/clock.h"
#include "core/base/remedies.h"
#include "core/reader/teller.h"

namespace procevent {
namespace {

constexpr std::uint64_t kEndOfTime = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kPause = 3 * kNanosPerSecond;  // between two rounds; longer than an answer of /proc waits
constexpr Error kChanged{"read the capture on", 0,
                         "it was whole when the replay began: leave it as it is, and start the exporter again"};

// A time of the capture, in the present round.
struct Shift {
  std::uint64_t by_ns;

  void operator()(CaptureOpening& /*opening*/) const {}
  void operator()(CapturedDoubt& /*doubt*/) const {}
  void operator()(CapturedRejection& /*rejection*/) const {}
  void operator()(CapturedSettling& settling) const { settling.heard_ns += by_ns; }
  void operator()(CapturedSight& sight) const {
    sight.sighting.taken_ns += by_ns;
    sight.sighting.start_ns += sight.sighting.start_ns == 0 ? 0 : by_ns;
  }
};

}  // namespace

Replayer::Replayer(const ReplayOptions& options, const LedgerOptions& ledger_options)
    : options_(options),
      summary_(CaptureSummary::Of(options.file)),
      ledger_(summary_.cpus(), summary_.hearing, ledger_options),
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
  while (PlayOnce()) {
    if (!options_.loop) {
      notices_.Post({.kind = Notice::Kind::kReplayed, .number = summary_.datagrams});
      break;
    }
    BeginAnew();
  }
  Rest();
}

bool Replayer::PlayOnce() {
  try {
    CaptureFile file(options_.file);
    CapturedPacket packet;
    CaptureFile::Got got = file.Read(packet);
    for (; got == CaptureFile::Got::kPacket; got = file.Read(packet)) {
      const std::uint64_t now = packet.time_ns - summary_.clock_offset_ns + shift_ns_;
      if (!WaitUntil(now)) {
        return false;
      }
      Advance(now);
      Play(packet, now);
    }
    if (got == CaptureFile::Got::kEnd) {
      return true;
    }
  } catch (const std::exception&) {  // it cannot be opened any more
  }
  cause_ = kChanged;
  notices_.Post({.kind = Notice::Kind::kNotReplayed, .error = cause_});
  return false;
}

void Replayer::Play(const CapturedPacket& packet, std::uint64_t now_ns) {
  if (packet.family == kConnectorFamily) {
    PlayDatagram(packet.payload, now_ns);
  } else if (packet.family == kRecordFamily) {
    if (const auto record = DecodeRecord(packet.payload)) {
      PlayRecord(*record);
    }
  }
}

void Replayer::PlayDatagram(std::span<const std::byte> datagram, std::uint64_t now_ns) {
  Decoder decoder(datagram);
  while (decoder.Next(message_)) {
    Event& event = message_.event;
    event.timestamp_ns += shift_ns_;
    if (event.cpu < summary_.cpus()) {
      event.sequence += round_ * summary_.numbered[event.cpu];
    }
    ledger_.Book(message_, now_ns);
  }
}

void Replayer::PlayRecord(CaptureRecord record) {
  std::visit(Shift{shift_ns_}, record);
  Tell(record, ledger_);
}

// Whoever lives at the end of the capture is gone, for the next round tells anew who lives.
void Replayer::BeginAnew() {
  const std::uint64_t gone = summary_.last_ns + shift_ns_ + kNanosPerSecond;
  const std::uint64_t settled = gone + kNanosPerSecond;
  Sightings& sightings = ledger_.sightings();
  ledger_.Doubt();
  RowId cursor = 0;
  while (const auto tgid = sightings.NextInDoubt(cursor, sightings.end_of_rows())) {
    sightings.SawGone(*tgid, gone);
    if (!sightings.room()) {
      sightings.Settle(settled);
    }
  }
  sightings.Settle(settled);
  const std::uint64_t length = summary_.last_ns - summary_.first_ns + kPause;
  round_started_ns_ = DueAt(summary_.first_ns + shift_ns_ + length);
  shift_ns_ += length;
  ++round_;
}

bool Replayer::WaitUntil(std::uint64_t time_ns) {
  while (!stopping_.load(std::memory_order_relaxed)) {
    const bool due = options_.speed == 0 || Position() >= time_ns;
    if (!due) {
      Advance(Position());
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

// Packets of one read are a little older than what was told before them.
void Replayer::Advance(std::uint64_t now_ns) {
  if (now_ns > reached_ns_) {
    reached_ns_ = now_ns;
    ledger_.Advance(now_ns);
  }
}

// Where in the round's time the replay is by now.
std::uint64_t Replayer::Position() const {
  const std::uint64_t now = MonotonicNanos();
  const std::uint64_t passed = now - std::min(now, round_started_ns_);
  return summary_.first_ns + shift_ns_ + passed * options_.speed;
}

std::uint64_t Replayer::DueAt(std::uint64_t time_ns) const {
  return options_.speed == 0 ? MonotonicNanos()
                             : round_started_ns_ + (time_ns - summary_.first_ns - shift_ns_) / options_.speed;
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
