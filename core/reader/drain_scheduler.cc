#include "core/reader/drain_scheduler.h"

namespace procevent {

void DrainScheduler::RecordDrain(std::size_t datagrams, bool emptied, std::uint64_t now_ns) {
  if (!idle_ && emptied && datagrams <= kMaxIdleDatagrams) {
    idle_ = true;
    datagrams_in_window_ = 0;
  }
  if (now_ns - window_start_ns_ >= interval_ns_) {
    window_start_ns_ = now_ns;
    datagrams_in_window_ = 0;
  }
  datagrams_in_window_ += datagrams;
  if (datagrams_in_window_ > kMaxIdleDatagrams || !emptied) {
    idle_ = false;
  }
  next_drain_ns_ = emptied ? now_ns + interval_ns_ : now_ns;
}

}  // namespace procevent
