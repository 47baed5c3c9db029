// The connector as the reader's source. At a renewal the socket before is kept until it is empty: the two overlap, so
// that nothing falls between them.
#pragma once

#include <cstdint>
#include <optional>

#include "core/source/canary.h"
#include "core/source/connector_options.h"
#include "core/source/proc_connector.h"
#include "core/source/source.h"

namespace procevent {

class ConnectorSource final : public Source {
 public:
  explicit ConnectorSource(const ConnectorOptions& options) : options_(options) {}

  Status Renew(std::chrono::milliseconds patience) override;
  Result<Received> Receive(DatagramBatch& batch) override;
  [[nodiscard]] QueueState Queue() override;
  [[nodiscard]] int fd() const override { return current_ ? current_->connector.fd() : -1; }
  void Sound() override { canary_.Sound(); }
  [[nodiscard]] bool Tour(std::uint64_t deadline_ns) override { return canary_.Tour(deadline_ns); }
  [[nodiscard]] bool IsEcho(const CommBody& comm) const override { return canary_.IsEcho(comm); }
  void Close() override;

 private:
  struct Socket {
    ProcConnector connector;
    std::uint32_t drops = 0;  // as last read
  };
  SocketMemory CountDrops(Socket& socket);
  Result<Received> ReceiveFromRetired(DatagramBatch& batch);

  ConnectorOptions options_;
  std::optional<Socket> current_;
  std::optional<Socket> retired_;
  int retired_batches_ = 0;
  std::uint64_t drops_ = 0;
  Canary canary_;
};

}  // namespace procevent
