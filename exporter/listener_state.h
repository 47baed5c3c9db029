// What a person wants to know of the listener: whether the kernel is heard, why not, and what was lost. For the landing
// page, /-/ready and the service manager. Any thread may ask.
#pragma once

#include <chrono>
#include <string>

#include "core/reader/exchange.h"
#include "core/reader/snapshot.h"

namespace procevent {

inline constexpr std::chrono::milliseconds kAnswerTimeout{1000};  // how long a request waits for the reader

struct ListenerState {
  bool answered = false;  // the reader did, after it was asked
  bool replayed = false;  // a capture is heard, instead of the kernel
  std::string cause;      // why the kernel is not heard, in one line; empty if it is
  std::string losses;     // a sentence, as far as anything is known
};

// Pure.
ListenerState StateOf(const Snapshot& snapshot, Exchange::Age age);

// Asks the reader, and waits no longer than `patience`.
ListenerState AskForState(Exchange& exchange, std::chrono::milliseconds patience);

}  // namespace procevent
