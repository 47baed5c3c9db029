// Interface through which the reader subscribes and receives datagrams.
//
// Small enough to fake in tests. A capture is not a DatagramSource: it holds the inputs of the ledger and has a
// replayer. One thread owns a source.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/base/result.h"
#include "core/protocol/event.h"
#include "core/sources/connector/datagram_batch.h"

namespace procevent {

// Fill level, limits and drops of the receive buffer.
struct QueueState {
  std::uint32_t used_bytes = 0;
  std::uint32_t limit_bytes = 0;
  std::uint32_t requested_bytes = 0;  // the limit if the kernel had granted the request
  std::uint64_t drops = 0;            // total over all sockets of this source
};

// Source of connector datagrams.
class DatagramSource {
 public:
  DatagramSource() = default;
  DatagramSource(const DatagramSource&) = delete;
  DatagramSource& operator=(const DatagramSource&) = delete;
  virtual ~DatagramSource() = default;

  // Opens a new subscription, which the kernel must acknowledge within `timeout`. Receive drains the previous socket
  // first, so events that reached both sockets arrive twice, with equal sequence numbers. After an error the previous
  // subscription is unchanged.
  virtual Status Resubscribe(std::chrono::milliseconds timeout) = 0;

  struct ReceiveResult {
    std::size_t datagrams = 0;
    bool emptied = false;  // the queue is empty
  };
  // Never blocks.
  virtual Result<ReceiveResult> Receive(DatagramBatch& batch) = 0;

  [[nodiscard]] virtual QueueState Queue() = 0;

  // Readable when datagrams are waiting. Changes with each Resubscribe; -1 before the first one.
  [[nodiscard]] virtual int fd() const = 0;

  // Triggers an event for which IsCanaryEvent is true.
  virtual void SendCanary() = 0;
  // Triggers one on each CPU. Returns false if the deadline passed first; the next call continues there.
  [[nodiscard]] virtual bool SendCanaryOnEachCpu(std::uint64_t deadline_ns) = 0;
  [[nodiscard]] virtual bool IsCanaryEvent(const CommBody& comm) const = 0;

  // Ends the subscription, so that the kernel stops generating events that have no receiver.
  virtual void Close() = 0;
};

}  // namespace procevent
