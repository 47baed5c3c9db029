// Socket of the kernel process-event connector: opens, subscribes, receives and unsubscribes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/file_descriptor.h"
#include "core/base/result.h"
#include "core/protocol/encoder.h"
#include "core/protocol/event_mask.h"
#include "core/sources/connector/datagram_batch.h"

namespace procevent {

// Settings of the connector socket.
struct ConnectorOptions {
  std::uint32_t receive_buffer_bytes = 32U << 20U;  // requested size; the kernel doubles it
  EventMask events = EventMask::All();              // a narrowed subscription always includes COMM
  bool operator==(const ConnectorOptions&) const = default;
};

// Attaches a classic BPF filter that accepts only events in the mask. Narrows a subscription before Linux 6.6, where
// the kernel has no event filter. Datagrams already in the queue stay.
Status AttachEventFilter(int fd, EventMask mask);

// Receive-buffer state of a socket.
struct SocketMemory {
  std::uint32_t used_bytes = 0;
  std::uint32_t limit_bytes = 0;
  std::uint32_t drops = 0;  // since the socket was opened; wraps around
};

// Owns one connector socket and its subscription. One thread at a time.
class ProcConnector {
 public:
  // Opens and binds a socket and sets its receive buffer, beyond rmem_max where permitted. The socket is not subscribed
  // yet. It may already receive events that the kernel generates for other subscribers, which proves nothing.
  static Result<ProcConnector> Open(const ConnectorOptions& options);

  ProcConnector(ProcConnector&&) noexcept = default;
  ProcConnector& operator=(ProcConnector&&) noexcept = default;
  ProcConnector(const ProcConnector&) = delete;
  ProcConnector& operator=(const ProcConnector&) = delete;
  ~ProcConnector() = default;  // does not unsubscribe: without Unsubscribe the kernel keeps generating events

  // Sends LISTEN and waits for the kernel's ACK. Discards datagrams queued before the ACK, so that Receive returns the
  // ACK first. If the ACK is missing without a known cause, LISTEN is repeated until `timeout`. Each repetition raises
  // the kernel's listener count by one, until the kernel generates events again. A narrowed subscription has no ACK to
  // receive, because the kernel filters it too. Fails in a time namespace whose monotonic clock is not the kernel's:
  // the times of events could not be compared with that of this process.
  Status Subscribe(std::chrono::milliseconds timeout = std::chrono::seconds(1));

  // Sends IGNORE if subscribed. The kernel stops generating events for this process. Allocates nothing, so that it also
  // works without memory.
  void Unsubscribe();

  // Receives without blocking. Returns the number of datagrams.
  Result<std::size_t> Receive(DatagramBatch& batch) { return batch.FillFrom(fd()); }
  // Waits for datagrams. Returns 0 after `timeout`.
  Result<std::size_t> Receive(DatagramBatch& batch, std::chrono::milliseconds timeout);
  // Receives one datagram of any sender without blocking. Returns its full length, even if `buffer` is shorter; 0 if
  // the queue is empty.
  Result<std::size_t> ReceiveRaw(std::span<std::byte> buffer);

  // How far the monotonic clock of this process is ahead of the kernel's, as found by Subscribe. Not 0 only in a time
  // namespace.
  [[nodiscard]] std::int64_t clock_offset_ns() const { return clock_offset_ns_; }

  [[nodiscard]] SocketMemory Memory() const;
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  ProcConnector(OwnedFd fd, const ConnectorOptions& options) : fd_(std::move(fd)), events_(options.events) {}

  Status SendListen(std::uint32_t token);
  Result<bool> DiscardUntilAck(std::uint32_t token, std::uint64_t deadline_ns);
  Status ApplyEventMask(std::uint64_t deadline_ns);
  Status DiscardQueued();

  OwnedFd fd_;
  Bytes ignore_request_;  // made by Subscribe
  EventMask events_;
  bool subscribed_ = false;
  std::uint64_t listen_sent_ns_ = 0;
  std::int64_t clock_offset_ns_ = 0;
};

}  // namespace procevent
