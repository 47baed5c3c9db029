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

#include "core/base/input_error.h"
#include "core/base/system.h"
#include "core/base/text.h"

namespace procevent {

namespace {

std::string_view GetVariable(const char* name) {
  const char* const text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): the environment never changes
  return text == nullptr ? std::string_view{} : text;
}

struct Address {
  sockaddr_un name{};
  socklen_t size = 0;
};

Result<Address> MakeAddress(std::string_view socket) {
  Address address;
  const bool abstract = socket.starts_with('@');
  const std::size_t max_bytes = sizeof address.name.sun_path - 1;  // a path ends in a NUL
  if ((!abstract && !socket.starts_with('/')) || socket.size() > max_bytes) {
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
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max() / 1000;  // fits in nanoseconds
  const std::chrono::microseconds watchdog(std::min(ParseInteger<std::uint64_t>(text).value_or(0), kMax));
  if (watchdog >= kMinWatchdog) {
    return watchdog;
  }
  const InputError error{.key = "WATCHDOG_USEC",
                         .problem = InvalidValue(text),
                         .expected = "at least " + std::to_string(kMinWatchdog.count()) + " microseconds"};
  log({LogLevel::kWarning,
       Describe(error) + "; no watchdog messages are sent: set WatchdogSec=2s or more, or unset it"});
  return std::chrono::microseconds(0);
}

// A service manager that does not read its socket blocks the main loop for at most kMaxWait per message.
Result<OwnedFd> MakeSocket() {
  constexpr timeval kMaxWait{.tv_sec = 0, .tv_usec = 250'000};
  OwnedFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    return Error{"notify the service manager", errno,
                 "allow unix sockets (RestrictAddressFamilies=AF_UNIX) and more open files (ulimit -n)"};
  }
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kMaxWait, sizeof kMaxWait);
  return fd;
}

constexpr std::chrono::seconds kRetryDelay{5};

}  // namespace

ServiceSettings ParseServiceSettings(std::string_view socket, std::string_view watchdog_usec,
                                     std::string_view watchdog_pid, pid_t own_pid, const LogFunction& log) {
  ServiceSettings settings{.socket = std::string(socket)};
  if (socket.empty() || watchdog_usec.empty()) {
    return settings;
  }
  const auto pid = watchdog_pid.empty() ? own_pid : ParseInteger<std::int64_t>(watchdog_pid);
  if (!pid || *pid <= 0) {
    const InputError error{.key = "WATCHDOG_PID", .problem = InvalidValue(watchdog_pid), .expected = "a process id"};
    log({LogLevel::kWarning,
         Describe(error) + "; no watchdog messages are sent: leave it to the service manager, or unset it"});
  } else if (pid == own_pid) {
    settings.watchdog = ParseWatchdog(watchdog_usec, log);
  }
  return settings;
}

ServiceSettings LoadServiceSettings(const LogFunction& log) {
  return ParseServiceSettings(GetVariable("NOTIFY_SOCKET"), GetVariable("WATCHDOG_USEC"), GetVariable("WATCHDOG_PID"),
                              ::getpid(), log);
}

ServiceNotifier::ServiceNotifier(std::string socket, LogFunction log)
    : socket_(std::move(socket)), log_(std::move(log)) {}

bool ServiceNotifier::SendReady(std::string_view status) {
  return SendOrWarn("READY=1\nSTATUS=" + std::string(status));
}
bool ServiceNotifier::SendStatus(std::string_view status) { return SendOrWarn("STATUS=" + std::string(status)); }
void ServiceNotifier::SendWatchdog() { SendOrWarn("WATCHDOG=1"); }
void ServiceNotifier::SendReloading() {
  constexpr std::uint64_t kNanosPerMicro = 1000;
  SendOrWarn("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(MonotonicNanos() / kNanosPerMicro));
}
void ServiceNotifier::SendStopping() { SendOrWarn("STOPPING=1"); }

bool ServiceNotifier::SendOrWarn(const std::string& message) {
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
  const auto address = MakeAddress(socket_);
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

ServiceStatusReporter::ServiceStatusReporter(const ServiceSettings& settings, StateQuery query, LogFunction log)
    : query_(std::move(query)), notifier_(settings.socket, std::move(log)), watchdog_(settings.watchdog) {}

void ServiceStatusReporter::NotifyReady(std::string remark) {
  remark_ = std::move(remark);
  ready_pending_ = notifier_.enabled();
  if (ready_pending_) {
    Report(QueryAndSchedule());
  }
}

void ServiceStatusReporter::Update() {
  if (!notifier_.enabled()) {
    return;
  }
  const SubscriptionStatus state = QueryAndSchedule();
  Report(state);
  if (state.responsive && watchdog_.count() > 0) {
    notifier_.SendWatchdog();
  }
}

std::string ServiceStatusReporter::FormatStatus(const SubscriptionStatus& state) const {
  const std::string ready = state.replayed ? "replaying a capture" : "subscribed to process events";
  return (state.receiving ? ready : "not ready: " + Describe(state.receiving.error())) +
         (remark_.empty() ? "" : "; " + remark_);
}

// A status that could not be sent is retried after kRetryDelay.
void ServiceStatusReporter::Report(const SubscriptionStatus& state) {
  std::string status = FormatStatus(state);
  if (ready_pending_ ? notifier_.SendReady(status) : status == sent_status_ || notifier_.SendStatus(status)) {
    ready_pending_ = false;
    sent_status_ = std::move(status);
  } else {
    ScheduleIn(kRetryDelay);
  }
}

// A watchdog message is sent at half of the watchdog time. A reader that does not answer may only be slow, so it is
// queried again sooner.
SubscriptionStatus ServiceStatusReporter::QueryAndSchedule() {
  due_ns_.reset();
  if (watchdog_.count() == 0) {
    SubscriptionStatus state = query_(kSnapshotTimeout);
    if (!state.responsive) {
      ScheduleIn(kRetryDelay);
    }
    return state;
  }
  const auto quarter = std::chrono::duration_cast<std::chrono::milliseconds>(watchdog_ / 4);
  SubscriptionStatus state = query_(std::clamp(quarter, std::chrono::milliseconds(1), kSnapshotTimeout));
  ScheduleIn(state.responsive ? watchdog_ / 2 : watchdog_ / 16);
  return state;
}

void ServiceStatusReporter::ScheduleIn(std::chrono::nanoseconds delay) {
  const std::uint64_t then = MonotonicNanos() + static_cast<std::uint64_t>(delay.count());
  due_ns_ = std::min(due_ns_.value_or(then), then);
}

}  // namespace procevent
