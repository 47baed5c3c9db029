// A reader for the exchange's other side: answers every request with a filled snapshot, or with what it is told.
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
  using Change = std::function<void(Snapshot&)>;

  explicit FakeReader(SnapshotExchange& exchange, Change change = {})
      : thread_([&exchange, change = std::move(change)](const std::stop_token& stopped) {
          constexpr int kPauseMs = 20;  // only for the stop; a request wakes it at once
          while (!stopped.stop_requested()) {
            pollfd asked{exchange.request_fd(), POLLIN, 0};
            if (::poll(&asked, 1, kPauseMs) <= 0) {
              continue;
            }
            exchange.ClearRequestSignal();
            Snapshot* const snapshot = exchange.BeginFill();
            if (snapshot == nullptr) {
              continue;
            }
            Fill(*snapshot);
            snapshot->taken_ns = MonotonicNanos();
            if (change) {
              change(*snapshot);
            }
            exchange.FinishFill();
          }
        }) {}

 private:
  std::jthread thread_;
};

}  // namespace procevent
