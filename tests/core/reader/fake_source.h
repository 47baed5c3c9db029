// A source that delivers what a test puts in, and answers canaries while it is told to live.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

#include "core/base/file_descriptor.h"
#include "core/base/system.h"
#include "core/protocol/encoder.h"
#include "core/sources/connector/datagram_source.h"

namespace procevent {

// What a test and the fake share; outlives both.
class FakeKernel {
 public:
  FakeKernel() : ready_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  void Send(const Bytes& datagram, std::uint32_t port_id = 0) {
    const std::lock_guard lock(mutex_);
    Queue(datagram, port_id);
  }
  // Numbered and queued at once: a canary may come at any time.
  void SendEvent(const Event::Body& body, std::uint32_t cpu = 0) {
    const std::lock_guard lock(mutex_);
    Queue(EncodeEvent(NextLocked(body, cpu)), 0);
  }
  // Numbered, and never delivered.
  void Lose(std::uint32_t events, std::uint32_t cpu = 0) {
    const std::lock_guard lock(mutex_);
    sequences_[cpu] += events;
    drops_ += events;
  }
  void Live(bool live) {
    const std::lock_guard lock(mutex_);
    live_ = live;
  }
  void Refuse(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    refusal_ = error;
  }
  void Break(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    fault_ = error;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(ready_.get(), &one, sizeof one);
  }
  void BreakAfterRenewal(const Error& error) {
    const std::lock_guard lock(mutex_);
    fault_after_renewal_ = error;
  }
  [[nodiscard]] int renewals() {
    const std::lock_guard lock(mutex_);
    return renewals_;
  }
  [[nodiscard]] int wakes() {
    const std::lock_guard lock(mutex_);
    return wakes_;
  }
  [[nodiscard]] bool closed() {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  friend class FakeSource;
  struct Waiting {
    Bytes datagram;
    std::uint32_t port_id;
  };

  Event NextLocked(const Event::Body& body, std::uint32_t cpu) {
    Event event;
    event.sequence = sequences_[cpu]++;
    event.cpu = cpu;
    event.timestamp_ns = MonotonicNanos();
    event.body = body;
    return event;
  }
  void Queue(const Bytes& datagram, std::uint32_t port_id) {
    queue_.push_back({datagram, port_id});
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(ready_.get(), &one, sizeof one);
  }

  std::mutex mutex_;
  OwnedFd ready_;
  std::deque<Waiting> queue_;
  std::uint32_t sequences_[2] = {UINT32_MAX - 2, 0};
  std::uint64_t drops_ = 0;
  bool live_ = true;
  std::optional<Error> refusal_;
  std::optional<Error> fault_;
  std::optional<Error> fault_after_renewal_;
  int renewals_ = 0;
  int wakes_ = 0;
  bool closed_ = false;
};

class FakeSource final : public DatagramSource {
 public:
  explicit FakeSource(FakeKernel& kernel) : kernel_(kernel) {}

  Status Resubscribe(std::chrono::milliseconds /*patience*/) override {
    const std::lock_guard lock(kernel_.mutex_);
    ++kernel_.renewals_;
    if (kernel_.refusal_) {
      return *kernel_.refusal_;
    }
    kernel_.fault_ = kernel_.fault_after_renewal_;
    return Success{};
  }
  Result<ReceiveResult> Receive(DatagramBatch& batch) override {
    const std::lock_guard lock(kernel_.mutex_);
    batch.Clear();
    ++kernel_.wakes_;
    if (kernel_.fault_) {
      return *kernel_.fault_;
    }
    while (!kernel_.queue_.empty() && batch.Append(kernel_.queue_.front().datagram, kernel_.queue_.front().port_id)) {
      kernel_.queue_.pop_front();
    }
    if (kernel_.queue_.empty()) {
      std::uint64_t rings = 0;
      [[maybe_unused]] const auto got = ::read(kernel_.ready_.get(), &rings, sizeof rings);
    }
    return ReceiveResult{batch.size(), kernel_.queue_.empty()};
  }
  [[nodiscard]] QueueState Queue() override {
    const std::lock_guard lock(kernel_.mutex_);
    return {static_cast<std::uint32_t>(kernel_.queue_.size() * 832), 1U << 20U, 2U << 20U, kernel_.drops_};
  }
  [[nodiscard]] int fd() const override { return kernel_.ready_.get(); }
  void SendCanary() override { SoundFrom(1); }
  [[nodiscard]] bool SendCanaryOnEachCpu(std::uint64_t /*deadline_ns*/) override {
    SoundFrom(2);
    return true;
  }
  [[nodiscard]] bool IsCanaryEvent(const CommBody& comm) const override { return comm.task.pid == thread_; }
  void Close() override {
    const std::lock_guard lock(kernel_.mutex_);
    kernel_.closed_ = true;
  }

 private:
  void SoundFrom(std::uint32_t cpus) {
    const std::lock_guard lock(kernel_.mutex_);
    thread_ = ::gettid();
    for (std::uint32_t cpu = 0; kernel_.live_ && cpu < cpus; ++cpu) {
      kernel_.Queue(EncodeEvent(kernel_.NextLocked(CommBody{{thread_, thread_}, {}}, cpu)), 0);
    }
  }

  FakeKernel& kernel_;
  int thread_ = -1;
};

}  // namespace procevent
