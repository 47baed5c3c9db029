#include "core/reader/reader.h"

#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <limits>
#include <new>
#include <stdexcept>
#include <utility>

#include "core/base/clock.h"

namespace procevent {
namespace {

constexpr std::chrono::milliseconds kPatience{250};            // for one subscription; then scrapes get their turn
constexpr std::uint64_t kLongestDrain = 100 * kNanosPerMilli;  // the same
constexpr std::uint64_t kLongestTourStep = 5 * kNanosPerMilli;
constexpr int kMostDrainsAtStart = 10;
constexpr Error kFellSilent{"hear process events", 0,
                            "the kernel fell silent: another program ended everybody's subscription; fresh ones are "
                            "tried until it answers"};

std::uint64_t Nanos(std::chrono::milliseconds duration) {
  return static_cast<std::uint64_t>(duration.count()) * kNanosPerMilli;
}

Wake MakeWake() {
  auto wake = Wake::Make();
  if (!wake) {
    throw std::runtime_error(Describe(wake.error()));
  }
  return std::move(wake).value();
}

// A subscription is made of parts that allocate.
Status Renew(Source& source) {
  try {
    return source.Renew(kPatience);
  } catch (const std::bad_alloc&) {
    return Error{"open a fresh subscription", ENOMEM, "give the exporter more memory"};
  }
}

}  // namespace

Reader::Reader(std::unique_ptr<Source> source, const ReaderOptions& options, unsigned cpus, GapsAre gaps,
               ProcStat proc_stat)
    : source_(std::move(source)),
      loss_exact_(gaps == GapsAre::kLosses),
      proc_stat_(std::move(proc_stat)),
      ledger_(cpus, gaps),
      watch_(Nanos(options.canary_interval)),
      rhythm_(Nanos(options.drain_interval)),
      blind_(MonotonicNanos()),
      exchange_(cpus),
      notices_(MakeWake()),
      stop_(MakeWake()),
      waiter_(std::array{stop_.fd(), exchange_.asked_fd()}) {}

void Reader::Start() {
  thread_ = std::thread([this] { Run(); });
  tried_.wait();
}

void Reader::Stop() {
  if (thread_.joinable()) {
    stopping_.store(true, std::memory_order_relaxed);
    stop_.Ring();
    thread_.join();
  }
}

void Reader::Run() {
  ::prctl(PR_SET_NAME, "pe-reader");
  if (const auto forks = proc_stat_.Forks(); !forks) {
    notices_.Post({.kind = Notice::Kind::kNoForkCount, .error = forks.error()});
  }
  ForkGrowth();  // counts from here
  Tend();
  tried_.count_down();
  while (!stopping_.load(std::memory_order_relaxed)) {
    HearScrape();
    Drain();
    Judge();
    Answer();
    Tend();
    Wait();
  }
  source_->Close();
}

void Reader::HearScrape() {
  if (!exchange_.Asked()) {
    cut_.reset();
  } else if (!cut_) {
    cut_.emplace(MonotonicNanos());
    growth_at_cut_.reset();
  }
}

void Reader::Drain() {
  std::uint64_t now = MonotonicNanos();
  const std::uint64_t deadline = now + kLongestDrain;
  queue_ = source_->Queue();
  peak_.Note(queue_.used_bytes, now);
  std::size_t datagrams = 0;
  do {
    const auto received = source_->Receive(batch_);
    now = MonotonicNanos();
    if (!received) {
      Distrust(RestartReason::kFault, received.error());
      emptied_ = true;
      break;
    }
    Book(now);
    datagrams += received.value().datagrams;
    emptied_ = received.value().emptied;
  } while (!emptied_ && now < deadline);
  rhythm_.Drained(datagrams, emptied_, now);
}

void Reader::Book(std::uint64_t now_ns) {
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const Datagram datagram = batch_[i];
    switch (datagram.origin) {
      case Datagram::Origin::kKernel:
        BookDatagram(datagram.bytes, now_ns);
        break;
      case Datagram::Origin::kForeign:
        ledger_.Reject(Rejection::kForeignSender);
        break;
      case Datagram::Origin::kOversized:
        ledger_.Reject(Rejection::kOversized);
        break;
    }
  }
}

void Reader::BookDatagram(std::span<const std::byte> bytes, std::uint64_t now_ns) {
  Decoder decoder(bytes);
  while (decoder.Next(message_)) {
    ledger_.Book(message_, now_ns);
    if (message_.outcome != Outcome::kEvent) {
      continue;
    }
    if (message_.event.kind() != EventKind::kAck) {  // anybody can provoke an ACK while nothing else is made
      blind_.NoteLife(now_ns);
    }
    const auto* const comm = std::get_if<CommBody>(&message_.event.body);
    if (comm != nullptr && source_->IsEcho(*comm)) {
      HearCanary(now_ns);
    }
    if (cut_ && cut_->counted() && !ForksMissing()) {
      FillSnapshot();
    }
  }
}

void Reader::HearCanary(std::uint64_t now_ns) {
  if (watch_.waiting() && growth_at_sound_) {
    const std::uint64_t unseen = audit_.NoteAlive(*growth_at_sound_, Booked());
    if (unseen > 0) {
      notices_.Post({.kind = Notice::Kind::kUnseen, .number = unseen});
    }
  }
  watch_.Heard(now_ns);
}

void Reader::Judge() {
  if (watch_.waiting() && emptied_ && watch_.Unheard(source_->Queue().drops, MonotonicNanos())) {
    Distrust(RestartReason::kSilence, kFellSilent);
  }
}

void Reader::Answer() {
  if (!cut_) {
    return;
  }
  const std::uint64_t now = MonotonicNanos();
  Cut::Step step = NextStep(now);
  if (step == Cut::Step::kCountForks) {
    CountForks(now);
    step = NextStep(now);
  }
  switch (step) {
    case Cut::Step::kAnswer:
      FillSnapshot();
      return;
    case Cut::Step::kTour:
      tour_.Begin(queue_.drops, now);
      return;
    case Cut::Step::kDoubt:
      watch_.Hurry(now);
      return;
    case Cut::Step::kCountForks:
    case Cut::Step::kWait:
      return;
  }
}

Cut::Step Reader::NextStep(std::uint64_t now_ns) {
  return cut_->Next({.emptied = emptied_,
                     .touring = tour_.under_way(),
                     .losses_hidden = tour_.Hides(queue_.drops),
                     .forks_missing = ForksMissing()},
                    now_ns);
}

void Reader::CountForks(std::uint64_t now_ns) {
  cut_->NoteCounted(now_ns);
  growth_at_cut_ = ForkGrowth();
  if (growth_at_cut_ && !watch_.listening()) {
    audit_.CountUnseen(*growth_at_cut_, Booked());
  }
}

bool Reader::ForksMissing() const { return growth_at_cut_ && audit_.Missing(*growth_at_cut_, Booked()) > 0; }

void Reader::FillSnapshot() {
  const std::uint64_t since = cut_->since_ns();
  const auto growth = std::exchange(growth_at_cut_, std::nullopt);
  cut_.reset();
  Snapshot* const snapshot = exchange_.Begin();
  if (snapshot == nullptr) {
    return;
  }
  const std::uint64_t now = MonotonicNanos();
  queue_ = source_->Queue();
  snapshot->taken_ns = since;
  snapshot->loss_exact = loss_exact_;
  snapshot->numbers = ledger_.numbers();
  snapshot->listening = watch_.listening();
  snapshot->cause = cause_;
  snapshot->restarts = restarts_;
  snapshot->blind_ns = blind_.Total(now);
  snapshot->forks_unseen = audit_.unseen();
  snapshot->kernel_forks = growth;
  snapshot->socket_drops = queue_.drops;
  snapshot->queue_peak_bytes = peak_.Peak(now);
  snapshot->queue_limit_bytes = queue_.limit_bytes;
  snapshot->reader_cpu_ns = NanosOf(CLOCK_THREAD_CPUTIME_ID);
  exchange_.Finish();
}

std::optional<std::uint64_t> Reader::ForkGrowth() {
  if (!loss_exact_) {
    return std::nullopt;  // with a narrowed mask nobody can tell what was lost from what was left out
  }
  const auto forks = proc_stat_.Forks();
  return forks ? std::optional(audit_.Growth(forks.value(), Booked())) : std::nullopt;
}

void Reader::Tend() {
  const std::uint64_t now = MonotonicNanos();
  switch (watch_.DutyAt(now)) {
    case Watch::Duty::kRenew:
      Subscribe();
      return;
    case Watch::Duty::kSound:
      SoundCanary();
      return;
    case Watch::Duty::kNone:
      break;
  }
  if (emptied_ && tour_.Hides(queue_.drops) && now >= tour_.next_ns()) {
    tour_.Begin(queue_.drops, now);
  }
  if (tour_.under_way() && source_->Tour(now + kLongestTourStep)) {
    tour_.End();
  }
}

void Reader::Subscribe() {
  if (attempts_++ > 0) {
    ++restarts_[static_cast<std::size_t>(watch_.reason())];
  }
  const Status renewed = Renew(*source_);
  const std::uint64_t now = MonotonicNanos();
  if (!renewed) {
    if (renewed.error() != cause_) {
      cause_ = renewed.error();
      notices_.Post({.kind = Notice::Kind::kNotListening, .error = cause_});
    }
    watch_.RenewFailed(now);
    return;
  }
  watch_.Renewed(now);
  emptied_ = false;
  for (int i = 0; i < kMostDrainsAtStart && !emptied_; ++i) {
    Drain();
  }
  if (!watch_.listening()) {
    return;  // it broke at once
  }
  if (const auto growth = ForkGrowth()) {
    audit_.CountUnseen(*growth, Booked());
  }
  tour_.Begin(queue_.drops, now);
  ReportListening(now);
}

void Reader::ReportListening(std::uint64_t now_ns) {
  cause_ = {};
  notices_.Post({.kind = Notice::Kind::kListening, .number = blind_.End(now_ns) / kNanosPerMilli});
  if (queue_.limit_bytes < queue_.wanted_bytes && buffer_told_ != queue_.limit_bytes) {
    buffer_told_ = queue_.limit_bytes;
    notices_.Post(
        {.kind = Notice::Kind::kSmallBuffer, .number = queue_.limit_bytes / 2, .wanted = queue_.wanted_bytes / 2});
  }
}

void Reader::SoundCanary() {
  growth_at_sound_ = ForkGrowth();
  watch_.Sounded(source_->Queue().drops);
  source_->Sound();
}

void Reader::Distrust(RestartReason reason, const Error& cause) {
  if (!watch_.listening()) {
    return;
  }
  cause_ = cause;
  blind_.Begin();
  watch_.Distrust(reason, MonotonicNanos());
  notices_.Post(
      {.kind = reason == RestartReason::kSilence ? Notice::Kind::kSilence : Notice::Kind::kFault, .error = cause});
}

std::uint64_t Reader::NextTurn(std::uint64_t now_ns) const {
  if (!emptied_ || tour_.under_way() || watch_.waiting()) {
    return now_ns;
  }
  if (exchange_.Asked()) {
    return cut_ ? now_ns + kNanosPerMilli : now_ns;
  }
  std::uint64_t next = watch_.next_ns();
  if (!rhythm_.resting()) {
    next = std::min(next, rhythm_.due_ns());
  }
  if (tour_.Hides(queue_.drops)) {
    next = std::min(next, std::max(rhythm_.due_ns(), tour_.next_ns()));
  }
  return next;
}

void Reader::Wait() {
  const bool may_wake = rhythm_.resting() && watch_.listening();
  if (waiter_.Wait(may_wake ? source_->fd() : -1, NextTurn(MonotonicNanos()))) {
    exchange_.Heard();
  }
}

}  // namespace procevent
