// Interface of a kernel source: the reader waits for it, receives batches, applies their inputs and closes it.
//
// A secondary source opens what it needs when it is made, while the process still has its privilege; the source of
// events opens its socket with each subscription. One thread uses a source. A capture is no source: it already holds
// the inputs of all sources, and the replayer reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/result.h"
#include "core/protocol/input.h"

namespace procevent {

// Fill level, limits and losses of a source's receive buffer.
struct QueueState {
  std::uint32_t used_bytes = 0;
  std::uint32_t limit_bytes = 0;
  std::uint32_t requested_bytes = 0;  // the limit if the kernel had granted the request
  std::uint64_t drops = 0;            // messages that the source has lost, in total
};

class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  // Readable when messages are waiting; -1 while there is none.
  [[nodiscard]] virtual int fd() const = 0;

  struct ReceiveResult {
    std::size_t messages = 0;
    bool emptied = false;  // the queue is empty
  };
  // Receives one batch without blocking. Its inputs replace those of the previous batch. They are not applied yet, so
  // that inputs of other sources can be applied before them.
  virtual Result<ReceiveResult> Receive() = 0;
  // The inputs of the batch, in order. Valid until the next Receive.
  [[nodiscard]] virtual std::span<const Input> inputs() const = 0;

  [[nodiscard]] virtual QueueState Queue() = 0;

  // Releases what the source holds in the kernel.
  virtual void Close() = 0;
};

}  // namespace procevent
