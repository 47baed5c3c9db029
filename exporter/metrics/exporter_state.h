// Holds the state of the exporter itself: version, refused requests, configuration reloads, and the subscription as
// people read it. Every function and class here may be used from any thread.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"
#include "core/reader/snapshot_exchange.h"

namespace procevent {

// The product in one sentence, for --help, the landing page and the manual page.
std::string_view Description();

// The build, for --version, the landing page and procevent_exporter_build_info.
std::string_view Version();   // "0.2.0"
std::string_view Revision();  // "1b16eb0", or "unknown" if the sources were no git checkout
std::string_view Compiler();  // "gcc 12.2.0"

// Why the server refused a request.
enum class RefusalReason : std::uint8_t {
  kNotAllowed,      // web.allow does not include the client: the connection was closed before the request was read
  kTooManyScrapes,  // web.max_requests scrapes were being served: answered 503
  kSlowClients,     // the pages that slow clients have not read yet take too much memory: answered 503
};
inline constexpr std::size_t kRefusalReasons = 3;
inline constexpr std::array<std::string_view, kRefusalReasons> kRefusalReasonNames{"not_allowed", "too_many_scrapes",
                                                                                   "slow_clients"};

// Counts refused requests for the metrics and passes each one to a callback, which logs it.
class RefusedRequests {
 public:
  // `client` is the IP address. The serving threads call it, so it must return quickly.
  using RefusalCallback = std::function<void(RefusalReason reason, std::string_view client)>;

  RefusedRequests() = default;
  explicit RefusedRequests(RefusalCallback callback) : callback_(std::move(callback)) {}

  void Record(RefusalReason reason, std::string_view client) {
    counts_.at(static_cast<std::size_t>(reason)).fetch_add(1, std::memory_order_relaxed);
    if (callback_) {
      callback_(reason, client);
    }
  }
  [[nodiscard]] std::array<std::uint64_t, kRefusalReasons> counts() const {
    std::array<std::uint64_t, kRefusalReasons> counts{};
    std::ranges::transform(counts_, counts.begin(),
                           [](const auto& count) { return count.load(std::memory_order_relaxed); });
    return counts;
  }

 private:
  RefusalCallback callback_;
  std::array<std::atomic<std::uint64_t>, kRefusalReasons> counts_{};
};

// The outcome of the last load of the configuration. cmd records it, and scrapes read it.
class ReloadStatus {
 public:
  // Begins with the successful load at the start.
  explicit ReloadStatus(double now_seconds) : succeeded_at_seconds_(now_seconds) {}

  // `restart_pending`: some of the changes take effect only after a restart.
  void RecordSuccess(double now_seconds, bool restart_pending) {
    succeeded_at_seconds_.store(now_seconds, std::memory_order_relaxed);
    restart_pending_.store(restart_pending, std::memory_order_relaxed);
    successful_.store(true, std::memory_order_relaxed);
  }
  void RecordFailure() { successful_.store(false, std::memory_order_relaxed); }

  [[nodiscard]] bool successful() const { return successful_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool restart_pending() const { return restart_pending_.load(std::memory_order_relaxed); }
  // Unix time.
  [[nodiscard]] double succeeded_at_seconds() const { return succeeded_at_seconds_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> successful_{true};
  std::atomic<bool> restart_pending_{false};
  std::atomic<double> succeeded_at_seconds_;
};

// The exporter's own metrics, besides the reader's snapshot. Owned by cmd; must outlive the server.
struct ExporterState {
  ReloadStatus reloads;
  RefusedRequests refusals{};
};

inline constexpr std::chrono::milliseconds kSnapshotTimeout{1000};  // for the reader's answer to a request

// The state of the subscription, for the landing page, /-/ready and the service manager.
struct SubscriptionStatus {
  bool responsive = false;       // the reader or replayer runs
  bool replayed = false;         // the events come from a capture instead of the kernel
  Status receiving = Success{};  // why events are not received
  std::string losses;            // received and lost events, without a full stop; empty before the first status
};

SubscriptionStatus DescribeStatus(const ReaderStatus& status, std::uint64_t now_ns);

// Describes the published status. Costs the reader nothing.
SubscriptionStatus ReadSubscriptionStatus(const SnapshotExchange& exchange);
// The same, but wakes the reader: `responsive` is true only if it publishes a new status within `timeout`.
SubscriptionStatus RequestSubscriptionStatus(const SnapshotExchange& exchange, std::chrono::milliseconds timeout);

}  // namespace procevent
