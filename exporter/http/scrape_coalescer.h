// Shares one scrape body among concurrent requests, and negotiates and applies gzip.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace procevent {

// Evaluates an Accept-Encoding header by RFC 9110. True if gzip is accepted with at least the quality of identity.
bool PrefersGzip(std::string_view accept_encoding);

// Returns nothing if there is not enough memory.
std::optional<std::string> Gzip(std::string_view text);

// The body of one scrape, plain and compressed. Thread-safe.
class ScrapeBody {
 public:
  explicit ScrapeBody(std::string text) : text_(std::move(text)) {}

  [[nodiscard]] const std::string& text() const { return text_; }
  // Compresses on the first call only. Returns nothing if there is not enough memory.
  [[nodiscard]] const std::optional<std::string>& gzipped() const;

 private:
  std::string text_;
  mutable std::once_flag once_;
  mutable std::optional<std::string> gzipped_;
};

// Generates one body for all requests that wait at the same time. A request gets a body whose generation began after
// the request, so a body is never older than its request. Thread-safe.
class ScrapeCoalescer {
 public:
  // May block for at most `timeout`.
  using Generator = std::function<std::string(std::chrono::milliseconds timeout)>;
  explicit ScrapeCoalescer(Generator generate) : generate_(std::move(generate)) {}

  // Time spent waiting for another request's body is deducted from `timeout`. An exception of the generator propagates
  // to the request that ran it, and another waiting request tries again.
  std::shared_ptr<const ScrapeBody> Get(std::chrono::milliseconds timeout);

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  std::shared_ptr<const ScrapeBody> Generate(std::unique_lock<std::mutex>& lock, Deadline deadline);

  Generator generate_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool generating_ = false;
  std::uint64_t started_ = 0;               // number of generations started
  std::uint64_t finished_ = 0;              // number of the last generation that succeeded
  std::size_t waiting_ = 0;                 // requests that wait for another request's generation
  std::shared_ptr<const ScrapeBody> body_;  // of generation finished_, kept only while requests wait
};

}  // namespace procevent
