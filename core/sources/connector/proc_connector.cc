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

#include "core/base/system.h"
#include "core/protocol/decoder.h"
#include "core/protocol/encoder.h"
#include "core/protocol/wire.h"
#include "core/sources/connector/subscription_error.h"

namespace procevent {

Status AttachEventFilter(int fd, EventMask mask) {
  constexpr std::uint32_t kWhatOffset = wire::kNetlinkHeader + wire::kConnectorHeader;
  constexpr std::uint32_t kWhole = UINT32_MAX;
  // BPF loads in network order, so the mask is turned instead. An ACK has no bit and is dropped, as by the kernel's
  // own filter.
  std::array<sock_filter, 4> program{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, kWhatOffset},
      {BPF_JMP | BPF_JSET | BPF_K, 0, 1, htonl(mask.bits())},
      {BPF_RET | BPF_K, 0, 0, kWhole},
      {BPF_RET | BPF_K, 0, 0, 0},
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) {
    return Error{"narrow the subscription by a socket filter", errno, "subscribe to all events (source.events: all)"};
  }
  return Success{};
}

namespace {

std::uint32_t RandomToken() {
  std::uint32_t token = 0;
  // A token that could not be drawn is the clock's: still ours, only easier to guess.
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

void AskForBuffer(int fd, std::uint32_t bytes) {
  const int wanted = static_cast<int>(bytes);
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0) {
    // Without NET_ADMIN the kernel clamps it to rmem_max and says nothing; Memory() tells what was granted.
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
  }
}

// The next datagram without taking it; 0 if there is none.
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

const Event* AsAckOf(std::uint32_t token, std::span<const std::byte> datagram, Message& message) {
  Decoder decoder(datagram);
  while (decoder.Next(message)) {
    if (message.outcome == DecodeOutcome::kEvent && message.event.kind() == EventKind::kAck &&
        message.event.acknowledged == token + 1) {
      return &message.event;
    }
  }
  return nullptr;
}

}  // namespace

Result<ProcConnector> ProcConnector::Open(const ConnectorOptions& options) {
  OwnedFd fd(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR));
  if (!fd.valid()) {
    return MakeOpenError(errno);
  }
  AskForBuffer(fd.get(), options.receive_buffer_bytes);
  // An overrun then costs only what did not fit; the sequence numbers and the drop count tell how much.
  const int on = 1;
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = CN_IDX_PROC;  // nl_pid 0: the kernel chooses, as a fixed one could be squatted
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return MakeBindError(errno);
  }
  return ProcConnector(std::move(fd), options);
}

Status ProcConnector::Subscribe(std::chrono::milliseconds patience) {
  const std::uint64_t deadline = MonotonicNanos() + static_cast<std::uint64_t>(patience.count()) * kNanosPerMilli;
  const std::uint32_t token = RandomToken();
  if (auto sent = Listen(token); !sent) {
    return sent;
  }
  // The kernel answers inside send(): no ACK now is no ACK at all.
  auto proved = TakeAck(token, deadline);
  if (proved && !proved.value()) {
    const ConnectorEnvironment around = DetectConnectorEnvironment();
    if (!IsRetryUseful(around)) {
      return MakeNoAckError(around);
    }
    for (std::uint32_t round = 1; proved && !proved.value(); ++round) {
      if (MonotonicNanos() >= deadline) {
        return MakeNoAckError(around);
      }
      // A socket's LISTEN counts once; another operation in between makes the next one count again.
      if (auto sent = Send(fd(), EncodeRequest(ConnectorOperation::kInvalidOperation, RandomToken())); !sent) {
        return sent;
      }
      if (auto sent = Listen(token + 2 * round); !sent) {
        return sent;
      }
      proved = TakeAck(token + 2 * round, deadline);
    }
  }
  if (!proved) {
    return proved.error();
  }
  subscribed_ = true;
  return events_ == EventMask::All() ? Status(Success{}) : Narrow(deadline);
}

Status ProcConnector::Listen(std::uint32_t token) {
  return Send(fd(), EncodeRequest(ConnectorOperation::kListen, token));
}

// Throws away what waits until our ACK is the first in the queue; false if it is not there.
Result<bool> ProcConnector::TakeAck(std::uint32_t token, std::uint64_t deadline_ns) {
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
    Message message;
    if (sender.nl_pid == 0) {
      if (const Event* ack = AsAckOf(token, std::span(bytes).first(peeked.value()), message)) {
        const auto code = static_cast<int>(std::get<AckBody>(ack->body).error);
        return code == 0 ? Result<bool>(true) : Result<bool>(MakeSubscribeRefusedError(code));
      }
    }
    if (const auto taken = ReceiveRaw(bytes); !taken) {
      return taken.error();
    }
  }
  return false;
}

// A kernel that knows filters answers an 8-byte LISTEN for everything; an older one ignores it.
Status ProcConnector::Narrow(std::uint64_t deadline_ns) {
  const std::uint32_t token = RandomToken();
  if (auto sent = Send(fd(), EncodeRequest(ConnectorOperation::kListen, EventMask::All(), token)); !sent) {
    return sent;
  }
  const auto knows_filters = TakeAck(token, deadline_ns);
  if (!knows_filters) {
    return knows_filters.error();
  }
  const EventMask wanted = events_.With(EventKind::kComm);
  const Status narrowed = knows_filters.value()
                              ? Send(fd(), EncodeRequest(ConnectorOperation::kListen, wanted, RandomToken()))
                              : AttachEventFilter(fd(), wanted);
  return narrowed ? ThrowAwayWhatWaits() : narrowed;
}

// What came before the subscription was narrow. Bounded: it cannot be more than was there.
Status ProcConnector::ThrowAwayWhatWaits() {
  DatagramBatch batch;
  constexpr int kMostBatches = 1 << 14;
  for (int i = 0; i < kMostBatches; ++i) {
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
  if (subscribed_) {
    subscribed_ = false;
    [[maybe_unused]] const Status sent = Send(fd(), EncodeRequest(ConnectorOperation::kIgnore, RandomToken()));
  }
}

Result<std::size_t> ProcConnector::Receive(DatagramBatch& batch, std::chrono::milliseconds patience) {
  const std::uint64_t deadline = MonotonicNanos() + static_cast<std::uint64_t>(patience.count()) * kNanosPerMilli;
  while (true) {
    auto received = Receive(batch);
    const std::uint64_t now = MonotonicNanos();
    if (!received || received.value() > 0 || now >= deadline) {
      return received;
    }
    pollfd wanted{fd(), POLLIN, 0};
    ::poll(&wanted, 1, static_cast<int>((deadline - now) / kNanosPerMilli) + 1);
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
