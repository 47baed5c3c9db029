// An event of our own making: the thread sets its name to what it already is, and the kernel reports a COMM event, as
// proof that it still speaks to us. One thread uses it: the one that also receives.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/protocol/event.h"

namespace procevent {

class Canary {
 public:
  void Sound();

  // From each CPU that this thread may run on: that shows what was lost there last. Moving to a busy CPU takes time,
  // so a tour ends at the deadline and the next call goes on with it; true when every CPU has had its turn.
  [[nodiscard]] bool Tour(std::uint64_t deadline_ns);

  [[nodiscard]] bool IsEcho(const CommBody& comm) const { return comm.task.pid == thread_; }

 private:
  std::int32_t thread_ = -1;  // of the last Sound
  std::size_t next_cpu_ = 0;
};

}  // namespace procevent
