// FOLDED: content_encoding.h, shared_answer.h
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

// Whether a client wants gzip, and gzip itself. Pure. For the site.

// Reads an Accept-Encoding header by RFC 9110: gzip has to be accepted and not be less welcome than identity.
bool PrefersGzip(std::string_view accept_encoding);

// Nothing if there is no memory for it.
std::optional<std::string> Gzip(std::string_view text);

// One answer for all who ask at the same time: whoever asks gets what was begun after that, so it is never older than
// the question, and nothing is made twice for askers who wait together. Any number of threads may ask; the site does.

class ScrapeBody {
 public:
  explicit ScrapeBody(std::string text) : text_(std::move(text)) {}

  [[nodiscard]] const std::string& text() const { return text_; }
  // Packed once, for the first who wants it so; nothing if there is no memory for it.
  [[nodiscard]] const std::optional<std::string>& gzipped() const;

 private:
  std::string text_;
  mutable std::once_flag once_;
  mutable std::optional<std::string> gzipped_;
};

class ScrapeCoalescer {
 public:
  // May wait for something, but no longer than `patience`.
  using Generator = std::function<std::string(std::chrono::milliseconds patience)>;
  explicit ScrapeCoalescer(Generator make) : make_(std::move(make)) {}

  // Whoever waited for another answer has that much less patience. What `make` throws goes to the one who ran it;
  // another of those who wait tries again.
  std::shared_ptr<const ScrapeBody> Get(std::chrono::milliseconds patience);

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  std::shared_ptr<const ScrapeBody> MakeOne(std::unique_lock<std::mutex>& lock, Deadline deadline);

  Generator make_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool making_ = false;
  std::uint64_t begun_ = 0;  // how many were
  std::uint64_t done_ = 0;   // the number of the last that was finished
  std::size_t waiting_ = 0;
  std::shared_ptr<const ScrapeBody> answer_;  // that one, as long as somebody waits
};

}  // namespace procevent
