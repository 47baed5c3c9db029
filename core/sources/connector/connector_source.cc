#include "core/sources/connector/connector_source.h"

#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <utility>

#include "core/base/system.h"

namespace procevent {

namespace {

// CPU set for up to 8192 CPUs, because cpu_set_t of glibc ends at 1024.
class CpuSet {
 public:
  [[nodiscard]] bool ReadCurrent() { return ::sched_getaffinity(0, bytes(), sets_.data()) == 0; }
  void Apply() const { ::sched_setaffinity(0, bytes(), sets_.data()); }
  void Set(std::size_t cpu) { CPU_SET_S(cpu, bytes(), sets_.data()); }
  [[nodiscard]] bool Has(std::size_t cpu) const { return CPU_ISSET_S(cpu, bytes(), sets_.data()); }
  [[nodiscard]] std::size_t size() const { return bytes() * 8; }
  [[nodiscard]] bool CoversAll() const { return CPU_COUNT_S(bytes(), sets_.data()) >= ::sysconf(_SC_NPROCESSORS_ONLN); }
  static CpuSet All() {
    CpuSet all;
    for (std::size_t cpu = 0; cpu < all.size(); ++cpu) {
      all.Set(cpu);
    }
    return all;
  }

 private:
  [[nodiscard]] std::size_t bytes() const { return sets_.size() * sizeof(cpu_set_t); }
  std::array<cpu_set_t, 8> sets_{};
};

// The highest possible number of datagrams in the queue of a socket. The kernel charges each with its buffer, the
// `sk_buff` (232 bytes) and the `skb_shared_info` (320), whatever the kernel version. Without SO_MEMINFO (before Linux
// 4.12) the queue may have any size.
std::uint64_t MaxQueuedDatagrams(const SocketMemory& memory) {
  constexpr std::uint64_t kMinChargedBytes = 512;
  return (memory.limit_bytes == 0 ? UINT32_MAX : memory.used_bytes) / kMinChargedBytes + 1;
}

}  // namespace

void Canary::SendCanary() {
  thread_ = ::gettid();
  std::array<char, kCommSize> name{};
  ::prctl(PR_GET_NAME, name.data());
  ::prctl(PR_SET_NAME, name.data());
}

bool Canary::SendCanaryOnEachCpu(std::uint64_t deadline_ns) {
  CpuSet allowed;
  if (!allowed.ReadCurrent()) {
    SendCanary();
    return true;
  }
  for (; next_cpu_ < allowed.size(); ++next_cpu_) {
    if (!allowed.Has(next_cpu_)) {
      continue;
    }
    if (MonotonicNanos() >= deadline_ns) {
      break;
    }
    CpuSet single;
    single.Set(next_cpu_);
    single.Apply();
    SendCanary();
  }
  // The kernel lists only present CPUs. A thread that may use all of them must also be able to use CPUs added later.
  allowed.CoversAll() ? CpuSet::All().Apply() : allowed.Apply();
  const bool done = next_cpu_ == allowed.size();
  next_cpu_ = done ? 0 : next_cpu_;
  return done;
}

Status ConnectorSource::Resubscribe(std::chrono::milliseconds timeout) {
  auto opened = ProcConnector::Open(options_);
  if (!opened) {
    return opened.error();
  }
  ProcConnector fresh = std::move(opened).value();
  if (auto subscribed = fresh.Subscribe(timeout); !subscribed) {
    return subscribed;
  }
  if (retired_) {
    CountDrops(*retired_);
  }
  // The previous socket is closed without IGNORE: the kernel only counts listeners, so IGNORE could end the new one.
  retired_ = std::exchange(current_, Socket{std::move(fresh)});
  retired_unread_ = retired_ ? MaxQueuedDatagrams(CountDrops(*retired_)) : 0;
  return Success{};
}

Result<Source::ReceiveResult> ConnectorSource::Receive() {
  auto received = ReceiveBatch();
  inputs_.Assign(batch_);
  return received;
}

Result<Source::ReceiveResult> ConnectorSource::ReceiveBatch() {
  if (retired_) {
    return ReceiveFromRetired();
  }
  if (!current_) {
    batch_.Clear();
    return ReceiveResult{0, true};
  }
  const auto received = current_->connector.Receive(batch_);
  if (!received) {
    return received.error();
  }
  return ReceiveResult{received.value(), !batch_.full()};
}

// Closes the previous socket once it was empty, or once every datagram that it held when the new one was subscribed has
// been received. All later events reach the new socket as well.
Result<Source::ReceiveResult> ConnectorSource::ReceiveFromRetired() {
  const auto received = retired_->connector.Receive(batch_);
  retired_unread_ -= std::min<std::uint64_t>(retired_unread_, batch_.size());
  if (!received || !batch_.full() || retired_unread_ == 0) {
    CountDrops(*retired_);
    retired_.reset();
  }
  return ReceiveResult{batch_.size(), false};
}

QueueState ConnectorSource::Queue() {
  if (retired_) {
    CountDrops(*retired_);
  }
  if (!current_) {
    return {};
  }
  const SocketMemory memory = CountDrops(*current_);
  // The kernel doubles the request and caps it at the range of an int.
  constexpr std::uint32_t kMaxRequest = std::numeric_limits<int>::max() / 2;
  return {memory.used_bytes, memory.limit_bytes, 2 * std::min(options_.receive_buffer_bytes, kMaxRequest), drops_};
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
