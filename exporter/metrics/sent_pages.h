// Remembers which pages were sent to clients completely.
//
// Thread-safe: the server's threads record pages, while another one makes the next page.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <vector>

namespace procevent {

class SentPages {
 public:
  // The page numbers that decide which series have been shown.
  struct Status {
    bool any = false;               // a page was sent
    std::uint64_t shown_until = 0;  // as many pages as required have this number or a higher one; 0: fewer were sent
  };

  // `required`: the number of complete scrapes that show a series, at least 1.
  explicit SentPages(unsigned required) : highest_(required) {}

  // A page that is sent to two clients is recorded twice. Page 0 has no series of groups and does not count.
  void Record(std::uint64_t page) {
    const std::lock_guard lock(mutex_);
    if (page > highest_.front()) {
      highest_.front() = page;
      std::ranges::sort(highest_);
    }
  }

  [[nodiscard]] Status status() const {
    const std::lock_guard lock(mutex_);
    return {.any = highest_.back() != 0, .shown_until = highest_.front()};
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> highest_;  // the highest numbers of recorded pages, ascending; guarded by mutex_
};

}  // namespace procevent
