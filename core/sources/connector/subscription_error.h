// Builds the errors of a failed subscription, with cause and remedy for the environment of this process.
#pragma once

#include <cstdint>

#include "core/base/result.h"

namespace procevent {

// Properties of this process that prevent a subscription, as read from /proc/self. A property that cannot be read is
// false. The kernel serves the connector only in the initial namespaces.
struct ConnectorEnvironment {
  bool foreign_network = false;  // net/connector is missing: not in the initial network namespace
  bool foreign_pids = false;     // not in the initial PID namespace
  bool foreign_users = false;    // not in the initial user namespace
  bool no_proc_events = false;   // net/connector exists but does not list cn_proc
};

ConnectorEnvironment DetectConnectorEnvironment();

// Error of a subscription without an ACK. If `environment` does not explain it, another process may have ended all
// subscriptions. Only then can a retry succeed.
Error MakeNoAckError(const ConnectorEnvironment& environment);
bool IsRetryUseful(const ConnectorEnvironment& environment);

// Errors of the individual calls, from their errno.
Error MakeOpenError(int code);
Error MakeBindError(int code);
Error MakeSendError(int code, const ConnectorEnvironment& environment);
Error MakeSubscribeRefusedError(int code);  // the ACK of the request contains an errno
// The clock of this process is `clock_offset_ns` ahead of the kernel's, by the time of the ACK.
Error MakeTimeNamespaceError(std::int64_t clock_offset_ns);
Error MakeReceiveError(int code);

}  // namespace procevent
