#include "core/reader/notice_queue.h"

namespace procevent {

void NoticeQueue::Post(const Notice& notice) {
  const std::uint64_t posted = posted_.load(std::memory_order_relaxed);
  if (posted - taken_.load(std::memory_order_acquire) == kCapacity) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  ring_[posted % kCapacity] = notice;
  posted_.store(posted + 1, std::memory_order_release);
  wake_.Signal();
}

bool NoticeQueue::TryPop(Notice& notice) {
  const std::uint64_t taken = taken_.load(std::memory_order_relaxed);
  if (taken == posted_.load(std::memory_order_acquire)) {
    return false;
  }
  notice = ring_[taken % kCapacity];
  taken_.store(taken + 1, std::memory_order_release);
  return true;
}

}  // namespace procevent
