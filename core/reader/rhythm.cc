#include "core/reader/rhythm.h"

namespace procevent {

void Rhythm::Drained(std::size_t datagrams, bool emptied, std::uint64_t now_ns) {
  if (!resting_ && emptied && datagrams <= kFew) {
    resting_ = true;  // the flow ebbed
    in_window_ = 0;
  }
  if (now_ns - window_start_ns_ >= interval_ns_) {
    window_start_ns_ = now_ns;
    in_window_ = 0;
  }
  in_window_ += datagrams;
  if (in_window_ > kFew || !emptied) {
    resting_ = false;
  }
  due_ns_ = emptied ? now_ns + interval_ns_ : now_ns;
}

}  // namespace procevent
