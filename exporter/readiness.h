// Whether the reader answers, and hears the kernel: for /-/ready, and for the service manager. Any thread may ask.
#pragma once

#include <chrono>
#include <string>

#include "core/reader/exchange.h"

namespace procevent {

inline constexpr std::chrono::milliseconds kAnswerTimeout{1000};  // how long a request waits for the reader

struct Readiness {
  bool answered = false;  // the reader did, after it was asked
  std::string cause;      // why the kernel is not heard, in one line; empty if it is
};

Readiness AskReadiness(Exchange& exchange, std::chrono::milliseconds patience);

}  // namespace procevent
