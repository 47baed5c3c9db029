// Interface of the source of process events: a source with a subscription, which canaries prove.
//
// Small enough to fake in tests. The reader depends on its events, and other sources only explain them.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/base/result.h"
#include "core/protocol/event.h"
#include "core/sources/source.h"

namespace procevent {

// Its descriptor changes with each Resubscribe. Close also ends the subscription, so that the kernel stops generating
// events that have no receiver.
class EventSource : public Source {
 public:
  // Opens a new subscription, which the kernel must acknowledge within `timeout`. Receive drains the previous socket
  // first, so events that reached both sockets arrive twice, with equal sequence numbers. After an error the previous
  // subscription is unchanged.
  virtual Status Resubscribe(std::chrono::milliseconds timeout) = 0;

  // Triggers an event for which IsCanaryEvent is true.
  virtual void SendCanary() = 0;
  // Triggers one on each CPU. Returns false if the deadline passed first; the next call continues there.
  [[nodiscard]] virtual bool SendCanaryOnEachCpu(std::uint64_t deadline_ns) = 0;
  [[nodiscard]] virtual bool IsCanaryEvent(const CommBody& comm) const = 0;
};

}  // namespace procevent
