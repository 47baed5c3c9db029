// Why a subscription got no answer: what a refused or silent kernel means where this process stands. Each fault names
// its cause and its remedy.
#pragma once

#include "core/base/result.h"

namespace procevent {

// What keeps a process from the connector, as far as /proc/self shows: what it does not show is false. The kernel
// answers only in its first namespaces.
struct ConnectorEnvironment {
  bool foreign_network = false;  // its net/connector is not there: the connector lives in another network namespace
  bool foreign_pids = false;     // not in the first PID namespace
  bool foreign_users = false;    // not in the first user namespace
  bool no_proc_events = false;   // it is there, and does not name cn_proc
};

ConnectorEnvironment DetectConnectorEnvironment();

// No ACK came; `around` may tell why. Where it does not, the kernel may only have been silenced, and insisting helps.
Error MakeNoAckError(const ConnectorEnvironment& around);
bool IsRetryUseful(const ConnectorEnvironment& around);

// The errno of one of the calls that lead to a subscription, with the cause it has there.
Error MakeOpenError(int code);
Error MakeBindError(int code);
Error MakeSendError(int code, const ConnectorEnvironment& around);
Error MakeSubscribeRefusedError(int code);  // our own ACK came, with an errno in it
// And of the one that hears it.
Error MakeReceiveError(int code);

}  // namespace procevent
