// Makes the input of a datagram that was received from the connector socket.
#pragma once

#include "core/protocol/input.h"
#include "core/sources/connector/datagram_batch.h"

namespace procevent {

// The input is a view into the batch.
inline Input ToInput(const Datagram& datagram) {
  switch (datagram.origin) {
    case Datagram::Origin::kKernel:
      break;
    case Datagram::Origin::kForeign:
      return RejectedDatagram{RejectedDatagram::Reason::kForeignSender};
    case Datagram::Origin::kOversized:
      return RejectedDatagram{RejectedDatagram::Reason::kOversized};
  }
  return ConnectorDatagram{datagram.bytes};
}

}  // namespace procevent
