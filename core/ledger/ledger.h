// Events in, numbers out. Single-threaded and pure: no syscall, no clock, no thread. The reader owns it.
#pragma once

#include <cstdint>

#include "core/ledger/numbers.h"
#include "core/ledger/rejection.h"
#include "core/ledger/sequence.h"
#include "core/protocol/decoder.h"
#include "core/protocol/event.h"

namespace procevent {

// With a narrowed mask a gap in the sequence is no loss: the kernel numbers what it filters out too.
enum class GapsAre : std::uint8_t { kLosses, kMeaningless };

class Ledger {
 public:
  Ledger(unsigned cpus, GapsAre gaps) : gaps_(gaps), sequence_(cpus), numbers_(cpus) {}

  // Books whatever a message turned out to be; `now_ns` is when it was received.
  void Book(const Message& message, std::uint64_t now_ns);
  void Reject(Rejection reason, std::uint64_t times = 1);

  [[nodiscard]] const Numbers& numbers() const { return numbers_; }
  [[nodiscard]] std::uint64_t forks() const { return numbers_.events_of(EventKind::kFork); }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  void BookEvent(const Event& event, std::uint64_t now_ns);

  GapsAre gaps_;
  Sequence sequence_;
  Numbers numbers_;
  std::uint64_t lost_ = 0;  // the sum of numbers_.lost
};

}  // namespace procevent
