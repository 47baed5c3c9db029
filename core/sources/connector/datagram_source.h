// Where datagrams come from, as the reader sees it: small enough to fake. A capture is
// none: it holds what the ledger is told, and has a replayer of its own.
// One thread owns a source.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/base/result.h"
#include "core/protocol/event.h"
#include "core/sources/connector/datagram_batch.h"

namespace procevent {

struct QueueState {
  std::uint32_t used_bytes = 0;
  std::uint32_t limit_bytes = 0;
  std::uint32_t requested_bytes = 0;  // what the limit would be, had the kernel granted what was asked for
  std::uint64_t drops = 0;            // in all, over every socket there was
};

class DatagramSource {
 public:
  DatagramSource() = default;
  DatagramSource(const DatagramSource&) = delete;
  DatagramSource& operator=(const DatagramSource&) = delete;
  virtual ~DatagramSource() = default;

  // A fresh subscription, proved within `patience`. What the one before still holds is received first, so events
  // that reached both arrive twice; their sequence numbers tell. On an error the one before stays as it was.
  virtual Status Resubscribe(std::chrono::milliseconds patience) = 0;

  struct ReceiveResult {
    std::size_t datagrams = 0;
    bool emptied = false;  // nothing more waited
  };
  // Never blocks.
  virtual Result<ReceiveResult> Receive(DatagramBatch& batch) = 0;

  [[nodiscard]] virtual QueueState Queue() = 0;

  // Readable when there is something to receive; another one after each Renew; -1 before the first.
  [[nodiscard]] virtual int fd() const = 0;

  // Makes the source deliver an event that IsCanaryEvent knows.
  virtual void SendCanary() = 0;
  // The same from every CPU, bit by bit: true when the tour is done, false when the deadline cut it short.
  [[nodiscard]] virtual bool SendCanaryOnEachCpu(std::uint64_t deadline_ns) = 0;
  [[nodiscard]] virtual bool IsCanaryEvent(const CommBody& comm) const = 0;

  // Ends the subscription, so that the kernel makes no events for nobody.
  virtual void Close() = 0;
};

}  // namespace procevent
