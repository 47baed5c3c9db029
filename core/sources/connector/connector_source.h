// Event source of the kernel connector, and the canary that proves the subscription.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/protocol/event.h"
#include "core/protocol/input.h"
#include "core/sources/connector/connector_inputs.h"
#include "core/sources/connector/datagram_batch.h"
#include "core/sources/connector/event_source.h"
#include "core/sources/connector/proc_connector.h"

namespace procevent {

// Triggers COMM events to prove that the subscription works: the thread sets its name to the current value, and the
// kernel reports it. Only the receiving thread may use it.
class Canary {
 public:
  void SendCanary();

  // Sends a canary from each CPU that this thread may run on. Its sequence number reveals the latest losses of that
  // CPU. Moving to a busy CPU takes time, so the call stops at the deadline and the next call continues. Returns true
  // when every CPU has sent one.
  [[nodiscard]] bool SendCanaryOnEachCpu(std::uint64_t deadline_ns);

  [[nodiscard]] bool IsCanaryEvent(const CommBody& comm) const { return comm.task.pid == thread_; }

 private:
  std::int32_t thread_ = -1;  // thread of the last SendCanary
  std::size_t next_cpu_ = 0;
};

// Receives from the kernel connector. Resubscribe keeps the previous socket until it is drained, so that the sockets
// overlap and no event is missed in between.
class ConnectorSource final : public EventSource {
 public:
  explicit ConnectorSource(const ConnectorOptions& options) : options_(options) {}

  Status Resubscribe(std::chrono::milliseconds timeout) override;
  Result<ReceiveResult> Receive() override;
  [[nodiscard]] std::span<const Input> inputs() const override { return inputs_.get(); }
  [[nodiscard]] QueueState Queue() override;
  [[nodiscard]] int fd() const override { return current_ ? current_->connector.fd() : -1; }
  void SendCanary() override { canary_.SendCanary(); }
  [[nodiscard]] bool SendCanaryOnEachCpu(std::uint64_t deadline_ns) override {
    return canary_.SendCanaryOnEachCpu(deadline_ns);
  }
  [[nodiscard]] bool IsCanaryEvent(const CommBody& comm) const override { return canary_.IsCanaryEvent(comm); }
  void Close() override;

 private:
  struct Socket {
    ProcConnector connector;
    std::uint32_t drops = 0;  // last value of the counter of the socket
  };
  SocketMemory CountDrops(Socket& socket);
  Result<ReceiveResult> ReceiveBatch();
  Result<ReceiveResult> ReceiveFromRetired();

  ConnectorOptions options_;
  std::optional<Socket> current_;
  std::optional<Socket> retired_;
  std::uint64_t retired_unread_ = 0;  // at most this many of its datagrams may be missing from the current socket
  std::uint64_t drops_ = 0;
  DatagramBatch batch_;
  ConnectorInputs inputs_;  // of the batch
  Canary canary_;
};

}  // namespace procevent
