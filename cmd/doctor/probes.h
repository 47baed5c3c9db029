// Probes the machine for `doctor`: kernel, privileges, namespaces, limits, and a subscription to process events.
// The probes only collect; EvaluateChecks interprets the results.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmd/serve/privilege.h"
#include "config/schema/effective_config.h"
#include "core/base/result.h"
#include "core/protocol/event.h"
#include "core/protocol/event_mask.h"
#include "core/sources/connector/proc_connector.h"
#include "core/sources/connector/subscription_error.h"

namespace procevent {

// Tracks which events of a probe child have been received. The child is forked, renames itself, and exits with
// kExitStatus. Only events that the mask lets through are expected. COMM is always
// expected: every subscription includes it for the canary. Pure.
class ExpectedChildEvents {
 public:
  static constexpr int kExitStatus = 42;

  ExpectedChildEvents(pid_t child, EventMask mask);
  void RecordEvent(const Event& event);

  [[nodiscard]] const std::vector<EventKind>& received() const { return received_; }
  [[nodiscard]] const std::vector<EventKind>& missing() const { return missing_; }

 private:
  [[nodiscard]] bool IsOfChild(const Event& event) const;

  pid_t child_;
  std::vector<EventKind> missing_;
  std::vector<EventKind> received_;
};

// The outcome of a trial subscription: whether the kernel delivers the events of a child process.
struct SubscriptionProbe {
  Status opened = Success{};         // the connector socket
  std::uint32_t buffer_bytes = 0;    // its receive buffer
  Status acknowledged = Success{};   // the kernel acknowledged the subscription
  std::int64_t clock_offset_ns = 0;  // how far the monotonic clock of this process is ahead of the kernel's
  Status child_probed = Success{};   // the child was forked, and receiving did not fail
  std::vector<EventKind> received;   // events of the child
  std::vector<EventKind> missing;    // expected events of the child that did not arrive in time
};
// Takes up to a few seconds and ends its subscription. Precondition: the process has no other threads, since it forks.
SubscriptionProbe ProbeSubscription(const ConnectorOptions& options);

// Everything that the probes found.
struct ProbeResults {
  std::string kernel_release;  // from uname
  bool has_net_admin = false;  // CAP_NET_ADMIN is effective in this user namespace
  bool proc_mounted = true;
  ConnectorEnvironment environment;
  std::uint32_t requested_buffer_bytes = 0;
  std::optional<std::uint64_t> rmem_max;  // the sysctl net.core.rmem_max, in bytes
  SubscriptionProbe subscription;
  Status proc_visibility = Success{};  // /proc shows the processes of other users
  Status clone_count = Success{};      // /proc/stat shows the kernel's clone count
  Status started = Success{};          // memory and descriptors suffice to start
  Status threads = Success{};          // the reader and server threads can be started
  std::optional<LowOpenFilesLimit> low_open_files_limit;
  std::string addresses;                   // the listen addresses, for display
  Status addresses_available = Success{};  // the server can listen on them
};

ProbeResults ProbeMachine(const Config& config);

}  // namespace procevent
