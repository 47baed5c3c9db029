#include "cmd/doctor/doctor.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "cmd/cli/output.h"
#include "cmd/doctor/probes.h"
#include "core/base/result.h"
#include "core/base/text.h"

namespace procevent {

namespace {

using State = Check::State;

Check Ok(std::string_view name, std::string finding) { return {name, State::kOk, std::move(finding), {}}; }

Check CheckFromError(std::string_view name, State state, const Error& error) {
  return {name, state, DescribeFinding(error), std::string(error.remedy)};
}

// The same without the operation: the cause alone is the finding.
Check CheckFromCause(std::string_view name, State state, const Error& error) {
  return {name, state, DescribeCause(error), std::string(error.remedy)};
}

// A finding of doctor itself.
Check NotOk(std::string_view name, State state, Cause finding, std::string_view remedy, std::string details = {}) {
  return CheckFromCause(name, state, {{}, finding, remedy, {}, std::move(details)});
}

// Major and minor number of a release like "6.18.44-generic".
std::optional<std::pair<unsigned, unsigned>> ParseKernelVersion(std::string_view release) {
  std::pair<unsigned, unsigned> version;
  const char* const end = release.data() + release.size();
  const auto [dot, error] = std::from_chars(release.data(), end, version.first);
  if (error != std::errc() || dot == end || *dot != '.' ||
      std::from_chars(dot + 1, end, version.second).ec != std::errc()) {
    return std::nullopt;
  }
  return version;
}

bool IsBeforeLinux66(const ProbeResults& probes) {
  const auto version = ParseKernelVersion(probes.kernel_release);
  return version && *version < std::pair(6U, 6U);
}

bool LacksConnector(const ProbeResults& probes) {
  const Status& opened = probes.subscription.opened;
  return !opened && (opened.error().cause.code == EPROTONOSUPPORT || opened.error().cause.code == EAFNOSUPPORT);
}

bool IsSubscribable(const ProbeResults& probes) {
  return probes.subscription.opened && probes.subscription.acknowledged;
}

Check KernelCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "kernel";
  constexpr std::string_view kWithoutEvents = "a kernel without process events";
  constexpr std::size_t kMaxBytes = 128;
  const std::string release = "Linux " + EscapeUnprintable(probes.kernel_release, kMaxBytes);
  if (LacksConnector(probes)) {
    return NotOk(kName, State::kFailed, kWithoutEvents, probes.subscription.opened.error().remedy, release);
  }
  if (probes.environment.no_proc_events) {
    return NotOk(kName, State::kFailed, kWithoutEvents, MakeNoAckError({.no_proc_events = true}).remedy, release);
  }
  const bool connector_visible = probes.proc_mounted && !probes.environment.foreign_network;
  if (!connector_visible && !IsSubscribable(probes)) {
    return NotOk(kName, State::kWarning, "cannot determine whether the kernel has CONFIG_PROC_EVENTS",
                 "run doctor in the host's network namespace, with /proc mounted", release);
  }
  return Ok(kName, release + ", with CONFIG_CONNECTOR and CONFIG_PROC_EVENTS");
}

Check CapabilityCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "capability";
  const bool in_foreign_namespace = probes.has_net_admin && probes.environment.foreign_users;
  if (probes.has_net_admin && !in_foreign_namespace) {
    return Ok(kName, "CAP_NET_ADMIN is effective");
  }
  const bool required = IsBeforeLinux66(probes);
  return NotOk(
      kName, required ? State::kFailed : State::kWarning,
      in_foreign_namespace ? "CAP_NET_ADMIN is effective only in this user namespace" : "CAP_NET_ADMIN is missing",
      in_foreign_namespace ? "run in the host's user namespace"
                           : "run as root, or with --cap-add NET_ADMIN (systemd: AmbientCapabilities=CAP_NET_ADMIN)",
      required ? "Linux before 6.6 requires it to subscribe"
               : "since Linux 6.6 only a receive buffer above net.core.rmem_max requires it");
}

// A kernel without the connector has no /proc/net/connector, so its network namespace must not be called foreign.
Check NamespacesCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "namespaces";
  const ConnectorEnvironment environment{
      .foreign_network = probes.environment.foreign_network && !LacksConnector(probes),
      .foreign_pids = probes.environment.foreign_pids,
      .foreign_users = probes.environment.foreign_users};
  if (environment.foreign_network || environment.foreign_pids || environment.foreign_users) {
    return CheckFromCause(kName, State::kFailed, MakeNoAckError(environment));
  }
  if (const std::int64_t offset_ns = probes.subscription.clock_offset_ns; offset_ns != 0) {
    return CheckFromCause(kName, State::kFailed, MakeTimeNamespaceError(offset_ns));
  }
  if (!probes.proc_mounted) {
    return NotOk(kName, State::kWarning, "cannot determine the namespaces without /proc", "mount /proc");
  }
  return Ok(kName, "the host's network, PID and user namespaces");
}

Check BufferCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "buffer";
  const auto kib = [](std::uint64_t bytes) { return std::to_string((bytes + 512) / 1024) + "KiB"; };
  const std::uint64_t granted = probes.subscription.buffer_bytes;
  if (!probes.subscription.opened) {
    return NotOk(kName, State::kWarning, "cannot determine the receive buffer without a connector socket",
                 "see the subscription check");
  }
  if (granted >= probes.requested_buffer_bytes) {
    return Ok(kName, "the receive buffer has the requested " + kib(granted));
  }
  return NotOk(kName, State::kWarning, "the receive buffer is smaller than requested: bursts lose events sooner",
               "give the process CAP_NET_ADMIN, or raise the sysctl net.core.rmem_max",
               kib(granted) + " of " + kib(probes.requested_buffer_bytes) +
                   (probes.rmem_max ? ", net.core.rmem_max is " + std::to_string(*probes.rmem_max) : ""));
}

Check ProcCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "proc";
  if (!probes.proc_mounted) {
    return NotOk(kName, State::kWarning, "/proc is not mounted",
                 "mount /proc: process names, kernel limits and the kernel's count of forks come from it");
  }
  return probes.proc_visibility ? Ok(kName, "/proc shows the processes of other users")
                                : CheckFromError(kName, State::kWarning, probes.proc_visibility.error());
}

Check AuditCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "audit";
  return probes.clone_count ? Ok(kName, "/proc/stat shows the kernel's count of forks")
                            : CheckFromError(kName, State::kWarning, probes.clone_count.error());
}

std::string JoinEventNames(const std::vector<EventKind>& kinds) {
  std::string names;
  for (const EventKind kind : kinds) {
    names += names.empty() ? "" : ", ";
    names += kEventNames.at(static_cast<std::size_t>(kind));
  }
  return names;
}

Check SubscriptionCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "subscription";
  const SubscriptionProbe& probe = probes.subscription;
  for (const Status* const status : {&probe.opened, &probe.acknowledged, &probe.child_probed}) {
    if (!*status) {
      return CheckFromError(kName, State::kFailed, status->error());
    }
  }
  if (!probe.missing.empty()) {
    return NotOk(kName, State::kFailed, "acknowledged, but events of a forked child were not received",
                 "run doctor again; if it fails again, find the program that ends the subscriptions of all listeners",
                 JoinEventNames(probe.missing));
  }
  return Ok(kName, "acknowledged, and events of a forked child were received: " + JoinEventNames(probe.received));
}

Check AddressCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "address";
  return probes.addresses_available ? Ok(kName, "available: " + probes.addresses)
                                    : CheckFromError(kName, State::kFailed, probes.addresses_available.error());
}

Check StartCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "start";
  return probes.started ? Ok(kName, "memory and file descriptors suffice to start")
                        : CheckFromError(kName, State::kFailed, probes.started.error());
}

Check ThreadsCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "threads";
  return probes.threads ? Ok(kName, "the server threads can be started")
                        : CheckFromError(kName, State::kFailed, probes.threads.error());
}

Check OpenFilesCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "open files";
  const std::optional<LowOpenFilesLimit>& low = probes.low_open_files_limit;
  if (!low) {
    return Ok(kName, "the limit of open files covers the maximum number of clients");
  }
  static_assert(LowOpenFilesLimit::kNeeded == 400, "the remedy contains the number");
  return NotOk(kName, low->too_low_to_serve ? State::kFailed : State::kWarning,
               low->too_low_to_serve ? "the limit of open files is too low to serve"
                                     : "the limit of open files is low: many clients at once can delay scrapes",
               "raise the limit of open files (ulimit -n) to 400 or more", std::to_string(low->limit));
}

// Both are indexed by Check::State. Capitals make a failure stand out among the lines.
constexpr std::array<std::string_view, 3> kStateColumns{"ok     ", "warning", "FAILED "};
constexpr std::array<std::string_view, 3> kStateNames{"ok", "warning", "failed"};

}  // namespace

std::vector<Check> EvaluateChecks(const ProbeResults& probes) {
  return {KernelCheck(probes),  CapabilityCheck(probes), NamespacesCheck(probes),   BufferCheck(probes),
          ProcCheck(probes),    AuditCheck(probes),      SubscriptionCheck(probes), StartCheck(probes),
          ThreadsCheck(probes), OpenFilesCheck(probes),  AddressCheck(probes)};
}

bool NoCheckFailed(const std::vector<Check>& checks) {
  return std::ranges::none_of(checks, [](const Check& check) { return check.state == State::kFailed; });
}

std::string FormatChecksAsText(const std::vector<Check>& checks) {
  std::string lines;
  for (const Check& check : checks) {
    lines += std::string(kStateColumns.at(static_cast<std::size_t>(check.state))) + ' ' + std::string(check.name) +
             ": " + check.finding + (check.remedy.empty() ? "" : "; " + check.remedy) + '\n';
  }
  return lines;
}

std::string FormatChecksAsJson(const std::vector<Check>& checks) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const Check& check : checks) {
    list.push_back(Json{{"name", check.name},
                        {"state", kStateNames.at(static_cast<std::size_t>(check.state))},
                        {"finding", check.finding},
                        {"remedy", check.remedy}});
  }
  const Json object{{"ok", NoCheckFailed(checks)}, {"checks", std::move(list)}};
  constexpr bool kAsciiOnly = true;  // escapes control characters and invisible ones, too
  return object.dump(-1, ' ', kAsciiOnly, Json::error_handler_t::replace) + '\n';
}

int Doctor(const Config& config, DoctorFormat format) {
  const std::vector<Check> checks = EvaluateChecks(ProbeMachine(config));
  return PrintWithExitCode(NoCheckFailed(checks) ? 0 : 1,
                           format == DoctorFormat::kJson ? FormatChecksAsJson(checks) : FormatChecksAsText(checks));
}

}  // namespace procevent
