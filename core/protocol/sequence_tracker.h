// The exact loss counter of one stream of events: the kernel numbers the events of each CPU, so a gap is a loss, unless
// the subscription leaves events out: it numbers those, too.
// Baselines live as long as the process: the numbers are the kernel's, not the socket's.
#pragma once

#include <cstdint>
#include <vector>

namespace procevent {

class SequenceTracker {
 public:
  explicit SequenceTracker(unsigned cpus) : cpus_(cpus) {}

  struct Arrival {
    bool duplicate = false;  // seen before: the other socket of a changeover delivered it too
    std::uint32_t lost = 0;  // events of this CPU that never came, between the last one and this
  };
  // A CPU seen for the first time sets its baseline. A CPU beyond the possible ones (an ACK's kNoCpu) is not watched.
  Arrival Observe(std::uint32_t cpu, std::uint32_t sequence);

 private:
  struct Baseline {
    bool known = false;
    std::uint32_t last = 0;
  };
  std::vector<Baseline> cpus_;
};

}  // namespace procevent
