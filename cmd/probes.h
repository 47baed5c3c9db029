// What doctor finds out about the machine and this process's place in it. Only looks: what it means is for the checks
// to say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cmd/subscription_probe.h"
#include "config/config.h"
#include "core/base/result.h"
#include "core/source/subscribe_fault.h"

namespace procevent {

struct Probes {
  std::string kernel_release;  // as uname tells it
  bool net_admin = false;      // CAP_NET_ADMIN is heeded here
  bool proc_mounted = true;
  Surroundings around;
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

Probes ProbeMachine(const Config& config);

}  // namespace procevent
