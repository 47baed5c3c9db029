#include "core/source/connector_source.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace procevent {

Status ConnectorSource::Renew(std::chrono::milliseconds patience) {
  auto opened = ProcConnector::Open(options_);
  if (!opened) {
    return opened.error();
  }
  ProcConnector fresh = std::move(opened).value();
  if (auto subscribed = fresh.Subscribe(patience); !subscribed) {
    return subscribed;
  }
  if (retired_) {
    CountDrops(*retired_);
  }
  // The one before is closed without IGNORE: the listener that would end might be the new one's.
  retired_ = std::exchange(current_, Socket{std::move(fresh)});
  retired_batches_ = 0;
  return Success{};
}

Result<Source::Received> ConnectorSource::Receive(DatagramBatch& batch) {
  if (retired_) {
    return ReceiveFromRetired(batch);
  }
  if (!current_) {
    batch.Clear();
    return Received{0, true};
  }
  const auto received = current_->connector.Receive(batch);
  if (!received) {
    return received.error();
  }
  return Received{received.value(), !batch.full()};
}

// Once it was empty, or has given more than a full buffer holds, all that is still to come reaches the new one too.
Result<Source::Received> ConnectorSource::ReceiveFromRetired(DatagramBatch& batch) {
  constexpr int kMostBatches = 1 << 14;
  const auto received = retired_->connector.Receive(batch);
  if (!received || !batch.full() || ++retired_batches_ == kMostBatches) {
    CountDrops(*retired_);
    retired_.reset();
  }
  return Received{batch.size(), false};
}

QueueState ConnectorSource::Queue() {
  if (retired_) {
    CountDrops(*retired_);
  }
  if (!current_) {
    return {};
  }
  const SocketMemory memory = CountDrops(*current_);
  // The kernel doubles what is asked for, and ends at what an int holds.
  constexpr std::uint32_t kMost = std::numeric_limits<int>::max() / 2;
  return {memory.used_bytes, memory.limit_bytes, 2 * std::min(options_.receive_buffer_bytes, kMost), drops_};
}

SocketMemory ConnectorSource::CountDrops(Socket& socket) {
  const SocketMemory memory = socket.connector.Memory();
  drops_ += memory.drops - std::exchange(socket.drops, memory.drops);
  return memory;
}

void ConnectorSource::Close() {
  retired_.reset();
  if (current_) {
    current_->connector.Unsubscribe();
    current_.reset();
  }
}

}  // namespace procevent
