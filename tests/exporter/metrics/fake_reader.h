// Takes the reader's place at a SnapshotExchange: answers every request with a filled snapshot, which the test may
// change, and publishes a status to match. Runs its own thread.
#pragma once

#include <poll.h>

#include <functional>
#include <thread>
#include <utility>

#include "core/base/system.h"
#include "core/reader/snapshot_exchange.h"
#include "tests/exporter/metrics/filled_snapshot.h"

namespace procevent {

inline ReaderStatus StatusOf(const Snapshot& snapshot) {
  ReaderStatus status = snapshot;
  status.published_ns = status.next_update_ns = MonotonicNanos();
  return status;
}

class FakeReader {
 public:
  using ModifyFunction = std::function<void(Snapshot&)>;

  explicit FakeReader(SnapshotExchange& exchange, ModifyFunction modify = {})
      : exchange_(exchange), modify_(std::move(modify)) {
    PublishStatus();
    thread_ = std::jthread([this](const std::stop_token& stopped) { Run(stopped); });
  }

 private:
  void Run(const std::stop_token& stopped) {
    constexpr int kPollTimeoutMs = 20;  // bounds the stop; a request wakes the poll at once
    while (!stopped.stop_requested()) {
      PublishStatus();
      pollfd request{exchange_.request_fd(), POLLIN, 0};
      if (::poll(&request, 1, kPollTimeoutMs) <= 0) {
        continue;
      }
      exchange_.ClearRequestSignal();
      if (Snapshot* const snapshot = exchange_.BeginFill()) {
        FillAndModify(*snapshot);
        snapshot->complete_until_ns = MonotonicNanos();
        exchange_.FinishFill();
      }
    }
  }

  void FillAndModify(Snapshot& snapshot) const {
    Fill(snapshot);
    if (modify_) {
      modify_(snapshot);
    }
  }

  void PublishStatus() {
    Snapshot snapshot(2);
    FillAndModify(snapshot);
    exchange_.PublishStatus(StatusOf(snapshot));
  }

  SnapshotExchange& exchange_;
  const ModifyFunction modify_;
  std::jthread thread_;
};

}  // namespace procevent
