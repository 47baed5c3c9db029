// Checks that the addresses and threads of the server are available. Used by the server before it starts, and by
// doctor.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "exporter/http/address.h"

namespace procevent {

// Parses the addresses and checks that each can be bound. Throws std::runtime_error with a one-line message that names
// the address, the cause and a remedy.
std::vector<ListenAddress> ParseAvailableAddresses(const std::vector<std::string>& texts);

// The exception with that message. `cause_and_remedy` is `<cause>; <remedy>`. Replaces the remedy if the cause is a
// lack of memory.
std::runtime_error MakeListenError(std::string_view address, std::string_view cause_and_remedy);

inline constexpr unsigned kWorkers = 64;
inline constexpr unsigned kServingThreads = kWorkers + 1;  // plus the accepting thread

// Checks that kServingThreads threads can be started: with fewer the server would accept connections but never answer.
// Starts and joins them.
Status CheckServingThreads();

}  // namespace procevent
