// What a person wants to know of the listener: whether the kernel is heard, why not, and what was lost. For the landing
// page and /-/ready.
#pragma once

#include <string>

#include "core/reader/exchange.h"
#include "core/reader/snapshot.h"

namespace procevent {

struct ListenerState {
  std::string unreadiness;  // one line with the cause; empty: the kernel is heard
  std::string losses;       // a sentence, as far as anything is known
};

// Pure.
ListenerState StateOf(const Snapshot& snapshot, Exchange::Age age);

// Asks the reader.
ListenerState AskForState(Exchange& exchange);

}  // namespace procevent
