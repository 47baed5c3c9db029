// FOLDED: build_info.h, refusals.h, reload_status.h, own_state.h, listener_state.h
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/reader/snapshot_exchange.h"

namespace procevent {

// What this program is: said by --version, the landing page and procevent_build_info. Anybody above may ask.

std::string_view Version();   // "0.1.0"
std::string_view Compiler();  // "gcc 12.2.0"

// Who was turned away: counted for the metrics, and told to whoever wants to log it. Any thread, at any time.

enum class RefusalReason : std::uint8_t {
  kNotAllowed,      // web.allow leaves the address out: the connection was closed, unheard
  kTooManyScrapes,  // web.max_requests are being served: answered 503
};
inline constexpr std::size_t kRefusalReasons = 2;
inline constexpr std::array<std::string_view, kRefusalReasons> kRefusalReasonNames{"not_allowed", "too_many_scrapes"};

class RefusedRequests {
 public:
  // `client`: its address. Called by the threads that serve: it is to be brief.
  using RefusalCallback = std::function<void(RefusalReason why, std::string_view client)>;

  RefusedRequests() = default;
  explicit RefusedRequests(RefusalCallback tell) : tell_(std::move(tell)) {}

  void Note(RefusalReason why, std::string_view client) {
    counts_.at(static_cast<std::size_t>(why)).fetch_add(1, std::memory_order_relaxed);
    if (tell_) {
      tell_(why, client);
    }
  }
  [[nodiscard]] std::array<std::uint64_t, kRefusalReasons> counts() const {
    return {counts_[0].load(std::memory_order_relaxed), counts_[1].load(std::memory_order_relaxed)};
  }

 private:
  RefusalCallback tell_;
  std::array<std::atomic<std::uint64_t>, kRefusalReasons> counts_{};
};

// How the last reading of the configuration went, for the metrics. cmd notes it; scraping threads ask, at any time.

class ReloadStatus {
 public:
  // It was read at the start.
  explicit ReloadStatus(double now_seconds) : succeeded_at_seconds_(now_seconds) {}

  // `restart_pending`: some of it is not in force before a restart.
  void RecordSuccess(double now_seconds, bool restart_pending) {
    succeeded_at_seconds_.store(now_seconds, std::memory_order_relaxed);
    restart_pending_.store(restart_pending, std::memory_order_relaxed);
    successful_.store(true, std::memory_order_relaxed);
  }
  void RecordFailure() { successful_.store(false, std::memory_order_relaxed); }

  [[nodiscard]] bool successful() const { return successful_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool restart_pending() const { return restart_pending_.load(std::memory_order_relaxed); }
  // Since the epoch.
  [[nodiscard]] double succeeded_at_seconds() const { return succeeded_at_seconds_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> successful_{true};
  std::atomic<bool> restart_pending_{false};
  std::atomic<double> succeeded_at_seconds_;
};

// What the exporter tells of itself beside the reader's numbers. cmd makes one, which outlives the server.

struct ExporterState {
  ReloadStatus reloads;
  RefusedRequests refusals{};
};

// What a person wants to know of the listener: whether the kernel is heard, why not, and what was lost. For the landing
// page, /-/ready and the service manager. Any thread may ask.

inline constexpr std::chrono::milliseconds kSnapshotTimeout{1000};  // how long a request waits for the reader

struct SubscriptionStatus {
  bool answered = false;  // the reader did, after it was asked
  bool replayed = false;  // a capture is heard, instead of the kernel
  std::string cause;      // why the kernel is not heard, in one line; empty if it is
  std::string losses;     // a sentence, as far as anything is known
};

// Pure.
SubscriptionStatus StateOf(const Snapshot& snapshot, SnapshotExchange::Freshness age);

// Asks the reader, and waits no longer than `patience`.
SubscriptionStatus RequestSubscriptionStatus(SnapshotExchange& exchange, std::chrono::milliseconds patience);

}  // namespace procevent
