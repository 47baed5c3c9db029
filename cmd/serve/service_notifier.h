// FOLDED: service_manager.h, service_report.h
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

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
  using WarnFunction = std::function<void(std::string_view text)>;

  // A message that cannot be delivered is warned of, the first time.
  ServiceNotifier(std::string socket, WarnFunction warn);

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
  WarnFunction warn_;
  OwnedFd fd_;
  bool warned_ = false;
};

// Whose beats are wanted more often gets none, and a warning: a healthy reader may take a second to answer.
inline constexpr std::chrono::microseconds kMinWatchdog{2'000'000};

// From the texts of NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID; empty is as good as not set. What cannot be obeyed
// is warned of, in one line. Pure.
ServiceSettings ParseServiceSettings(std::string_view socket, std::string_view watchdog_usec,
                                     std::string_view watchdog_pid, pid_t own,
                                     const ServiceNotifier::WarnFunction& warn);
// From this process's environment.
ServiceSettings LoadServiceSettings(const ServiceNotifier::WarnFunction& warn);

// Keeps the service manager told how the exporter is: ready, hearing the kernel or not, alive. What it says is the
// reader's own answer, so a reader that hangs is not called alive, and the service manager restarts the process.
// Serve's loop owns one; where there is no service manager it does nothing and asks nobody.

class ServiceStatusReporter {
 public:
  // Waits for the reader, as long as it may.
  using StateQuery = std::function<SubscriptionStatus(std::chrono::milliseconds patience)>;

  ServiceStatusReporter(const ServiceSettings& settings, StateQuery ask, ServiceNotifier::WarnFunction warn);

  // The server listens. `remark`: what its status says besides, from then on.
  void NotifyReady(std::string remark = {});
  // Something happened, or the time has come: asks, and tells what changed.
  void Update();
  // When Turn has something to do though nothing happened; CLOCK_MONOTONIC.
  [[nodiscard]] std::optional<std::uint64_t> NextDue() const { return due_ns_; }

  // Around a reload of the configuration: Reloading, then Ready, with what is not in force after it.
  void NotifyReloading() { manager_.SendReloading(); }
  void NotifyStopping() { manager_.SendStopping(); }

 private:
  SubscriptionStatus Look();
  void BeDueIn(std::chrono::nanoseconds pause);
  void Report(const SubscriptionStatus& state);
  [[nodiscard]] std::string StatusOf(const SubscriptionStatus& state) const;

  const StateQuery ask_;
  ServiceNotifier manager_;
  const std::chrono::nanoseconds watchdog_;
  std::optional<std::uint64_t> due_ns_;
  bool owes_ready_ = false;
  std::string remark_;
  std::string status_;  // as last told
};

}  // namespace procevent
