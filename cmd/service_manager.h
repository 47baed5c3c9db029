// Speaks to the service manager (systemd: `Type=notify`), in its protocol sd_notify: datagrams to the socket that
// NOTIFY_SOCKET names. Where that is not set nothing happens at all. The main thread owns one.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/owned_fd.h"
#include "core/base/result.h"

namespace procevent {

// What the service manager left in the environment.
struct ServiceSettings {
  std::string socket;                     // a path, or '@' and an abstract name; empty: there is nobody to tell
  std::chrono::microseconds watchdog{0};  // we are ended if no beat comes for so long; 0: none is sent
};

class ServiceManager {
 public:
  using Warn = std::function<void(std::string_view text)>;

  // A message that cannot be delivered is warned of, the first time.
  ServiceManager(std::string socket, Warn warn);

  [[nodiscard]] bool listens() const { return !socket_.empty(); }

  // Whether it was sent. `status`: one sentence, shown by `systemctl status`.
  [[nodiscard]] bool Ready(std::string_view status);
  [[nodiscard]] bool Renew(std::string_view status);
  void Beat();
  // The configuration is read anew; Ready ends it.
  void Reloading();
  void Stopping();

 private:
  bool Tell(const std::string& message);
  [[nodiscard]] Status Send(std::string_view message);

  std::string socket_;
  Warn warn_;
  OwnedFd fd_;
  bool warned_ = false;
};

// Whose beats are wanted more often gets none, and a warning: a healthy reader may take a second to answer.
inline constexpr std::chrono::microseconds kShortestWatchdog{2'000'000};

// From the texts of NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID; empty is as good as not set. What cannot be obeyed
// is warned of, in one line. Pure.
ServiceSettings ReadServiceSettings(std::string_view socket, std::string_view watchdog_usec,
                                    std::string_view watchdog_pid, pid_t own, const ServiceManager::Warn& warn);
// From this process's environment.
ServiceSettings OwnServiceSettings(const ServiceManager::Warn& warn);

}  // namespace procevent
