// Shares one scrape body of each format among concurrent requests.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "exporter/http/scrape_body.h"
#include "exporter/metrics/page_info.h"
#include "exporter/metrics/text_format.h"

namespace procevent {

// Generates one body of a format at a time, and shares it among all requests for this format that wait meanwhile and
// for which it is complete (PageInfo::complete_until_ns). A request does not wait here for the other format,
// but its generator may: the snapshot exchange serves one scrape after the other. Thread-safe.
class ScrapeCoalescer {
 public:
  // Writes the text for a request that was made at `asked_ns`. May block. Called for several formats at once.
  using Generator = std::function<PageInfo(std::uint64_t asked_ns, TextFormat format, const TextSink& sink)>;
  explicit ScrapeCoalescer(Generator generate) : generate_(std::move(generate)) {}

  // Slow clients keep bodies in memory. While these have more bytes than this, no other body is generated.
  static constexpr std::size_t kMaxBytesInUse = std::size_t{32} << 20;

  // Returns nullptr if the bodies in use have more than kMaxBytesInUse. An exception of the generator propagates to the
  // request that ran it, and another waiting request tries again.
  std::shared_ptr<const ScrapeBody> Get(std::uint64_t asked_ns, TextFormat format);

 private:
  // The requests that wait for a body of one format.
  struct Queue {
    bool generating = false;
    std::size_t waiting = 0;
    std::shared_ptr<const ScrapeBody> body;  // the last one, kept only while requests wait
  };

  std::shared_ptr<const ScrapeBody> Generate(std::unique_lock<std::mutex>& lock, std::uint64_t asked_ns,
                                             TextFormat format);
  [[nodiscard]] Queue& QueueOf(TextFormat format) { return queues_.at(static_cast<std::size_t>(format)); }
  [[nodiscard]] std::size_t BytesInUse();

  Generator generate_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Queue, kTextFormats> queues_;
  std::vector<std::weak_ptr<const ScrapeBody>> used_;  // bodies of all formats that may still be sent
};

}  // namespace procevent
