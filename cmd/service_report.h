// Keeps the service manager told how the exporter is: ready, hearing the kernel or not, alive. What it says is the
// reader's own answer, so a reader that hangs is not called alive, and the service manager restarts the process.
// Serve's loop owns one; where there is no service manager it does nothing and asks nobody.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "cmd/service_manager.h"
#include "exporter/listener_state.h"

namespace procevent {

class ServiceReport {
 public:
  // Waits for the reader, as long as it may.
  using Ask = std::function<ListenerState(std::chrono::milliseconds patience)>;

  ServiceReport(const ServiceSettings& settings, Ask ask, ServiceManager::Warn warn);

  // The server listens. `remark`: what its status says besides, from then on.
  void Ready(std::string remark = {});
  // Something happened, or the time has come: asks, and tells what changed.
  void Turn();
  // When Turn has something to do though nothing happened; CLOCK_MONOTONIC.
  [[nodiscard]] std::optional<std::uint64_t> NextDue() const { return due_ns_; }

  // Around a reload of the configuration: Reloading, then Ready, with what is not in force after it.
  void Reloading() { manager_.Reloading(); }
  void Stopping() { manager_.Stopping(); }

 private:
  ListenerState Look();
  void BeDueIn(std::chrono::nanoseconds pause);
  void Report(const ListenerState& state);
  [[nodiscard]] std::string StatusOf(const ListenerState& state) const;

  const Ask ask_;
  ServiceManager manager_;
  const std::chrono::nanoseconds watchdog_;
  std::optional<std::uint64_t> due_ns_;
  bool owes_ready_ = false;
  std::string remark_;
  std::string status_;  // as last told
};

}  // namespace procevent
