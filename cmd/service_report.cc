#include "cmd/service_report.h"

#include <algorithm>
#include <utility>

#include "core/base/clock.h"

namespace procevent {
namespace {

constexpr std::chrono::seconds kPause{5};

}  // namespace

ServiceReport::ServiceReport(const ServiceSettings& settings, Ask ask, ServiceManager::Warn warn)
    : ask_(std::move(ask)), manager_(settings.socket, std::move(warn)), watchdog_(settings.watchdog) {}

void ServiceReport::Ready(std::string remark) {
  remark_ = std::move(remark);
  owes_ready_ = manager_.listens();
  if (owes_ready_) {
    Report(Look());
  }
}

void ServiceReport::Turn() {
  if (!manager_.listens()) {
    return;
  }
  const ListenerState state = Look();
  Report(state);
  if (state.answered && watchdog_.count() > 0) {
    manager_.Beat();
  }
}

std::string ServiceReport::StatusOf(const ListenerState& state) const {
  const std::string hearing = state.replayed ? "replaying a capture" : "hearing the kernel's process events";
  return (state.cause.empty() ? hearing : "not ready: " + state.cause) + (remark_.empty() ? "" : "; " + remark_);
}

// What could not be sent is sent again soon.
void ServiceReport::Report(const ListenerState& state) {
  std::string status = StatusOf(state);
  if (owes_ready_ ? manager_.Ready(status) : status == status_ || manager_.Renew(status)) {
    owes_ready_ = false;
    status_ = std::move(status);
  } else {
    BeDueIn(kPause);
  }
}

// A beat comes at half of the time there is. A reader that does not answer is asked again soon: it may be slow only.
ListenerState ServiceReport::Look() {
  due_ns_.reset();
  if (watchdog_.count() == 0) {
    ListenerState state = ask_(kAnswerTimeout);
    if (!state.answered) {
      BeDueIn(kPause);
    }
    return state;
  }
  const auto quarter = std::chrono::duration_cast<std::chrono::milliseconds>(watchdog_ / 4);
  ListenerState state = ask_(std::clamp(quarter, std::chrono::milliseconds(1), kAnswerTimeout));
  BeDueIn(state.answered ? watchdog_ / 2 : watchdog_ / 16);
  return state;
}

void ServiceReport::BeDueIn(std::chrono::nanoseconds pause) {
  const std::uint64_t then = MonotonicNanos() + static_cast<std::uint64_t>(pause.count());
  due_ns_ = std::min(due_ns_.value_or(then), then);
}

}  // namespace procevent
