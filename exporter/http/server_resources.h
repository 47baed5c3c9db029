// FOLDED: free_address.h, serving_threads.h
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "exporter/http/address.h"

namespace procevent {

// Addresses that can be listened on right now. The server asks before it starts, doctor to tell.

// The texts as addresses, each seen to be free. Throws std::runtime_error with one line: what failed, on which address,
// and what to do about it.
std::vector<ListenAddress> ParseAvailableAddresses(const std::vector<std::string>& texts);

// That line, as an exception.
std::runtime_error CannotListen(std::string_view address, std::string_view cause);

// Whether this process may have the threads that serve: with fewer the server would listen and never answer. For the
// server, before it starts, and for doctor.

inline constexpr unsigned kWorkers = 64;
inline constexpr unsigned kServingThreads = kWorkers + 1;  // and the one that accepts

// Starts as many, and lets them go.
Status CheckServingThreads();

}  // namespace procevent
