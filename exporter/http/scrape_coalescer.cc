#include "exporter/http/scrape_coalescer.h"

namespace procevent {

std::shared_ptr<const ScrapeBody> ScrapeCoalescer::Get(std::uint64_t asked_ns) {
  std::unique_lock lock(mutex_);
  const auto is_complete = [&] { return body_ != nullptr && body_->complete_until_ns() >= asked_ns; };
  ++waiting_;
  changed_.wait(lock, [&] { return is_complete() || !generating_; });
  --waiting_;
  const std::shared_ptr<const ScrapeBody> body = is_complete() ? body_ : nullptr;
  if (waiting_ == 0) {
    body_.reset();
  }
  return body != nullptr ? body : Generate(lock, asked_ns);
}

std::shared_ptr<const ScrapeBody> ScrapeCoalescer::Generate(std::unique_lock<std::mutex>& lock,
                                                            std::uint64_t asked_ns) {
  if (BytesInUse() > kMaxBytesInUse) {
    return nullptr;
  }
  generating_ = true;
  lock.unlock();
  std::shared_ptr<const ScrapeBody> body;
  try {
    ScrapeBodyWriter writer;
    const std::uint64_t complete_until_ns =
        generate_(asked_ns, [&writer](std::string_view text) { writer.Append(text); });
    body = writer.Finish(complete_until_ns);
  } catch (...) {
    lock.lock();
    generating_ = false;
    changed_.notify_all();
    throw;
  }
  lock.lock();
  generating_ = false;
  body_ = waiting_ == 0 ? nullptr : body;
  used_.emplace_back(body);
  changed_.notify_all();
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
