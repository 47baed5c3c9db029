#include "cmd/doctor/doctor.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "cmd/cli/output.h"
#include "cmd/doctor/probes.h"
#include "cmd/logging/log.h"
#include "cmd/logging/notice_log.h"
#include "config/yaml/config_error.h"

namespace procevent {

namespace {

using State = Check::State;

Check Ok(std::string_view name, std::string finding) { return {name, State::kOk, std::move(finding), {}}; }

// Of a line "what is wrong; what helps".
Check Wrong(std::string_view name, State state, std::string_view line) {
  const std::size_t end = line.find("; ");
  if (end == std::string_view::npos) {
    return {name, state, std::string(line), {}};
  }
  return {name, state, std::string(line.substr(0, end)), std::string(line.substr(end + 2))};
}

// Major and minor number, as in "6.18.44-generic".
std::optional<std::pair<unsigned, unsigned>> VersionOf(std::string_view release) {
  std::pair<unsigned, unsigned> version;
  const char* const end = release.data() + release.size();
  const auto [dot, fault] = std::from_chars(release.data(), end, version.first);
  if (fault != std::errc() || dot == end || *dot != '.' ||
      std::from_chars(dot + 1, end, version.second).ec != std::errc()) {
    return std::nullopt;
  }
  return version;
}

bool IsBefore66(const ProbeResults& probes) {
  const auto version = VersionOf(probes.kernel_release);
  return version && *version < std::pair(6U, 6U);
}

bool NoConnector(const ProbeResults& probes) {
  const Status& opened = probes.subscription.opened;
  return !opened && (opened.error().code == EPROTONOSUPPORT || opened.error().code == EAFNOSUPPORT);
}

bool Answers(const ProbeResults& probes) { return probes.subscription.opened && probes.subscription.acknowledged; }

Check KernelCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "kernel";
  constexpr std::size_t kMostBytes = 128;
  const std::string release = "Linux " + EscapeUnprintable(probes.kernel_release, kMostBytes);
  if (NoConnector(probes)) {
    return {kName, State::kFailed, release + ", without process events",
            std::string(probes.subscription.opened.error().remedy)};
  }
  if (probes.around.no_proc_events) {
    return {kName, State::kFailed, release + ", without process events",
            std::string(MakeNoAckError({.no_proc_events = true}).remedy)};
  }
  const bool shown = probes.proc_mounted && !probes.around.foreign_network;
  if (!shown && !Answers(probes)) {
    return {kName, State::kWarning, release + " (whether it makes process events is not to be seen from here)",
            "run doctor in the host's network namespace, with /proc mounted"};
  }
  return Ok(kName, release + ", with CONFIG_CONNECTOR and CONFIG_PROC_EVENTS");
}

Check CapabilityCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "capability";
  const bool elsewhere = probes.net_admin && probes.around.foreign_users;
  if (probes.net_admin && !elsewhere) {
    return Ok(kName, "CAP_NET_ADMIN is there");
  }
  const std::string finding =
      elsewhere ? "CAP_NET_ADMIN counts only in this user namespace" : "CAP_NET_ADMIN is missing";
  const std::string remedy = elsewhere ? "run in the host's user namespace"
                                       : "run as root, or with --cap-add NET_ADMIN (systemd: "
                                         "AmbientCapabilities=CAP_NET_ADMIN)";
  if (IsBefore66(probes)) {
    return {kName, State::kFailed, finding + ", and before Linux 6.6 nothing works without it", remedy};
  }
  return {kName, State::kWarning, finding + ": from Linux 6.6 on only the large receive buffer needs it", remedy};
}

// Where the kernel has no connector, a network that shows none is not to blame.
Check NamespacesCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "namespaces";
  const ConnectorEnvironment around{.foreign_network = probes.around.foreign_network && !NoConnector(probes),
                                    .foreign_pids = probes.around.foreign_pids,
                                    .foreign_users = probes.around.foreign_users};
  std::string foreign;
  for (const auto& [is_foreign, name] :
       {std::pair(around.foreign_network, "network"), std::pair(around.foreign_pids, "PID"),
        std::pair(around.foreign_users, "user")}) {
    if (is_foreign) {
      foreign += (foreign.empty() ? "" : ", ") + std::string(name);
    }
  }
  if (!foreign.empty()) {
    return {kName, State::kFailed, "not the host's: " + foreign, std::string(MakeNoAckError(around).remedy)};
  }
  if (!probes.proc_mounted) {
    return {kName, State::kWarning, "not to be told without /proc", "mount /proc"};
  }
  return Ok(kName, "the host's network, PID and user namespaces");
}

Check BufferCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "buffer";
  constexpr std::uint64_t kKibi = 1024;
  const std::uint64_t got = probes.subscription.buffer_bytes;
  if (!probes.subscription.opened) {
    return {kName, State::kWarning, "not to be told without a socket of the connector", "see subscription"};
  }
  if (got >= probes.buffer_wanted) {
    return Ok(kName, "the receive buffer has the " + std::to_string((got + kKibi / 2) / kKibi) + "KiB asked for");
  }
  const LogMessage text =
      FormatNotice({.kind = Notice::Kind::kSmallBuffer, .number = got, .wanted = probes.buffer_wanted});
  Check check = Wrong(kName, State::kWarning, text.text);
  if (probes.buffer_sysctl) {
    check.remedy += ", which is " + std::to_string(*probes.buffer_sysctl);
  }
  return check;
}

Check ProcCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "proc";
  if (!probes.proc_mounted) {
    return {kName, State::kWarning, "/proc is not mounted", "mount it: names, the audit and much else come from there"};
  }
  return probes.processes ? Ok(kName, "/proc shows the processes of others")
                          : Wrong(kName, State::kWarning, Describe(probes.processes.error()));
}

Check AuditCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "audit";
  return probes.forks ? Ok(kName, "/proc/stat tells the kernel's count of forks")
                      : Wrong(kName, State::kWarning, Describe(probes.forks.error()));
}

std::string NamesOf(const std::vector<EventKind>& kinds) {
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
  for (const Status* const status : {&probe.opened, &probe.acknowledged, &probe.forked}) {
    if (!*status) {
      return Wrong(kName, State::kFailed, Describe(status->error()));
    }
  }
  if (!probe.not_heard.empty()) {
    return {kName, State::kFailed,
            "acknowledged, but of a child that was forked unheard were: " + NamesOf(probe.not_heard),
            "run doctor again; if it stays so, another program silences everybody's subscription: look for it"};
  }
  return Ok(kName, "acknowledged, and a child that was forked was heard: " + NamesOf(probe.heard));
}

Check AddressCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "address";
  return probes.address_fault.empty() ? Ok(kName, "free: " + probes.addresses)
                                      : Wrong(kName, State::kFailed, probes.address_fault);
}

Check StartCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "start";
  return probes.start_fault.empty() ? Ok(kName, "the memory and the descriptors that it starts with can be had")
                                    : Wrong(kName, State::kFailed, probes.start_fault);
}

Check ThreadsCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "threads";
  return probes.threads ? Ok(kName, "the threads that serve can be had")
                        : Wrong(kName, State::kFailed, Describe(probes.threads.error()));
}

Check OpenFilesCheck(const ProbeResults& probes) {
  constexpr std::string_view kName = "open files";
  if (!probes.few_files) {
    return Ok(kName, "as many may be open as many clients at once take");
  }
  return Wrong(kName, probes.too_few_files ? State::kFailed : State::kWarning, *probes.few_files);
}

}  // namespace

std::vector<Check> EvaluateChecks(const ProbeResults& probes) {
  return {KernelCheck(probes),  CapabilityCheck(probes), NamespacesCheck(probes),   BufferCheck(probes),
          ProcCheck(probes),    AuditCheck(probes),      SubscriptionCheck(probes), StartCheck(probes),
          ThreadsCheck(probes), OpenFilesCheck(probes),  AddressCheck(probes)};
}

bool NoCheckFailed(const std::vector<Check>& checks) {
  return std::ranges::none_of(checks, [](const Check& check) { return check.state == State::kFailed; });
}

namespace {

// Indexed by Check::State. What failed is to be seen at once.
constexpr std::array<std::string_view, 3> kWords{"ok     ", "warning", "FAILED "};
constexpr std::array<std::string_view, 3> kStates{"ok", "warning", "failed"};

std::string JsonString(std::string_view text) {
  constexpr std::size_t kMostBytes = 4096;
  return Quote(text, kMostBytes);
}

}  // namespace

std::string FormatChecksAsText(const std::vector<Check>& checks) {
  std::string lines;
  for (const Check& check : checks) {
    lines += std::string(kWords.at(static_cast<std::size_t>(check.state))) + ' ' + std::string(check.name) + ": " +
             check.finding + (check.remedy.empty() ? "" : "; " + check.remedy) + '\n';
  }
  return lines;
}

std::string FormatChecksAsJson(const std::vector<Check>& checks) {
  std::string list;
  for (const Check& check : checks) {
    list += (list.empty() ? "" : ",") + (R"({"name":)" + JsonString(check.name)) + R"(,"state":)" +
            JsonString(kStates.at(static_cast<std::size_t>(check.state))) + R"(,"finding":)" +
            JsonString(check.finding) + R"(,"remedy":)" + JsonString(check.remedy) + '}';
  }
  return R"({"ok":)" + std::string(NoCheckFailed(checks) ? "true" : "false") + R"(,"checks":[)" + list + "]}\n";
}

int Doctor(const Config& config, DoctorFormat form) {
  const std::vector<Check> checks = EvaluateChecks(ProbeMachine(config));
  return PrintWithExitCode(NoCheckFailed(checks) ? 0 : 1,
                           form == DoctorFormat::kJson ? FormatChecksAsJson(checks) : FormatChecksAsText(checks));
}

}  // namespace procevent
