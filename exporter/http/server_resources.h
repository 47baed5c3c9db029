// Checks that the addresses and threads of the server are available. Used by the server before it starts, and by
// doctor.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "exporter/http/address.h"

namespace procevent {

// Parses the addresses and checks that each can be bound. An error names the address and a remedy.
Result<std::vector<ListenAddress>> ParseAvailableAddresses(const std::vector<std::string>& texts);

inline constexpr unsigned kWorkers = 64;
inline constexpr unsigned kServingThreads = kWorkers + 1;  // plus the accepting thread

// Checks that kServingThreads threads can be started: with fewer the server would accept connections but never answer.
// Starts and joins them.
Status CheckServingThreads();

}  // namespace procevent
