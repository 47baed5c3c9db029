// The baseline for the exporter's reader: a connector socket, recvmmsg and a count, with the same drain interval.
// Prints "listening" when the kernel has acknowledged the subscription. On SIGTERM it unsubscribes and prints its
// counts as one line of JSON.
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/protocol/wire.h"

namespace {

namespace wire = procevent::wire;

constexpr int kForcedBuffer = 32 << 20;
constexpr std::size_t kBatch = 64;
constexpr timespec kDrainInterval{0, 10'000'000};
constexpr std::uint32_t kToken = 0x0ba5e100;
constexpr std::size_t kWhatOffset = wire::kNetlinkHeader + wire::kConnectorHeader;
constexpr std::size_t kAckOffset = wire::kNetlinkHeader + 12;
constexpr int kNoEnobufs = 5;       // NETLINK_NO_ENOBUFS
constexpr int kMemoryInfo = 55;     // SO_MEMINFO
constexpr std::size_t kDrops = 8;   // SK_MEMINFO_DROPS
constexpr std::size_t kInfos = 16;  // more than any kernel fills in

struct Request {
  std::uint32_t length = wire::kNetlinkHeader + wire::kConnectorHeader + sizeof(std::uint32_t);
  std::uint16_t type = wire::kDone;
  std::uint16_t flags = 0;
  std::uint32_t netlink_sequence = 0;
  std::uint32_t port = 0;
  std::uint32_t index = wire::kProcIndex;
  std::uint32_t value = wire::kProcValue;
  std::uint32_t sequence = 0;
  std::uint32_t ack = kToken;
  std::uint16_t payload = sizeof(std::uint32_t);
  std::uint16_t connector_flags = 0;
  std::uint32_t operation;
};
static_assert(sizeof(Request) == 40);

struct Counts {
  std::map<std::uint32_t, std::uint64_t> events;  // by `what`; the map allocates once per type
  std::uint64_t oversized = 0;
  bool acknowledged = false;
};

[[noreturn]] void Fail(std::string_view what) {
  std::cerr << "bare_loop: " << what << ": " << std::system_category().message(errno) << "\n";
  std::exit(1);
}

void Send(int socket, std::uint32_t operation) {
  const Request request{.operation = operation};
  if (send(socket, &request, sizeof request, 0) != ssize_t{sizeof request}) {
    Fail("send");
  }
}

int Open() {
  const int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
  if (fd < 0) {
    Fail("socket");
  }
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kForcedBuffer, sizeof kForcedBuffer) != 0 ||
      setsockopt(fd, SOL_NETLINK, kNoEnobufs, &on, sizeof on) != 0) {
    Fail("setsockopt");
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = wire::kProcIndex;
  sockaddr any{};
  static_assert(sizeof any >= sizeof address);
  std::memcpy(&any, &address, sizeof address);
  if (bind(fd, &any, sizeof address) != 0) {
    Fail("bind");
  }
  Send(fd, wire::kOperationListen);
  return fd;
}

class Loop {
 public:
  explicit Loop(int socket) : socket_(socket) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      pieces_[i] = {.iov_base = buffers_[i].data(), .iov_len = buffers_[i].size()};
      messages_[i].msg_hdr.msg_iov = &pieces_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  void Drain() {
    int received = 0;
    do {
      received = recvmmsg(socket_, messages_.data(), kBatch, 0, nullptr);
      for (std::size_t i = 0; received > 0 && i < static_cast<std::size_t>(received); ++i) {
        Count(i);
      }
    } while (received == int{kBatch});
    if (received < 0 && errno != EAGAIN && errno != EINTR) {
      Fail("recvmmsg");
    }
  }

  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  void Count(std::size_t i) {
    if (messages_[i].msg_len != wire::kDatagram) {
      ++counts_.oversized;
      return;
    }
    std::uint32_t what = 0;
    std::memcpy(&what, buffers_[i].data() + kWhatOffset, sizeof what);
    ++counts_.events[what];
    if (what == wire::kWhatAck) {
      std::uint32_t ack = 0;
      std::memcpy(&ack, buffers_[i].data() + kAckOffset, sizeof ack);
      counts_.acknowledged = counts_.acknowledged || ack == kToken + 1;
    }
  }

  int socket_;
  Counts counts_;
  std::array<std::array<std::byte, 128>, kBatch> buffers_{};
  std::array<iovec, kBatch> pieces_{};
  std::array<mmsghdr, kBatch> messages_{};
};

std::uint32_t Drops(int socket) {
  std::array<std::uint32_t, kInfos> info{};
  socklen_t size = sizeof info;
  if (getsockopt(socket, SOL_SOCKET, kMemoryInfo, info.data(), &size) != 0) {
    Fail("SO_MEMINFO");
  }
  return info[kDrops];
}

std::uint64_t CpuNanoseconds() {
  std::ifstream file("/proc/self/schedstat");
  std::uint64_t nanoseconds = 0;
  if (!(file >> nanoseconds)) {
    Fail("/proc/self/schedstat");
  }
  return nanoseconds;
}

void Print(const Counts& counts, std::uint32_t drops, std::uint64_t cpu) {
  const std::array<std::pair<std::string_view, std::uint32_t>, 10> names{{{"ack", wire::kWhatAck},
                                                                          {"fork", wire::kWhatFork},
                                                                          {"exec", wire::kWhatExec},
                                                                          {"exit", wire::kWhatExit},
                                                                          {"uid", wire::kWhatUid},
                                                                          {"gid", wire::kWhatGid},
                                                                          {"sid", wire::kWhatSid},
                                                                          {"ptrace", wire::kWhatPtrace},
                                                                          {"comm", wire::kWhatComm},
                                                                          {"coredump", wire::kWhatCoredump}}};
  std::uint64_t total = 0;
  for (const auto& [what, count] : counts.events) {
    total += count;
  }
  std::cout << R"({"total": )" << total << R"(, "drops": )" << drops << R"(, "cpu_ns": )" << cpu << R"(, "oversized": )"
            << counts.oversized;
  for (const auto& [name, what] : names) {
    const auto found = counts.events.find(what);
    std::cout << R"(, ")" << name << R"(": )" << (found == counts.events.end() ? 0 : found->second);
  }
  std::cout << "}\n" << std::flush;
}

}  // namespace

int main() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  if (sigprocmask(SIG_BLOCK, &stop, nullptr) != 0) {
    Fail("sigprocmask");
  }
  const int socket = Open();
  Loop loop(socket);
  loop.Drain();
  if (!loop.counts().acknowledged) {
    std::cerr << "bare_loop: cannot subscribe: no acknowledgement; run in the host's namespaces\n";
    return 1;
  }
  std::cout << "listening\n" << std::flush;
  while (sigtimedwait(&stop, nullptr, &kDrainInterval) < 0) {
    loop.Drain();
  }
  loop.Drain();
  const std::uint64_t cpu = CpuNanoseconds();
  const std::uint32_t drops = Drops(socket);
  Send(socket, wire::kOperationIgnore);
  Print(loop.counts(), drops, cpu);
  close(socket);
  return 0;
}
