// A fake source: delivers the datagrams of a test, and answers canaries while it is alive.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "core/base/file_descriptor.h"
#include "core/base/system.h"
#include "core/protocol/encoder.h"
#include "core/reader/reader_sources.h"
#include "core/sources/connector/connector_inputs.h"
#include "core/sources/connector/datagram_batch.h"
#include "core/sources/connector/event_source.h"

namespace procevent {

// The state that a test and its FakeSource share; must outlive the FakeSource.
class FakeKernel {
 public:
  FakeKernel() : ready_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  void Send(const Bytes& datagram, std::uint32_t port_id = 0) {
    const std::lock_guard lock(mutex_);
    QueueLocked(datagram, port_id);
  }
  // Numbers and queues the event under one lock: a canary may come at any time.
  void SendEvent(const Event::Body& body, std::uint32_t cpu = 0) {
    const std::lock_guard lock(mutex_);
    QueueLocked(EncodeEvent(MakeEventLocked(body, cpu)), 0);
  }
  // Numbers events and does not deliver them.
  void Lose(std::uint32_t events, std::uint32_t cpu = 0) {
    const std::lock_guard lock(mutex_);
    sequences_[cpu] += events;
    drops_ += events;
  }
  void SetDeliversCanaries(bool alive) {
    const std::lock_guard lock(mutex_);
    alive_ = alive;
  }
  void RefuseSubscriptions(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    subscribe_error_ = error;
  }
  void FailReceive(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    receive_error_ = error;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(ready_.get(), &one, sizeof one);
  }
  void FailReceiveAfterSubscribing(const Error& error) {
    const std::lock_guard lock(mutex_);
    receive_error_after_subscribing_ = error;
  }
  // Every call of Receive throws from now on.
  void ThrowFromReceive(std::exception_ptr exception) {
    const std::lock_guard lock(mutex_);
    exception_ = std::move(exception);
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(ready_.get(), &one, sizeof one);
  }
  [[nodiscard]] int subscribe_calls() {
    const std::lock_guard lock(mutex_);
    return subscribe_calls_;
  }
  [[nodiscard]] int canaries() {
    const std::lock_guard lock(mutex_);
    return canaries_;
  }
  [[nodiscard]] int receive_calls() {
    const std::lock_guard lock(mutex_);
    return receive_calls_;
  }
  [[nodiscard]] bool closed() {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  friend class FakeSource;
  struct QueuedDatagram {
    Bytes datagram;
    std::uint32_t port_id;
  };

  Event MakeEventLocked(const Event::Body& body, std::uint32_t cpu) {
    Event event;
    event.sequence = sequences_[cpu]++;
    event.cpu = cpu;
    event.timestamp_ns = MonotonicNanos();
    event.body = body;
    return event;
  }
  void QueueLocked(const Bytes& datagram, std::uint32_t port_id) {
    queue_.push_back({datagram, port_id});
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(ready_.get(), &one, sizeof one);
  }

  std::mutex mutex_;
  OwnedFd ready_;
  std::deque<QueuedDatagram> queue_;
  std::uint32_t sequences_[2] = {UINT32_MAX - 2, 0};
  std::uint64_t drops_ = 0;
  bool alive_ = true;
  std::optional<Error> subscribe_error_;
  std::optional<Error> receive_error_;
  std::optional<Error> receive_error_after_subscribing_;
  std::exception_ptr exception_;
  int subscribe_calls_ = 0;
  int receive_calls_ = 0;
  int canaries_ = 0;  // sent, without those of CPU probes
  bool closed_ = false;
};

class FakeSource final : public EventSource {
 public:
  explicit FakeSource(FakeKernel& kernel) : kernel_(kernel) {}

  Status Resubscribe(std::chrono::milliseconds /*timeout*/) override {
    const std::lock_guard lock(kernel_.mutex_);
    ++kernel_.subscribe_calls_;
    if (kernel_.subscribe_error_) {
      return *kernel_.subscribe_error_;
    }
    kernel_.receive_error_ = kernel_.receive_error_after_subscribing_;
    return Success{};
  }
  Result<ReceiveResult> Receive() override {
    const std::lock_guard lock(kernel_.mutex_);
    batch_.Clear();
    inputs_.Clear();
    ++kernel_.receive_calls_;
    if (kernel_.exception_) {
      std::rethrow_exception(kernel_.exception_);
    }
    if (kernel_.receive_error_) {
      return *kernel_.receive_error_;
    }
    while (!kernel_.queue_.empty() && batch_.Append(kernel_.queue_.front().datagram, kernel_.queue_.front().port_id)) {
      kernel_.queue_.pop_front();
    }
    if (kernel_.queue_.empty()) {
      std::uint64_t signals = 0;
      [[maybe_unused]] const auto got = ::read(kernel_.ready_.get(), &signals, sizeof signals);
    }
    inputs_.Assign(batch_);
    return ReceiveResult{batch_.size(), kernel_.queue_.empty()};
  }
  [[nodiscard]] std::span<const Input> inputs() const override { return inputs_.get(); }
  [[nodiscard]] QueueState Queue() override {
    const std::lock_guard lock(kernel_.mutex_);
    return {static_cast<std::uint32_t>(kernel_.queue_.size() * 832), 1U << 20U, 2U << 20U, kernel_.drops_};
  }
  [[nodiscard]] int fd() const override { return kernel_.ready_.get(); }
  void SendCanary() override {
    SendCanariesFrom(1);
    const std::lock_guard lock(kernel_.mutex_);
    ++kernel_.canaries_;
  }
  [[nodiscard]] bool SendCanaryOnEachCpu(std::uint64_t /*deadline_ns*/) override {
    SendCanariesFrom(2);
    return true;
  }
  [[nodiscard]] bool IsCanaryEvent(const CommBody& comm) const override { return comm.task.pid == thread_; }
  void Close() override {
    const std::lock_guard lock(kernel_.mutex_);
    kernel_.closed_ = true;
  }

 private:
  void SendCanariesFrom(std::uint32_t cpus) {
    const std::lock_guard lock(kernel_.mutex_);
    thread_ = ::gettid();
    for (std::uint32_t cpu = 0; kernel_.alive_ && cpu < cpus; ++cpu) {
      kernel_.QueueLocked(EncodeEvent(kernel_.MakeEventLocked(CommBody{{thread_, thread_}, {}}, cpu)), 0);
    }
  }

  FakeKernel& kernel_;
  DatagramBatch batch_;
  ConnectorInputs inputs_;
  int thread_ = -1;
};

// The sources of a reader that has no other.
inline ReaderSources MakeFakeSources(FakeKernel& kernel) { return {.events = std::make_unique<FakeSource>(kernel)}; }

}  // namespace procevent
