#include "exporter/shared_answer.h"

#include <algorithm>
#include <utility>

#include "exporter/content_encoding.h"

namespace procevent {

const std::optional<std::string>& Answer::gzipped() const {
  std::call_once(once_, [this] { gzipped_ = Gzip(text_); });
  return gzipped_;
}

std::shared_ptr<const Answer> SharedAnswer::Get(std::chrono::milliseconds patience) {
  const Deadline deadline = std::chrono::steady_clock::now() + patience;
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = begun_ + 1;
  ++waiting_;
  changed_.wait(lock, [&] { return done_ >= wanted || !making_; });
  --waiting_;
  if (done_ < wanted) {
    return MakeOne(lock, deadline);
  }
  return waiting_ == 0 ? std::move(answer_) : answer_;
}

std::shared_ptr<const Answer> SharedAnswer::MakeOne(std::unique_lock<std::mutex>& lock, Deadline deadline) {
  making_ = true;
  const std::uint64_t number = ++begun_;
  lock.unlock();
  std::shared_ptr<const Answer> made;
  try {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    made = std::make_shared<Answer>(make_(std::max(left, std::chrono::milliseconds(0))));
  } catch (...) {
    lock.lock();
    making_ = false;
    changed_.notify_all();
    throw;
  }
  lock.lock();
  making_ = false;
  done_ = number;
  answer_ = waiting_ == 0 ? nullptr : made;
  changed_.notify_all();
  return made;
}

}  // namespace procevent
