// FOLDED: connector_options.h, event_filter.h, proc_connector.h
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/file_descriptor.h"
#include "core/base/result.h"
#include "core/protocol/event_mask.h"
#include "core/sources/connector/datagram_batch.h"

namespace procevent {

// What the connector socket can be told. The configuration fills it in.

struct ConnectorOptions {
  std::uint32_t receive_buffer_bytes = 32U << 20U;  // as asked for; the kernel doubles it
  EventMask events = EventMask::All();              // narrowed masks always keep COMM
  bool operator==(const ConnectorOptions&) const = default;
};

// A classic BPF filter on the connector socket: how a subscription is narrowed where the kernel cannot (before 6.6).

// From now on the socket takes only what is in the mask; what already waits in it stays.
Status AttachEventFilter(int fd, EventMask mask);

// The connector socket: opens, subscribes, receives, and ends what it began. For anybody who wants process events;
// the reader uses it through ConnectorSource. One thread at a time.

struct SocketMemory {
  std::uint32_t used_bytes = 0;
  std::uint32_t limit_bytes = 0;
  std::uint32_t drops = 0;  // since the socket was made; wraps
};

class ProcConnector {
 public:
  // A bound socket with its receive buffer, forced where that is permitted; not yet subscribed. It receives what the
  // kernel makes for others: that is no proof of anything.
  static Result<ProcConnector> Open(const ConnectorOptions& options);

  ProcConnector(ProcConnector&&) noexcept = default;
  ProcConnector& operator=(ProcConnector&&) noexcept = default;
  ProcConnector(const ProcConnector&) = delete;
  ProcConnector& operator=(const ProcConnector&) = delete;
  ~ProcConnector() = default;  // closes without a word to the kernel: Unsubscribe first, unless it is to stay awake

  // LISTEN, until the kernel's ACK to us came back. What waits before the ACK is thrown away; the ACK is the first
  // thing to receive. A kernel that is silent without a known cause is asked again and again for `patience`: each
  // round raises its count of listeners by one, until events are made again. A narrowed subscription has no ACK to
  // receive: the kernel filters it, too.
  Status Subscribe(std::chrono::milliseconds patience = std::chrono::seconds(1));

  // IGNORE, if we subscribed: the kernel makes no events for our sake from here on.
  void Unsubscribe();

  // What waits, without blocking: 0 is nothing.
  Result<std::size_t> Receive(DatagramBatch& batch) { return batch.FillFrom(fd()); }
  // Waits for something; 0 if `patience` passed first.
  Result<std::size_t> Receive(DatagramBatch& batch, std::chrono::milliseconds patience);
  // One datagram as it came, from whomever; without blocking. Its length, even if `buffer` is shorter; 0 is nothing.
  Result<std::size_t> ReceiveRaw(std::span<std::byte> buffer);

  [[nodiscard]] SocketMemory Memory() const;
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  ProcConnector(OwnedFd fd, const ConnectorOptions& options) : fd_(std::move(fd)), events_(options.events) {}

  Status Listen(std::uint32_t token);
  Result<bool> TakeAck(std::uint32_t token, std::uint64_t deadline_ns);
  Status Narrow(std::uint64_t deadline_ns);
  Status ThrowAwayWhatWaits();

  OwnedFd fd_;
  EventMask events_;
  bool subscribed_ = false;
};

}  // namespace procevent
