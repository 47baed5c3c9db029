#include "cmd/subscription_probe.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "cmd/signals.h"
#include "core/base/clock.h"
#include "core/protocol/decoder.h"
#include "core/source/proc_connector.h"

namespace procevent {
namespace {

constexpr std::chrono::milliseconds kPatience{2000};

void Hear(const DatagramBatch& batch, ChildStory& story) {
  Message message;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].origin != Datagram::Origin::kKernel) {
      continue;
    }
    Decoder decoder(batch[i].bytes);
    while (decoder.Next(message)) {
      if (message.outcome == Outcome::kEvent) {
        story.Hear(message.event);
      }
    }
  }
}

Status Listen(ProcConnector& connector, ChildStory& story) {
  DatagramBatch batch;
  const std::uint64_t deadline = MonotonicNanos() + static_cast<std::uint64_t>(kPatience.count()) * kNanosPerMilli;
  while (!story.missing().empty() && MonotonicNanos() < deadline) {
    if (const auto received = connector.Receive(batch, std::chrono::milliseconds(100)); !received) {
      return received.error();
    }
    Hear(batch, story);
  }
  return Success{};
}

void HearAChild(ProcConnector& connector, EventMask mask, SubscriptionProbe& probe) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_NAME, "pe-doctor-child");
    ::_exit(ChildStory::kStatus);
  }
  if (child < 0) {
    probe.forked = Error{"fork a child", errno, "raise the limit of processes (ulimit -u, or the cgroup's pids.max)"};
    return;
  }
  ChildStory story(child, mask);
  probe.forked = Listen(connector, story);
  probe.heard = story.heard();
  probe.not_heard = story.missing();
  ::waitpid(child, nullptr, 0);
}

}  // namespace

ChildStory::ChildStory(pid_t child, EventMask mask) : child_(child) {
  for (const EventKind kind : {EventKind::kFork, EventKind::kComm, EventKind::kExit}) {
    if (mask.With(EventKind::kComm).Has(kind)) {
      missing_.push_back(kind);
    }
  }
}

void ChildStory::Hear(const Event& event) {
  const auto awaited = std::ranges::find(missing_, event.kind());
  if (awaited != missing_.end() && IsOfChild(event)) {
    missing_.erase(awaited);
    heard_.push_back(event.kind());
  }
}

bool ChildStory::IsOfChild(const Event& event) const {
  if (const auto* const fork = std::get_if<ForkBody>(&event.body)) {
    return fork->child.pid == child_;
  }
  if (const auto* const comm = std::get_if<CommBody>(&event.body)) {
    return comm->task.pid == child_;
  }
  const auto* const exit = std::get_if<ExitBody>(&event.body);
  return exit != nullptr && exit->task.pid == child_ && exit->wait_status == static_cast<unsigned>(kStatus) << 8U;
}

SubscriptionProbe ProbeSubscription(const ConnectorOptions& options) {
  SubscriptionProbe probe;
  auto opened = ProcConnector::Open(options);
  if (!opened) {
    probe.opened = opened.error();
    return probe;
  }
  ProcConnector connector = std::move(opened).value();
  probe.buffer_bytes = connector.Memory().limit_bytes / 2;  // the kernel doubles what is asked for
  // Who is interrupted while it listens would leave the kernel with a listener too many.
  const sigset_t blocked = BlockSignals();
  probe.acknowledged = connector.Subscribe(kPatience);
  if (probe.acknowledged) {
    HearAChild(connector, options.events, probe);
  }
  connector.Unsubscribe();
  RestoreSignals(blocked);
  return probe;
}

}  // namespace procevent
