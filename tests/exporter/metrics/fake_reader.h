// Answers every request of a SnapshotExchange with a filled snapshot, which the test may change. Runs its own thread.
#pragma once

#include <poll.h>

#include <functional>
#include <thread>
#include <utility>

#include "core/base/system.h"
#include "core/reader/snapshot_exchange.h"
#include "tests/exporter/metrics/filled_snapshot.h"

namespace procevent {

class FakeReader {
 public:
  using ModifyFunction = std::function<void(Snapshot&)>;

  explicit FakeReader(SnapshotExchange& exchange, ModifyFunction modify = {})
      : thread_([&exchange, modify = std::move(modify)](const std::stop_token& stopped) {
          constexpr int kPollTimeoutMs = 20;  // bounds the stop; a request wakes the poll at once
          while (!stopped.stop_requested()) {
            pollfd request{exchange.request_fd(), POLLIN, 0};
            if (::poll(&request, 1, kPollTimeoutMs) <= 0) {
              continue;
            }
            exchange.ClearRequestSignal();
            Snapshot* const snapshot = exchange.BeginFill();
            if (snapshot == nullptr) {
              continue;
            }
            Fill(*snapshot);
            snapshot->taken_ns = MonotonicNanos();
            if (modify) {
              modify(*snapshot);
            }
            exchange.FinishFill();
          }
        }) {}

 private:
  std::jthread thread_;
};

}  // namespace procevent
