#include "cmd/serve/service_notifier.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

#include "config/yaml/config_error.h"
#include "core/base/system.h"
#include "core/base/text.h"

namespace procevent {

namespace {

std::string_view Environment(const char* name) {
  const char* const text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody changes it
  return text == nullptr ? std::string_view{} : text;
}

struct Address {
  sockaddr_un name{};
  socklen_t size = 0;
};

Result<Address> AddressOf(std::string_view socket) {
  Address address;
  const bool abstract = socket.starts_with('@');
  const std::size_t most = sizeof address.name.sun_path - 1;  // a path ends in a NUL
  if ((!abstract && !socket.starts_with('/')) || socket.size() > most) {
    return Error{"notify the service manager", EINVAL,
                 "set NOTIFY_SOCKET to an absolute path, or to '@' and a name, of at most 107 bytes"};
  }
  address.name.sun_family = AF_UNIX;
  std::ranges::copy(socket, &address.name.sun_path[0]);
  if (abstract) {
    address.name.sun_path[0] = '\0';
  }
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket.size() + (abstract ? 0 : 1));
  return address;
}

std::chrono::microseconds ParseWatchdog(std::string_view text, const LogFunction& log) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() / 1000;  // as nanoseconds
  const std::chrono::microseconds watchdog(std::min(ParseInteger<std::uint64_t>(text).value_or(0), kMost));
  if (watchdog >= kMinWatchdog) {
    return watchdog;
  }
  log({LogLevel::kWarning,
       "WATCHDOG_USEC: invalid value " + QuotePrintable(text) + ": expected at least " +
           std::to_string(kMinWatchdog.count()) +
           " microseconds; no watchdog messages are sent: set WatchdogSec=2s or more, or unset it"});
  return std::chrono::microseconds(0);
}

// Who does not take our messages does not stop us: for longer than this.
Result<OwnedFd> MakeSocket() {
  constexpr timeval kLongestWait{.tv_sec = 0, .tv_usec = 250'000};
  OwnedFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    return Error{"notify the service manager", errno,
                 "allow unix sockets (RestrictAddressFamilies=AF_UNIX) and more open files (ulimit -n)"};
  }
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kLongestWait, sizeof kLongestWait);
  return fd;
}

}  // namespace

ServiceSettings ParseServiceSettings(std::string_view socket, std::string_view watchdog_usec,
                                     std::string_view watchdog_pid, pid_t own_pid, const LogFunction& log) {
  ServiceSettings settings{.socket = std::string(socket)};
  if (socket.empty() || watchdog_usec.empty()) {
    return settings;
  }
  const auto pid = watchdog_pid.empty() ? own_pid : ParseInteger<std::int64_t>(watchdog_pid);
  if (!pid || *pid <= 0) {
    log({LogLevel::kWarning, "WATCHDOG_PID: invalid value " + QuotePrintable(watchdog_pid) +
                                 ": expected a process id; no watchdog messages are sent: leave it to the service "
                                 "manager, or unset it"});
  } else if (pid == own_pid) {
    settings.watchdog = ParseWatchdog(watchdog_usec, log);
  }
  return settings;
}

ServiceSettings LoadServiceSettings(const LogFunction& log) {
  return ParseServiceSettings(Environment("NOTIFY_SOCKET"), Environment("WATCHDOG_USEC"), Environment("WATCHDOG_PID"),
                              ::getpid(), log);
}

ServiceNotifier::ServiceNotifier(std::string socket, LogFunction log)
    : socket_(std::move(socket)), log_(std::move(log)) {}

bool ServiceNotifier::SendReady(std::string_view status) { return Tell("READY=1\nSTATUS=" + std::string(status)); }
bool ServiceNotifier::SendStatus(std::string_view status) { return Tell("STATUS=" + std::string(status)); }
void ServiceNotifier::SendWatchdog() { Tell("WATCHDOG=1"); }
void ServiceNotifier::SendReloading() {
  constexpr std::uint64_t kNanosPerMicro = 1000;
  Tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(MonotonicNanos() / kNanosPerMicro));
}
void ServiceNotifier::SendStopping() { Tell("STOPPING=1"); }

bool ServiceNotifier::Tell(const std::string& message) {
  if (!enabled()) {
    return false;
  }
  const Status sent = Send(message);
  if (!sent && !std::exchange(warned_, true)) {
    log_(MakeErrorMessage(LogLevel::kWarning, sent.error()));
  }
  return sent.ok();
}

Status ServiceNotifier::Send(std::string_view message) {
  const auto address = AddressOf(socket_);
  if (!address) {
    return address.error();
  }
  if (!fd_.valid()) {
    auto made = MakeSocket();
    if (!made) {
      return made.error();
    }
    fd_ = std::move(made).value();
  }
  const auto* const name = reinterpret_cast<const sockaddr*>(&address.value().name);
  while (::sendto(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL, name, address.value().size) < 0) {
    if (errno != EINTR) {
      return Error{"notify the service manager", errno,
                   "NOTIFY_SOCKET must name a socket that the service manager reads: start the exporter by the service "
                   "manager, or unset NOTIFY_SOCKET"};
    }
  }
  return Success{};
}

namespace {

constexpr std::chrono::seconds kPause{5};

}  // namespace

ServiceStatusReporter::ServiceStatusReporter(const ServiceSettings& settings, StateQuery query, LogFunction log)
    : query_(std::move(query)), notifier_(settings.socket, std::move(log)), watchdog_(settings.watchdog) {}

void ServiceStatusReporter::NotifyReady(std::string remark) {
  remark_ = std::move(remark);
  owes_ready_ = notifier_.enabled();
  if (owes_ready_) {
    Report(Look());
  }
}

void ServiceStatusReporter::Update() {
  if (!notifier_.enabled()) {
    return;
  }
  const SubscriptionStatus state = Look();
  Report(state);
  if (state.answered && watchdog_.count() > 0) {
    notifier_.SendWatchdog();
  }
}

std::string ServiceStatusReporter::StatusOf(const SubscriptionStatus& state) const {
  const std::string hearing = state.replayed ? "replaying a capture" : "hearing the kernel's process events";
  return (state.cause.empty() ? hearing : "not ready: " + state.cause) + (remark_.empty() ? "" : "; " + remark_);
}

// What could not be sent is sent again soon.
void ServiceStatusReporter::Report(const SubscriptionStatus& state) {
  std::string status = StatusOf(state);
  if (owes_ready_ ? notifier_.SendReady(status) : status == status_ || notifier_.SendStatus(status)) {
    owes_ready_ = false;
    status_ = std::move(status);
  } else {
    BeDueIn(kPause);
  }
}

// A beat comes at half of the time there is. A reader that does not answer is asked again soon: it may be slow only.
SubscriptionStatus ServiceStatusReporter::Look() {
  due_ns_.reset();
  if (watchdog_.count() == 0) {
    SubscriptionStatus state = query_(kSnapshotTimeout);
    if (!state.answered) {
      BeDueIn(kPause);
    }
    return state;
  }
  const auto quarter = std::chrono::duration_cast<std::chrono::milliseconds>(watchdog_ / 4);
  SubscriptionStatus state = query_(std::clamp(quarter, std::chrono::milliseconds(1), kSnapshotTimeout));
  BeDueIn(state.answered ? watchdog_ / 2 : watchdog_ / 16);
  return state;
}

void ServiceStatusReporter::BeDueIn(std::chrono::nanoseconds pause) {
  const std::uint64_t then = MonotonicNanos() + static_cast<std::uint64_t>(pause.count());
  due_ns_ = std::min(due_ns_.value_or(then), then);
}

}  // namespace procevent
