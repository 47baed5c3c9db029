#include "core/reader/reader.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <utility>

#include "core/base/system.h"

namespace procevent {
namespace {

constexpr std::uint64_t kLongestDrain = 100 * kNanosPerMilli;  // then scrapes get their turn

std::uint64_t Nanos(std::chrono::milliseconds duration) {
  return static_cast<std::uint64_t>(duration.count()) * kNanosPerMilli;
}

}  // namespace

Reader::Reader(std::unique_ptr<DatagramSource> source, const ReaderOptions& options, unsigned cpus,
               EventCoverage hearing, const LedgerOptions& ledger_options, ProcFs proc, CaptureWriter* capture)
    : source_(std::move(source)),
      hearing_(hearing),
      cpus_(cpus),
      proc_(std::move(proc)),
      ledger_(cpus, hearing, ledger_options),
      teller_(ledger_, capture),
      surveyor_(ledger_.reconciler(), teller_, proc_.pids),
      watch_(Nanos(options.canary_interval)),
      rhythm_(Nanos(options.drain_interval)),
      blind_(MonotonicNanos()),
      exchange_(Snapshot(cpus, ledger_options)),
      notices_(EventFd::MakeOrThrow()),
      waiter_(std::array{thread_.stop_fd(), exchange_.request_fd()}) {}

void Reader::StartWithoutWaiting(std::function<void()> begin) {
  thread_.Start("pe-reader", "start the reader thread", [this, begin = std::move(begin)] {
    if (begin) {
      begin();
    }
    Run();
  });
}

void Reader::Start(std::function<void()> begin) {
  StartWithoutWaiting(std::move(begin));
  tried_.wait();
}

void Reader::Stop() {
  teller_.StopBlockingOnCapture();
  thread_.Stop();
}

void Reader::Run() {
  if (const auto forks = proc_.stat.ReadCloneCount(); !forks) {
    notices_.Post({.kind = Notice::Kind::kForkCountUnreadable, .error = forks.error()});
  }
  if (const Status seen = proc_.pids.CheckVisibility(); !seen) {
    notices_.Post({.kind = Notice::Kind::kProcUnreadable, .error = seen.error()});
  }
  ForkGrowth();  // counts from here
  Tend();
  tried_.count_down();
  while (!thread_.stopping()) {
    HearOrders();
    HearScrape();
    Drain();
    Survey();
    Judge();
    Answer();
    Tend();
    Wait();
  }
  Drain();                                                // what was made before the end
  TellLosses(std::numeric_limits<std::uint64_t>::max());  // and what waits for its minute
  source_->Close();
}

void Reader::HearOrders() {
  if (const auto groups = groups_.Consume()) {
    ledger_.SetNameGroups(std::move(*groups));
  }
}

void Reader::Drain() {
  std::uint64_t now = MonotonicNanos();
  const std::uint64_t deadline = now + kLongestDrain;
  heard_ns_ = now;
  ledger_.Advance(now);
  LookAtQueue();
  peak_.RecordUsage(queue_.used_bytes, now);
  std::size_t datagrams = 0;
  do {
    const auto received = source_->Receive(batch_);
    now = MonotonicNanos();
    if (!received) {
      Distrust(RestartReason::kSocketFailed, received.error());
      emptied_ = true;
      break;
    }
    ledger_.Advance(now);
    LookAtQueue();
    Book(now);
    datagrams += received.value().datagrams;
    emptied_ = received.value().emptied;
  } while (!emptied_ && now < deadline);
  if (emptied_ && std::exchange(doubt_again_, false)) {
    teller_.ApplyAndRecord(CapturedInvalidation{});
  }
  TellLosses(now);
  rhythm_.RecordDrain(datagrams, emptied_, now);
}

void Reader::TellLosses(std::uint64_t now_ns) {
  const std::uint64_t lost = hearing_ == EventCoverage::kAll ? ledger_.lost() : queue_.drops;
  if (const auto loss = losses_.TakeDueReport(lost, queue_.drops, now_ns)) {
    notices_.Post({.kind = Notice::Kind::kEventsLost,
                   .number = loss->events,
                   .wanted = loss->queue_full ? queue_.limit_bytes / 2 : 0});
  }
}

// What was dropped is doubted before anything that came after it is booked: its gap shows later, if ever. What had been
// queued before it is booked later as well, so there is another doubt when the queue is empty.
void Reader::LookAtQueue() {
  queue_ = source_->Queue();
  if (queue_.drops != std::exchange(doubted_drops_, queue_.drops)) {
    teller_.ApplyAndRecord(CapturedInvalidation{});
    doubt_again_ = true;
  }
}

void Reader::Survey() {
  if (emptied_ && MaySurvey()) {
    surveyor_.RunScanStep(heard_ns_, MonotonicNanos());
  }
}

// /proc is not believed while a loss may be hidden.
bool Reader::MaySurvey() const {
  return watch_.subscribed() && ledger_.tracks_processes() && !tour_.in_progress() &&
         !tour_.HasHiddenDrops(queue_.drops);
}

void Reader::Book(std::uint64_t now_ns) {
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const Datagram datagram = batch_[i];
    switch (datagram.origin) {
      case Datagram::Origin::kKernel:
        teller_.RecordDatagram(datagram.bytes, now_ns);
        BookDatagram(datagram.bytes, now_ns);
        break;
      case Datagram::Origin::kForeign:
        teller_.ApplyAndRecord(CapturedRejection{CapturedRejection::Reason::kForeignSender});
        break;
      case Datagram::Origin::kOversized:
        teller_.ApplyAndRecord(CapturedRejection{CapturedRejection::Reason::kOversized});
        break;
    }
  }
}

void Reader::BookDatagram(std::span<const std::byte> bytes, std::uint64_t now_ns) {
  Decoder decoder(bytes);
  while (decoder.Next(message_)) {
    ledger_.ApplyMessage(message_, now_ns);
    if (message_.outcome != DecodeOutcome::kEvent) {
      continue;
    }
    if (message_.event.kind() != EventKind::kAck) {  // anybody can provoke an ACK while nothing else is made
      blind_.RecordEventReceived(now_ns);
    }
    const auto* const comm = std::get_if<CommBody>(&message_.event.body);
    if (comm != nullptr && source_->IsCanaryEvent(*comm)) {
      HearCanary(now_ns);
    }
    if (cut_ && cut_->forks_counted() && !ForksMissing()) {
      FillSnapshot();
    }
  }
}

std::uint64_t Reader::NextTurn(std::uint64_t now_ns) const {
  if (!emptied_ || tour_.in_progress() || watch_.awaiting_canary()) {
    return now_ns;
  }
  if (exchange_.IsRequested()) {
    return cut_ ? now_ns + kNanosPerMilli : now_ns;
  }
  std::uint64_t next = watch_.next_ns();
  if (!rhythm_.idle()) {
    next = std::min(next, rhythm_.next_drain_ns());
  }
  if (MaySurvey()) {
    next = std::min(next, surveyor_.next_scan_ns());
  }
  if (tour_.HasHiddenDrops(queue_.drops)) {
    next = std::min(next, std::max(rhythm_.next_drain_ns(), tour_.next_ns()));
  }
  return next;
}

void Reader::Wait() {
  const bool may_wake = rhythm_.idle() && watch_.subscribed();
  if (waiter_.Wait(may_wake ? source_->fd() : -1, NextTurn(MonotonicNanos()))) {
    exchange_.ClearRequestSignal();
  }
}

}  // namespace procevent
