#include "exporter/readiness.h"

namespace procevent {

Readiness AskReadiness(Exchange& exchange, std::chrono::milliseconds patience) {
  Snapshot snapshot;
  if (exchange.Take(snapshot, patience) != Exchange::Age::kFresh) {
    return {false, "the reader does not answer"};
  }
  if (snapshot.listening) {
    return {true, {}};
  }
  return {true, snapshot.cause.operation.empty() ? "not listening yet" : Describe(snapshot.cause)};
}

}  // namespace procevent
