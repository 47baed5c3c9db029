// Reports readiness, status and liveness to the service manager (systemd `Type=notify`).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cmd/logging/log.h"
#include "core/base/file_descriptor.h"
#include "core/base/result.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {

// The service manager's settings, from the environment.
struct ServiceSettings {
  std::string socket;  // a path, or '@' and an abstract name; empty: there is no service manager
  // The service manager ends the process if no watchdog message arrives for this time. 0: none are sent.
  std::chrono::microseconds watchdog{0};
};

// Sends messages in the sd_notify protocol: datagrams to the socket that NOTIFY_SOCKET names. Does nothing where that
// variable is not set. Owned by the main thread.
class ServiceNotifier {
 public:
  // Logs a warning for the first message that cannot be delivered.
  ServiceNotifier(std::string socket, LogFunction log);

  [[nodiscard]] bool enabled() const { return !socket_.empty(); }

  // Returns whether the message was sent. `status`: one line, shown by `systemctl status`.
  [[nodiscard]] bool SendReady(std::string_view status);
  [[nodiscard]] bool SendStatus(std::string_view status);
  void SendWatchdog();
  // Starts a reload, which SendReady ends.
  void SendReloading();
  void SendStopping();

 private:
  bool SendOrWarn(const std::string& message);
  [[nodiscard]] Status Send(std::string_view message);

  std::string socket_;
  LogFunction log_;
  OwnedFd fd_;
  bool warned_ = false;
};

// A shorter watchdog time is rejected with a warning: a healthy reader may take a second to answer.
inline constexpr std::chrono::microseconds kMinWatchdog{2'000'000};

// Parses the values of NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. An empty value counts as not set. Logs one
// warning for an invalid value. Pure.
ServiceSettings ParseServiceSettings(std::string_view socket, std::string_view watchdog_usec,
                                     std::string_view watchdog_pid, pid_t own_pid, const LogFunction& log);
// Reads them from the environment of this process.
ServiceSettings LoadServiceSettings(const LogFunction& log);

// Keeps the service manager's view up to date: ready, subscribed or not, alive. Each report is based on an answer of
// the reader. If the reader hangs, no watchdog message is sent, and the service manager restarts the process. Owned by
// the main loop. Without a service manager it does nothing and queries nothing.
class ServiceStatusReporter {
 public:
  // Waits for the reader, at most for `timeout`.
  using StateQuery = std::function<SubscriptionStatus(std::chrono::milliseconds timeout)>;

  ServiceStatusReporter(const ServiceSettings& settings, StateQuery query, LogFunction log);

  // The server listens. `remark` is appended to the status from then on.
  void NotifyReady(std::string remark = {});
  // Queries the reader and sends a changed status, and a watchdog message if the reader answered.
  void Update();
  // When Update must be called even if nothing happened. CLOCK_MONOTONIC.
  [[nodiscard]] std::optional<std::uint64_t> NextDue() const { return due_ns_; }

  // Call before a reload of the configuration, and NotifyReady after it, with the keys that are not in force.
  void NotifyReloading() { notifier_.SendReloading(); }
  void NotifyStopping() { notifier_.SendStopping(); }

 private:
  SubscriptionStatus QueryAndSchedule();
  void ScheduleIn(std::chrono::nanoseconds delay);
  void Report(const SubscriptionStatus& state);
  [[nodiscard]] std::string FormatStatus(const SubscriptionStatus& state) const;

  const StateQuery query_;
  ServiceNotifier notifier_;
  const std::chrono::nanoseconds watchdog_;
  std::optional<std::uint64_t> due_ns_;
  bool ready_pending_ = false;  // READY=1 was not yet sent
  std::string remark_;
  std::string sent_status_;
};

}  // namespace procevent
