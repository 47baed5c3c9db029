#include "core/sources/connector/subscription_error.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>

namespace procevent {
namespace {

constexpr std::string_view kHear = "hear process events";

// Indexed by the three namespaces as bits: network 1, PID 2, user 4.
constexpr std::array<std::string_view, 8> kNamespaceRemedies{
    "",
    "this is not the host's network namespace: run with --network host (Kubernetes: hostNetwork: true)",
    "this is not the host's PID namespace: run with --pid host (Kubernetes: hostPID: true)",
    "these are not the host's network and PID namespaces: run with --network host --pid host (Kubernetes: "
    "hostNetwork: true, hostPID: true)",
    "this is not the host's user namespace: run without user-namespace remapping (--userns host), not rootless",
    "these are not the host's network and user namespaces: run with --network host and without user-namespace "
    "remapping (--userns host), not rootless",
    "these are not the host's PID and user namespaces: run with --pid host and without user-namespace remapping "
    "(--userns host), not rootless",
    "these are not the host's network, PID and user namespaces: run with --network host --pid host and without "
    "user-namespace remapping (--userns host), not rootless",
};

std::string_view NamespaceRemedy(const ConnectorEnvironment& around) {
  const std::size_t index =
      (around.foreign_network ? 1U : 0U) | (around.foreign_pids ? 2U : 0U) | (around.foreign_users ? 4U : 0U);
  return kNamespaceRemedies[index];
}

// A link that cannot be read accuses nobody.
bool IsForeign(const char* link, std::string_view first) {
  std::array<char, 64> target{};
  const ssize_t length = ::readlink(link, target.data(), target.size());
  return length > 0 && std::string_view(target.data(), static_cast<std::size_t>(length)) != first;
}

bool Exists(const char* path) { return ::access(path, F_OK) == 0; }

}  // namespace

ConnectorEnvironment DetectConnectorEnvironment() {
  ConnectorEnvironment around;
  around.foreign_pids = IsForeign("/proc/self/ns/pid", "pid:[4026531836]");
  around.foreign_users = IsForeign("/proc/self/ns/user", "user:[4026531837]");
  // Not in /proc/net, which is missing where only processes are mounted (subset=pid).
  constexpr const char* kConnectors = "/proc/self/net/connector";
  around.foreign_network = Exists("/proc/self/net") && !Exists(kConnectors);
  std::ifstream connectors(kConnectors);
  around.no_proc_events = connectors.is_open();
  for (std::string line; std::getline(connectors, line);) {
    if (line.starts_with("cn_proc")) {
      around.no_proc_events = false;
    }
  }
  return around;
}

bool IsRetryUseful(const ConnectorEnvironment& around) {
  return !around.no_proc_events && NamespaceRemedy(around).empty();
}

Error MakeNoAckError(const ConnectorEnvironment& around) {
  if (const auto remedy = NamespaceRemedy(around); !remedy.empty()) {
    return {kHear, 0, remedy};
  }
  if (around.no_proc_events) {
    return {kHear, 0, "this kernel was built without CONFIG_PROC_EVENTS: boot one that has it"};
  }
  return {kHear, 0,
          "the kernel does not answer: another program may have silenced it for everybody; fresh subscriptions are "
          "tried until it does"};
}

Error MakeOpenError(int code) {
  if (code == EPROTONOSUPPORT || code == EAFNOSUPPORT) {
    return {"open the connector socket", code, "this kernel was built without CONFIG_CONNECTOR: boot one that has it"};
  }
  if (code == EMFILE || code == ENFILE) {
    return {"open the connector socket", code, "raise the limit of open files (ulimit -n)"};
  }
  if (code == EPERM || code == EACCES) {
    return {"open the connector socket", code,
            "a security policy forbids netlink sockets: allow AF_NETLINK (systemd: RestrictAddressFamilies, "
            "containers: the seccomp profile)"};
  }
  return {"open the connector socket", code, ""};
}

Error MakeBindError(int code) {
  if (code == EPERM) {
    return {"bind the connector socket", code,
            "before Linux 6.6 this takes CAP_NET_ADMIN in the host's user namespace: run as root, or with --cap-add "
            "NET_ADMIN"};
  }
  return {"bind the connector socket", code, ""};
}

Error MakeSendError(int code, const ConnectorEnvironment& around) {
  if (code == ECONNREFUSED) {
    ConnectorEnvironment refused = around;
    refused.foreign_network = true;
    return {kHear, code, NamespaceRemedy(refused)};
  }
  if (code == EPERM) {
    return {kHear, code, "before Linux 6.6 this takes CAP_NET_ADMIN: run as root, or with --cap-add NET_ADMIN"};
  }
  return {kHear, code, ""};
}

Error MakeSubscribeRefusedError(int code) {
  return {kHear, code, "the kernel refused the subscription: run as root, or with --cap-add NET_ADMIN"};
}

Error MakeReceiveError(int code) { return {"receive from the connector socket", code, "a fresh socket is needed"}; }

}  // namespace procevent
