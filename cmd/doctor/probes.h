// FOLDED: subscription_probe.h, probes.h
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/schema/effective_config.h"
#include "core/base/result.h"
#include "core/protocol/event.h"
#include "core/protocol/event_mask.h"
#include "core/sources/connector/proc_connector.h"
#include "core/sources/connector/subscription_error.h"

namespace procevent {

// Proof that the kernel speaks to us: a subscription of its own, and a child of its own that must be heard in it.
// doctor uses it.

// What a child does to be heard, as far as the mask lets it through: it is forked, renames itself, and exits with a
// status that is known. Pure.
class ExpectedChildEvents {
 public:
  static constexpr int kStatus = 42;

  ExpectedChildEvents(pid_t child, EventMask mask);
  void RecordEvent(const Event& event);

  [[nodiscard]] const std::vector<EventKind>& received() const { return heard_; }
  [[nodiscard]] const std::vector<EventKind>& missing() const { return missing_; }  // not yet heard

 private:
  [[nodiscard]] bool IsOfChild(const Event& event) const;

  pid_t child_;
  std::vector<EventKind> missing_;
  std::vector<EventKind> heard_;
};

struct SubscriptionProbe {
  Status opened = Success{};         // a socket of the connector
  std::uint32_t buffer_bytes = 0;    // that it got
  Status acknowledged = Success{};   // by the kernel, in answer to us
  Status forked = Success{};         // the child was made, and its events could be received
  std::vector<EventKind> heard;      // of the child's
  std::vector<EventKind> not_heard;  // that should have been
};
// Takes up to a few seconds; ends its subscription. The process must have no other threads.
SubscriptionProbe ProbeSubscription(const ConnectorOptions& options);

// What doctor finds out about the machine and this process's place in it. Only looks: what it means is for the checks
// to say.

struct ProbeResults {
  std::string kernel_release;  // as uname tells it
  bool net_admin = false;      // CAP_NET_ADMIN is heeded here
  bool proc_mounted = true;
  ConnectorEnvironment around;
  std::uint32_t buffer_wanted = 0;  // bytes
  std::optional<std::uint64_t> buffer_sysctl;
  SubscriptionProbe subscription;
  Status processes = Success{};          // those of others are seen in /proc
  Status forks = Success{};              // the kernel's count of them can be read
  std::string start_fault;               // why what it starts with cannot be had; empty: it can
  Status threads = Success{};            // those that read and serve can be had beside it
  std::optional<std::string> few_files;  // may be open: what that does, and what helps
  bool too_few_files = false;            // to start at all
  std::string addresses;                 // to serve on
  std::string address_fault;             // why that fails; empty: they are free
};

ProbeResults ProbeMachine(const Config& config);

}  // namespace procevent
