// Who was turned away: counted for the metrics, and told to whoever wants to log it. Any thread, at any time.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

namespace procevent {

enum class Refusal : std::uint8_t {
  kNotAllowed,      // web.allow leaves the address out: the connection was closed, unheard
  kTooManyScrapes,  // web.max_requests are being served: answered 503
};
inline constexpr std::size_t kRefusals = 2;
inline constexpr std::array<std::string_view, kRefusals> kRefusalNames{"not_allowed", "too_many_scrapes"};

class Refusals {
 public:
  // `client`: its address. Called by the threads that serve: it is to be brief.
  using Tell = std::function<void(Refusal why, std::string_view client)>;

  Refusals() = default;
  explicit Refusals(Tell tell) : tell_(std::move(tell)) {}

  void Note(Refusal why, std::string_view client) {
    counts_.at(static_cast<std::size_t>(why)).fetch_add(1, std::memory_order_relaxed);
    if (tell_) {
      tell_(why, client);
    }
  }
  [[nodiscard]] std::array<std::uint64_t, kRefusals> counts() const {
    return {counts_[0].load(std::memory_order_relaxed), counts_[1].load(std::memory_order_relaxed)};
  }

 private:
  Tell tell_;
  std::array<std::atomic<std::uint64_t>, kRefusals> counts_{};
};

}  // namespace procevent
