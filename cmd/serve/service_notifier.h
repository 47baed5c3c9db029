// FOLDED: service_manager.h, service_report.h
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

// Speaks to the service manager (systemd: `Type=notify`), in its protocol sd_notify: datagrams to the socket that
// NOTIFY_SOCKET names. Where that is not set nothing happens at all. The main thread owns one.

// What the service manager left in the environment.
struct ServiceSettings {
  std::string socket;                     // a path, or '@' and an abstract name; empty: there is nobody to tell
  std::chrono::microseconds watchdog{0};  // we are ended if no beat comes for so long; 0: none is sent
};

class ServiceNotifier {
 public:
  // A message that cannot be delivered is warned of, the first time.
  ServiceNotifier(std::string socket, LogFunction log);

  [[nodiscard]] bool enabled() const { return !socket_.empty(); }

  // Whether it was sent. `status`: one sentence, shown by `systemctl status`.
  [[nodiscard]] bool SendReady(std::string_view status);
  [[nodiscard]] bool SendStatus(std::string_view status);
  void SendWatchdog();
  // The configuration is read anew; Ready ends it.
  void SendReloading();
  void SendStopping();

 private:
  bool Tell(const std::string& message);
  [[nodiscard]] Status Send(std::string_view message);

  std::string socket_;
  LogFunction log_;
  OwnedFd fd_;
  bool warned_ = false;
};

// Whose beats are wanted more often gets none, and a warning: a healthy reader may take a second to answer.
inline constexpr std::chrono::microseconds kMinWatchdog{2'000'000};

// From the texts of NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID; empty is as good as not set. What cannot be obeyed
// is warned of, in one line. Pure.
ServiceSettings ParseServiceSettings(std::string_view socket, std::string_view watchdog_usec,
                                     std::string_view watchdog_pid, pid_t own_pid, const LogFunction& log);
// From this process's environment.
ServiceSettings LoadServiceSettings(const LogFunction& log);

// Keeps the service manager told how the exporter is: ready, hearing the kernel or not, alive. What it says is the
// reader's own answer, so a reader that hangs is not called alive, and the service manager restarts the process.
// Serve's loop owns one; where there is no service manager it does nothing and asks nobody.

class ServiceStatusReporter {
 public:
  // Waits for the reader, as long as it may.
  using StateQuery = std::function<SubscriptionStatus(std::chrono::milliseconds patience)>;

  ServiceStatusReporter(const ServiceSettings& settings, StateQuery query, LogFunction log);

  // The server listens. `remark`: what its status says besides, from then on.
  void NotifyReady(std::string remark = {});
  // Something happened, or the time has come: asks, and tells what changed.
  void Update();
  // When Turn has something to do though nothing happened; CLOCK_MONOTONIC.
  [[nodiscard]] std::optional<std::uint64_t> NextDue() const { return due_ns_; }

  // Around a reload of the configuration: Reloading, then Ready, with what is not in force after it.
  void NotifyReloading() { notifier_.SendReloading(); }
  void NotifyStopping() { notifier_.SendStopping(); }

 private:
  SubscriptionStatus Look();
  void BeDueIn(std::chrono::nanoseconds pause);
  void Report(const SubscriptionStatus& state);
  [[nodiscard]] std::string StatusOf(const SubscriptionStatus& state) const;

  const StateQuery query_;
  ServiceNotifier notifier_;
  const std::chrono::nanoseconds watchdog_;
  std::optional<std::uint64_t> due_ns_;
  bool owes_ready_ = false;
  std::string remark_;
  std::string status_;  // as last told
};

}  // namespace procevent
