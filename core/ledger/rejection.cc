#include "core/ledger/rejection.h"

namespace procevent {

std::optional<Rejection> RejectionOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kEvent:
    case Outcome::kControl:
    case Outcome::kAcknowledgement:
      return std::nullopt;
    case Outcome::kKernelError:
      return Rejection::kKernelError;
    case Outcome::kOverrun:
      return Rejection::kOverrun;
    case Outcome::kReservedType:
      return Rejection::kReservedType;
    case Outcome::kForeignConnector:
      return Rejection::kForeignConnector;
    case Outcome::kTruncatedNetlinkHeader:
      return Rejection::kTruncatedNetlinkHeader;
    case Outcome::kTruncatedConnectorHeader:
      return Rejection::kTruncatedConnectorHeader;
    case Outcome::kTruncatedEventHeader:
      return Rejection::kTruncatedEventHeader;
    case Outcome::kTruncatedEventBody:
      return Rejection::kTruncatedEventBody;
    case Outcome::kWrongLength:
      return Rejection::kWrongLength;
  }
  return std::nullopt;
}

}  // namespace procevent
