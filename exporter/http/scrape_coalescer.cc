#include "exporter/http/scrape_coalescer.h"

namespace procevent {

std::shared_ptr<const ScrapeBody> ScrapeCoalescer::Get(std::uint64_t asked_ns, TextFormat format) {
  std::unique_lock lock(mutex_);
  Queue& queue = QueueOf(format);
  const auto is_complete = [&] { return queue.body != nullptr && queue.body->page().complete_until_ns >= asked_ns; };
  ++queue.waiting;
  changed_.wait(lock, [&] { return is_complete() || !queue.generating; });
  --queue.waiting;
  const std::shared_ptr<const ScrapeBody> body = is_complete() ? queue.body : nullptr;
  if (queue.waiting == 0) {
    queue.body.reset();
  }
  return body != nullptr ? body : Generate(lock, asked_ns, format);
}

std::shared_ptr<const ScrapeBody> ScrapeCoalescer::Generate(std::unique_lock<std::mutex>& lock, std::uint64_t asked_ns,
                                                            TextFormat format) {
  if (BytesInUse() > kMaxBytesInUse) {
    return nullptr;
  }
  Queue& queue = QueueOf(format);
  queue.generating = true;
  lock.unlock();
  std::shared_ptr<const ScrapeBody> body;
  try {
    ScrapeBodyWriter writer;
    const PageInfo page = generate_(asked_ns, format, [&writer](std::string_view text) { writer.Append(text); });
    body = writer.Finish(page);
  } catch (...) {
    lock.lock();
    queue.generating = false;
    changed_.notify_all();
    throw;
  }
  lock.lock();
  queue.generating = false;
  queue.body = queue.waiting == 0 ? nullptr : body;
  changed_.notify_all();
  used_.emplace_back(body);
  return body;
}

std::size_t ScrapeCoalescer::BytesInUse() {
  std::erase_if(used_, [](const auto& body) { return body.expired(); });
  std::size_t bytes = 0;
  for (const auto& used : used_) {
    if (const auto body = used.lock()) {
      bytes += body->size(ContentEncoding::kGzip);
    }
  }
  return bytes;
}

}  // namespace procevent
