#include "core/sources/connector/subscription_error.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>

namespace procevent {
namespace {

constexpr std::string_view kSubscribe = "subscribe to process events";
constexpr std::string_view kNetAdminRemedy = "run as root or with --cap-add NET_ADMIN";

// The cause and the remedy of a foreign namespace.
struct NamespaceProblem {
  std::string_view cause;
  std::string_view remedy;
};

// Indexed by the three namespaces as bits, less 1: network 1, PID 2, user 4.
constexpr std::array<NamespaceProblem, 7> kNamespaceProblems{
    NamespaceProblem{"this is not the host's network namespace",
                     "run with --network host (Kubernetes: hostNetwork: true)"},
    {"this is not the host's PID namespace", "run with --pid host (Kubernetes: hostPID: true)"},
    {"these are not the host's network and PID namespaces",
     "run with --network host --pid host (Kubernetes: hostNetwork: true, hostPID: true)"},
    {"this is not the host's user namespace", "run without user-namespace remapping (--userns host), not rootless"},
    {"these are not the host's network and user namespaces",
     "run with --network host and without user-namespace remapping (--userns host), not rootless"},
    {"these are not the host's PID and user namespaces",
     "run with --pid host and without user-namespace remapping (--userns host), not rootless"},
    {"these are not the host's network, PID and user namespaces",
     "run with --network host --pid host and without user-namespace remapping (--userns host), not rootless"},
};

// Returns null if all namespaces are the host's.
const NamespaceProblem* FindNamespaceProblem(const ConnectorEnvironment& environment) {
  const std::size_t bits = (environment.foreign_network ? 1U : 0U) | (environment.foreign_pids ? 2U : 0U) |
                           (environment.foreign_users ? 4U : 0U);
  return bits == 0 ? nullptr : &kNamespaceProblems.at(bits - 1);
}

// Returns false if the link cannot be read.
bool IsForeign(const char* link, std::string_view initial) {
  std::array<char, 64> target{};
  const ssize_t length = ::readlink(link, target.data(), target.size());
  return length > 0 && std::string_view(target.data(), static_cast<std::size_t>(length)) != initial;
}

bool Exists(const char* path) { return ::access(path, F_OK) == 0; }

}  // namespace

ConnectorEnvironment DetectConnectorEnvironment() {
  ConnectorEnvironment environment;
  environment.foreign_pids = IsForeign("/proc/self/ns/pid", "pid:[4026531836]");
  environment.foreign_users = IsForeign("/proc/self/ns/user", "user:[4026531837]");
  // /proc/self/net instead of /proc/net, which is missing if /proc is mounted with subset=pid.
  constexpr const char* kConnectors = "/proc/self/net/connector";
  environment.foreign_network = Exists("/proc/self/net") && !Exists(kConnectors);
  std::ifstream connectors(kConnectors);
  environment.no_proc_events = connectors.is_open();
  for (std::string line; std::getline(connectors, line);) {
    if (line.starts_with("cn_proc")) {
      environment.no_proc_events = false;
    }
  }
  return environment;
}

bool IsRetryUseful(const ConnectorEnvironment& environment) {
  return !environment.no_proc_events && FindNamespaceProblem(environment) == nullptr;
}

Error MakeNoAckError(const ConnectorEnvironment& environment) {
  if (const NamespaceProblem* const problem = FindNamespaceProblem(environment)) {
    return {kSubscribe, problem->cause, problem->remedy};
  }
  if (environment.no_proc_events) {
    return {kSubscribe, "this kernel was built without CONFIG_PROC_EVENTS", "boot a kernel with CONFIG_PROC_EVENTS"};
  }
  return {kSubscribe, "the kernel does not answer, another process may have ended all subscriptions",
          "the exporter retries until it answers"};
}

Error MakeOpenError(int code) {
  if (code == EPROTONOSUPPORT || code == EAFNOSUPPORT) {
    return {"open the connector socket",
            {code, "this kernel was built without CONFIG_CONNECTOR"},
            "boot a kernel with CONFIG_CONNECTOR"};
  }
  if (code == EMFILE || code == ENFILE) {
    return {"open the connector socket", code, "raise the limit of open files (ulimit -n)"};
  }
  if (code == EPERM || code == EACCES) {
    return {"open the connector socket",
            {code, "a security policy forbids netlink sockets"},
            "allow AF_NETLINK (systemd: RestrictAddressFamilies, containers: the seccomp profile)"};
  }
  return {"open the connector socket", code};
}

Error MakeBindError(int code) {
  if (code == EPERM) {
    return {"bind the connector socket",
            {code, "before Linux 6.6 this takes CAP_NET_ADMIN in the host's user namespace"},
            kNetAdminRemedy};
  }
  return {"bind the connector socket", code};
}

Error MakeSendError(int code, const ConnectorEnvironment& environment) {
  if (code == ECONNREFUSED) {
    ConnectorEnvironment refused = environment;
    refused.foreign_network = true;
    const NamespaceProblem& problem = *FindNamespaceProblem(refused);
    return {kSubscribe, {code, problem.cause}, problem.remedy};
  }
  if (code == EPERM) {
    return {kSubscribe, {code, "before Linux 6.6 this takes CAP_NET_ADMIN"}, kNetAdminRemedy};
  }
  return {kSubscribe, code};
}

Error MakeSubscribeRefusedError(int code) {
  return {kSubscribe, {code, "the kernel refused the subscription"}, kNetAdminRemedy};
}

Error MakeTimeNamespaceError(std::int64_t clock_offset_ns) {
  const auto offset = std::chrono::round<std::chrono::milliseconds>(std::chrono::nanoseconds(clock_offset_ns));
  return {kSubscribe,
          "the monotonic clock of this time namespace differs from the kernel's",
          "run in the host's time namespace (unshare without --time, a container without time offsets)",
          {},
          "by " + std::to_string(offset.count()) + "ms"};
}

Error MakeReceiveError(int code) { return {"receive from the connector socket", code, "open a new socket"}; }

}  // namespace procevent
