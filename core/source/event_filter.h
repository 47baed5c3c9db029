// A classic BPF filter on the connector socket: how a subscription is narrowed where the kernel cannot (before 6.6).
#pragma once

#include "core/base/result.h"
#include "core/protocol/event_mask.h"

namespace procevent {

// From now on the socket takes only what is in the mask; what already waits in it stays.
Status AcceptOnly(int fd, EventMask mask);

}  // namespace procevent
