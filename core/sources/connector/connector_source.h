// FOLDED: canary.h, connector_source.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/protocol/event.h"
#include "core/sources/connector/datagram_source.h"
#include "core/sources/connector/proc_connector.h"

namespace procevent {

// An event of our own making: the thread sets its name to what it already is, and the kernel reports a COMM event, as
// proof that it still speaks to us. One thread uses it: the one that also receives.

class Canary {
 public:
  void SendCanary();

  // From each CPU that this thread may run on: that shows what was lost there last. Moving to a busy CPU takes time,
  // so a tour ends at the deadline and the next call goes on with it; true when every CPU has had its turn.
  [[nodiscard]] bool SendCanaryOnEachCpu(std::uint64_t deadline_ns);

  [[nodiscard]] bool IsCanaryEvent(const CommBody& comm) const { return comm.task.pid == thread_; }

 private:
  std::int32_t thread_ = -1;  // of the last SendCanary
  std::size_t next_cpu_ = 0;
};

// The connector as the reader's source. At a renewal the socket before is kept until it is empty: the two overlap, so
// that nothing falls between them.

class ConnectorSource final : public DatagramSource {
 public:
  explicit ConnectorSource(const ConnectorOptions& options) : options_(options) {}

  Status Resubscribe(std::chrono::milliseconds patience) override;
  Result<ReceiveResult> Receive(DatagramBatch& batch) override;
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
    std::uint32_t drops = 0;  // as last read
  };
  SocketMemory CountDrops(Socket& socket);
  Result<ReceiveResult> ReceiveFromRetired(DatagramBatch& batch);

  ConnectorOptions options_;
  std::optional<Socket> current_;
  std::optional<Socket> retired_;
  int retired_batches_ = 0;
  std::uint64_t drops_ = 0;
  Canary canary_;
};

}  // namespace procevent
