// Holds the inputs of a batch that was received from the connector socket.
#pragma once

#include <span>
#include <vector>

#include "core/protocol/input.h"
#include "core/sources/connector/datagram_batch.h"

namespace procevent {

// The inputs are views into the batch. Allocates only when it is made. One thread at a time.
class ConnectorInputs {
 public:
  ConnectorInputs() { inputs_.reserve(DatagramBatch::kSlots); }

  // Replaces the inputs by those of the batch.
  void Assign(const DatagramBatch& batch) {
    inputs_.clear();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      Add(batch[i]);
    }
  }
  void Clear() { inputs_.clear(); }
  [[nodiscard]] std::span<const Input> get() const { return inputs_; }

 private:
  // Constructed in place: an input has several times the size of a datagram's view.
  void Add(const Datagram& datagram) {
    switch (datagram.origin) {
      case Datagram::Origin::kKernel:
        inputs_.emplace_back(ConnectorDatagram{datagram.bytes});
        return;
      case Datagram::Origin::kForeign:
        inputs_.emplace_back(RejectedDatagram{RejectedDatagram::Reason::kForeignSender});
        return;
      case Datagram::Origin::kOversized:
        inputs_.emplace_back(RejectedDatagram{RejectedDatagram::Reason::kOversized});
        return;
    }
  }

  std::vector<Input> inputs_;
};

}  // namespace procevent
