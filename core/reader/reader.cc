#include "core/reader/reader.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <utility>

#include "core/base/system.h"

namespace procevent {
namespace {

constexpr int kMaxDrainsAtStart = 50;  // a second
constexpr std::uint64_t kScrapeRetryInterval = kNanosPerMilli;

std::uint64_t Nanos(std::chrono::milliseconds duration) {
  return static_cast<std::uint64_t>(duration.count()) * kNanosPerMilli;
}

}  // namespace

Reader::Reader(ReaderSources sources, const ReaderOptions& options, unsigned cpus, EventCoverage coverage,
               const CountingOptions& counting_options, ProcFs proc, CaptureWriter* capture)
    : source_(std::move(sources.events)),
      processor_(cpus, coverage, counting_options),
      notices_(EventFd::MakeOrThrow()),
      inputs_(processor_, capture),
      secondary_(std::move(sources.secondary), inputs_, notices_),
      scanner_(processor_.reconciler(), inputs_, std::move(proc.pids), Nanos(options.proc_pass_interval)),
      forks_(std::move(proc.stat), processor_),
      losses_(*source_, processor_, inputs_, notices_),
      subscription_(*source_, forks_, losses_, notices_, Nanos(options.canary_interval), MonotonicNanos()),
      answerer_(Snapshot(cpus, counting_options), processor_, losses_, secondary_, subscription_, forks_),
      drain_(*source_, secondary_, processor_, inputs_, losses_, subscription_, answerer_,
             Nanos(options.drain_interval)),
      poller_(std::array{thread_.stop_fd(), answerer_.exchange().request_fd()}) {}

void Reader::StartWithoutWaiting(std::function<void()> begin) {
  thread_.Start("pe-reader", "start the reader thread", [this, begin = std::move(begin)] {
    if (begin) {
      begin();
    }
    RunUntilStopped();
  });
}

void Reader::Start(std::function<void()> begin) {
  StartWithoutWaiting(std::move(begin));
  first_attempt_.wait();
}

void Reader::Stop() {
  inputs_.StopBlockingOnCapture();
  thread_.Stop();
}

Numbers Reader::FinalNumbers() const {
  Numbers numbers(static_cast<unsigned>(processor_.stream().lost.size()), processor_.options());
  processor_.CopyTo(numbers);
  return numbers;
}

void Reader::RunUntilStopped() {
  try {
    Run();
  } catch (...) {
    notices_.Post(MakeThreadFailedNotice("process events"));
  }
  source_->Close();
  secondary_.Close();
  MarkAttempted();  // Start waits for it
}

void Reader::MarkAttempted() {
  if (!std::exchange(attempted_, true)) {
    first_attempt_.count_down();
  }
}

void Reader::Run() {
  CheckProc();
  forks_.ReadKernelForks();  // the audit starts at this count
  RunDueAction();
  PublishStatus();
  MarkAttempted();
  while (!thread_.stopping()) {
    ApplyReload();
    answerer_.UpdateRequest();
    drain_.Run();
    if (drain_.queue_empty() && MayScanProc()) {
      scanner_.RunScanStep(drain_.applied_until_ns(), MonotonicNanos());
    }
    subscription_.CheckCanary(drain_.queue_empty());
    answerer_.Answer(drain_.applied_until_ns());
    RunDueAction();
    WaitUntil(PublishStatus());
  }
  drain_.Run();                                               // events made before the stop
  losses_.Report(std::numeric_limits<std::uint64_t>::max());  // and losses that wait for their minute
}

void Reader::CheckProc() {
  const auto post_failure = [this](Notice::Kind kind, const Status& checked) {
    if (!checked) {
      const StaticError& error = checked.error();
      notices_.Post({.kind = kind, .error = error});
    }
  };
  post_failure(Notice::Kind::kForkCountUnreadable, forks_.CheckReadable());
  post_failure(Notice::Kind::kProcUnreadable, scanner_.CheckVisibility());
}

void Reader::ApplyReload() {
  if (const auto options = reloaded_.Consume()) {
    processor_.Reload(std::move(*options));
  }
}

// /proc is not trusted while a loss may be hidden.
bool Reader::MayScanProc() const {
  return subscription_.subscribed() && processor_.tracks_processes() && !losses_.probing() &&
         !losses_.any_hidden_drops();
}

void Reader::RunDueAction() {
  const std::uint64_t now = MonotonicNanos();
  switch (subscription_.ActionAt(now)) {
    case SubscriptionMonitor::Action::kSubscribe:
      Subscribe();
      return;
    case SubscriptionMonitor::Action::kSendCanary:
      subscription_.SendCanary();
      return;
    case SubscriptionMonitor::Action::kNone:
      losses_.ContinueProbe(drain_.queue_empty(), now);
      return;
  }
}

void Reader::Subscribe() {
  const bool renewal = subscription_.subscribed();
  const auto subscribed_ns = subscription_.Subscribe();
  if (!subscribed_ns) {
    return;
  }
  inputs_.BeginCapture();
  if (!renewal) {  // the sockets of a renewal overlap: nothing is missed
    RecoverMissedProcesses();
  }
  drain_.RunUntilEmpty(kMaxDrainsAtStart);
  if (subscription_.subscribed()) {  // otherwise the socket failed at once
    losses_.StartProbe(*subscribed_ns);
    subscription_.ConfirmSubscribed(losses_.queue(), drain_.queue_empty(), *subscribed_ns);
  }
}

// At the first subscription every process is read from /proc. Later ones invalidate what is known. Either way the
// subscription stands already, so events made meanwhile are received.
void Reader::RecoverMissedProcesses() {
  if (!processor_.tracks_processes()) {
    return;
  }
  if (scanner_.scanned_all()) {
    losses_.Invalidate(MonotonicNanos());
  } else {
    scanner_.ScanAllProcesses();
  }
}

std::uint64_t Reader::NextWakeNanos(std::uint64_t now_ns) const {
  if (!drain_.queue_empty() || losses_.probing() || subscription_.awaiting_canary()) {
    return now_ns;
  }
  if (answerer_.exchange().IsRequested()) {
    return answerer_.has_request() ? now_ns + kScrapeRetryInterval : now_ns;
  }
  const DrainScheduler& scheduler = drain_.scheduler();
  std::uint64_t next = subscription_.next_action_ns();
  if (!scheduler.idle()) {
    next = std::min(next, scheduler.next_drain_ns());
  }
  if (MayScanProc()) {
    next = std::min(next, scanner_.next_scan_ns());
  }
  if (losses_.any_hidden_drops()) {
    next = std::min(next, std::max(scheduler.next_drain_ns(), losses_.next_probe_ns()));
  }
  return next;
}

std::uint64_t Reader::PublishStatus() {
  const std::uint64_t now = MonotonicNanos();
  ReaderStatus status;
  status.published_ns = now;
  status.next_update_ns = NextWakeNanos(now);
  answerer_.FillStatus(status, now);
  answerer_.exchange().PublishStatus(status);
  return status.next_update_ns;
}

// Only at rest messages end the wait.
void Reader::WaitUntil(std::uint64_t due_ns) {
  wake_fds_.clear();
  if (drain_.scheduler().idle() && subscription_.subscribed()) {
    wake_fds_.push_back(source_->fd());
    secondary_.AppendFds(wake_fds_);
  }
  if (poller_.Wait(wake_fds_, due_ns)) {
    answerer_.exchange().ClearRequestSignal();
  }
}

}  // namespace procevent
