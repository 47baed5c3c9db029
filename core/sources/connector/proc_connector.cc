#include "core/sources/connector/proc_connector.h"

#include <arpa/inet.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>

#include "core/base/system.h"
#include "core/protocol/decoder.h"
#include "core/protocol/encoder.h"
#include "core/protocol/wire.h"
#include "core/sources/connector/subscription_error.h"

namespace procevent {

Status AttachEventFilter(int fd, EventMask mask) {
  constexpr std::uint32_t kWhatOffset = wire::kNetlinkHeader + wire::kConnectorHeader;
  constexpr std::uint32_t kAcceptAll = UINT32_MAX;
  // BPF loads words in network byte order, so the mask is converted instead. An ACK has no bit and is dropped, as by
  // the kernel's own filter.
  std::array<sock_filter, 4> program{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, kWhatOffset},
      {BPF_JMP | BPF_JSET | BPF_K, 0, 1, htonl(mask.bits())},
      {BPF_RET | BPF_K, 0, 0, kAcceptAll},
      {BPF_RET | BPF_K, 0, 0, 0},
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) {
    return Error{"attach the event filter to the connector socket", errno,
                 "subscribe to all events (source.events: all)"};
  }
  return Success{};
}

namespace {

std::uint32_t RandomToken() {
  std::uint32_t token = 0;
  // Without random bytes the clock is the token: still unique, but easier to guess.
  if (::getrandom(&token, sizeof token, GRND_NONBLOCK) != sizeof token) {
    token = static_cast<std::uint32_t>(MonotonicNanos());
  }
  return token;
}

Status Send(int fd, const Bytes& request) {
  while (::send(fd, request.data(), request.size(), 0) < 0) {
    const int code = errno;
    if (code != EINTR) {
      return MakeSendError(code, DetectConnectorEnvironment());
    }
  }
  return Success{};
}

void RequestReceiveBuffer(int fd, std::uint32_t bytes) {
  const int requested = static_cast<int>(bytes);
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &requested, sizeof requested) != 0) {
    // Without CAP_NET_ADMIN the kernel silently clamps the size to rmem_max. Memory() returns the granted size.
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &requested, sizeof requested);
  }
}

// Reads the next datagram without removing it from the queue. Returns 0 if the queue is empty.
Result<std::size_t> Peek(int fd, std::span<std::byte> buffer, sockaddr_nl& sender) {
  while (true) {
    socklen_t length = sizeof sender;
    const ssize_t got = ::recvfrom(fd, buffer.data(), buffer.size(), MSG_PEEK | MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&sender), &length);
    if (got >= 0) {
      return static_cast<std::size_t>(got);
    }
    if (errno == EAGAIN) {
      return std::size_t{0};
    }
    if (errno != EINTR && errno != ENOBUFS) {
      return MakeReceiveError(errno);
    }
  }
}

// How far the clock of this process is ahead of the kernel's, by the time of an ACK: it lies between the request and
// its receipt. 0 if it does. In a time namespace the two clocks can differ.
std::int64_t ClockOffset(std::uint64_t sent_ns, std::uint64_t ack_ns, std::uint64_t received_ns) {
  constexpr std::uint64_t kTolerance = kNanosPerMilli;
  if (ack_ns + kTolerance >= sent_ns && ack_ns <= received_ns + kTolerance) {
    return 0;
  }
  return static_cast<std::int64_t>(sent_ns / 2 + received_ns / 2) - static_cast<std::int64_t>(ack_ns);
}

// Returns the ACK of the request with this token.
std::optional<Event> FindAck(std::uint32_t token, std::span<const std::byte> datagram) {
  std::optional<Event> ack;
  ForEachMessage(datagram, [&](const Message& message) {
    if (message.outcome == DecodeOutcome::kEvent && message.event.kind() == EventKind::kAck &&
        message.event.acknowledged == token + 1) {
      ack = message.event;
    }
  });
  return ack;
}

}  // namespace

Result<ProcConnector> ProcConnector::Open(const ConnectorOptions& options) {
  OwnedFd fd(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR));
  if (!fd.valid()) {
    return MakeOpenError(errno);
  }
  RequestReceiveBuffer(fd.get(), options.receive_buffer_bytes);
  // An overrun then loses only the events that did not fit. Sequence numbers and the drop counter show how many.
  const int on = 1;
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = CN_IDX_PROC;  // nl_pid 0: the kernel chooses, because another process could occupy a fixed ID
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return MakeBindError(errno);
  }
  return ProcConnector(std::move(fd), options);
}

Status ProcConnector::Subscribe(std::chrono::milliseconds timeout) {
  const std::uint64_t deadline = MonotonicNanos() + static_cast<std::uint64_t>(timeout.count()) * kNanosPerMilli;
  const std::uint32_t token = RandomToken();
  if (auto sent = SendListen(token); !sent) {
    return sent;
  }
  // The kernel queues the ACK during send(). If it is missing now, it will not come.
  auto acknowledged = DiscardUntilAck(token, deadline);
  if (acknowledged && !acknowledged.value()) {
    const ConnectorEnvironment environment = DetectConnectorEnvironment();
    if (!IsRetryUseful(environment)) {
      return MakeNoAckError(environment);
    }
    for (std::uint32_t round = 1; acknowledged && !acknowledged.value(); ++round) {
      if (MonotonicNanos() >= deadline) {
        return MakeNoAckError(environment);
      }
      // The kernel ignores a repeated LISTEN of a socket. Another operation in between makes the next one count.
      if (auto sent = Send(fd(), EncodeRequest(ConnectorOperation::kInvalidOperation, RandomToken())); !sent) {
        return sent;
      }
      if (auto sent = SendListen(token + 2 * round); !sent) {
        return sent;
      }
      acknowledged = DiscardUntilAck(token + 2 * round, deadline);
    }
  }
  if (!acknowledged) {
    return acknowledged.error();
  }
  ignore_request_ = EncodeRequest(ConnectorOperation::kIgnore, RandomToken());
  subscribed_ = true;
  if (clock_offset_ns_ != 0) {
    Unsubscribe();
    return MakeTimeNamespaceError(clock_offset_ns_);
  }
  return events_ == EventMask::All() ? Status(Success{}) : ApplyEventMask(deadline);
}

Status ProcConnector::SendListen(std::uint32_t token) {
  listen_sent_ns_ = MonotonicNanos();
  return Send(fd(), EncodeRequest(ConnectorOperation::kListen, token));
}

// Discards datagrams until the ACK of `token` is first in the queue. Returns false if there is none.
Result<bool> ProcConnector::DiscardUntilAck(std::uint32_t token, std::uint64_t deadline_ns) {
  std::array<std::byte, DatagramBatch::kSlotBytes> bytes{};
  while (MonotonicNanos() < deadline_ns) {
    sockaddr_nl sender{};
    const auto peeked = Peek(fd(), bytes, sender);
    if (!peeked) {
      return peeked.error();
    }
    if (peeked.value() == 0) {
      return false;
    }
    if (sender.nl_pid == 0) {
      if (const auto ack = FindAck(token, std::span(bytes).first(peeked.value()))) {
        clock_offset_ns_ = ClockOffset(listen_sent_ns_, ack->timestamp_ns, MonotonicNanos());
        const auto code = static_cast<int>(std::get<AckBody>(ack->body).error);
        return code == 0 ? Result<bool>(true) : Result<bool>(MakeSubscribeRefusedError(code));
      }
    }
    if (const auto received = ReceiveRaw(bytes); !received) {
      return received.error();
    }
  }
  return false;
}

// A kernel with an event filter acknowledges an 8-byte LISTEN for all events. An older kernel ignores it.
Status ProcConnector::ApplyEventMask(std::uint64_t deadline_ns) {
  const std::uint32_t token = RandomToken();
  if (auto sent = Send(fd(), EncodeRequest(ConnectorOperation::kListen, EventMask::All(), token)); !sent) {
    return sent;
  }
  const auto has_filter = DiscardUntilAck(token, deadline_ns);
  if (!has_filter) {
    return has_filter.error();
  }
  const EventMask mask = events_.With(EventKind::kComm);
  const Status narrowed = has_filter.value()
                              ? Send(fd(), EncodeRequest(ConnectorOperation::kListen, mask, RandomToken()))
                              : AttachEventFilter(fd(), mask);
  return narrowed ? DiscardQueued() : narrowed;
}

// Discards events queued before the mask applied. Bounded by more batches than a full buffer holds.
Status ProcConnector::DiscardQueued() {
  DatagramBatch batch;
  constexpr int kMaxBatches = 1 << 14;
  for (int i = 0; i < kMaxBatches; ++i) {
    const auto received = Receive(batch);
    if (!received) {
      return received.error();
    }
    if (!batch.full()) {
      break;
    }
  }
  return Success{};
}

void ProcConnector::Unsubscribe() {
  if (std::exchange(subscribed_, false)) {
    [[maybe_unused]] const Status sent = Send(fd(), ignore_request_);
  }
}

Result<std::size_t> ProcConnector::Receive(DatagramBatch& batch, std::chrono::milliseconds timeout) {
  const std::uint64_t deadline = MonotonicNanos() + static_cast<std::uint64_t>(timeout.count()) * kNanosPerMilli;
  while (true) {
    auto received = Receive(batch);
    const std::uint64_t now = MonotonicNanos();
    if (!received || received.value() > 0 || now >= deadline) {
      return received;
    }
    pollfd readable{fd(), POLLIN, 0};
    ::poll(&readable, 1, static_cast<int>((deadline - now) / kNanosPerMilli) + 1);
  }
}

Result<std::size_t> ProcConnector::ReceiveRaw(std::span<std::byte> buffer) {
  while (true) {
    const ssize_t got = ::recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (got >= 0) {
      return static_cast<std::size_t>(got);
    }
    if (errno == EAGAIN) {
      return std::size_t{0};
    }
    if (errno != EINTR && errno != ENOBUFS) {
      return MakeReceiveError(errno);
    }
  }
}

SocketMemory ProcConnector::Memory() const {
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t length = sizeof memory;
  ::getsockopt(fd(), SOL_SOCKET, SO_MEMINFO, memory.data(), &length);
  return {memory[SK_MEMINFO_RMEM_ALLOC], memory[SK_MEMINFO_RCVBUF], memory[SK_MEMINFO_DROPS]};
}

}  // namespace procevent
