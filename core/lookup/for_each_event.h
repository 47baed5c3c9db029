// What the kernel said in a batch of datagrams, event by event. For a program of one's own: what others sent, control
// messages and what cannot be read are left out here, while the reader counts them.
#pragma once

#include <cstddef>

#include "core/protocol/decoder.h"
#include "core/sources/connector/datagram_batch.h"

namespace procevent {

// Calls `on_event` with each, in order. A view in an unknown one is valid until the batch is filled again.
template <typename OnEvent>
void ForEachKernelEvent(const DatagramBatch& batch, OnEvent&& on_event) {
  Message message;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Datagram datagram = batch[i];
    Decoder decoder(datagram.bytes);
    while (datagram.origin == Datagram::Origin::kKernel && decoder.Next(message)) {
      if (message.outcome == DecodeOutcome::kEvent) {
        on_event(message.event);
      }
    }
  }
}

}  // namespace procevent
