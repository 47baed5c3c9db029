// Shares one scrape body among concurrent requests.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "exporter/http/scrape_body.h"
#include "exporter/metrics/text_format.h"

namespace procevent {

// Generates one body at a time, and shares it among all requests that wait meanwhile and for which it is complete
// (ScrapeBody::complete_until_ns). Thread-safe.
class ScrapeCoalescer {
 public:
  // Writes the text for a request that was made at `asked_ns`. Returns the time of a request up to which it is
  // complete. May block.
  using Generator = std::function<std::uint64_t(std::uint64_t asked_ns, const TextSink& sink)>;
  explicit ScrapeCoalescer(Generator generate) : generate_(std::move(generate)) {}

  // Slow clients keep bodies in memory. While these have more bytes than this, no other body is generated.
  static constexpr std::size_t kMaxBytesInUse = std::size_t{32} << 20;

  // Returns nullptr if the bodies in use have more than kMaxBytesInUse. An exception of the generator propagates to the
  // request that ran it, and another waiting request tries again.
  std::shared_ptr<const ScrapeBody> Get(std::uint64_t asked_ns);

 private:
  std::shared_ptr<const ScrapeBody> Generate(std::unique_lock<std::mutex>& lock, std::uint64_t asked_ns);
  [[nodiscard]] std::size_t BytesInUse();

  Generator generate_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool generating_ = false;
  std::size_t waiting_ = 0;                            // requests that wait for another request's generation
  std::shared_ptr<const ScrapeBody> body_;             // the last one, kept only while requests wait
  std::vector<std::weak_ptr<const ScrapeBody>> used_;  // bodies that may still be sent
};

}  // namespace procevent
