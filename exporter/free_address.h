// Addresses that can be listened on right now. The server asks before it starts, doctor to tell.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/listen_address.h"

namespace procevent {

// The texts as addresses, each seen to be free. Throws std::runtime_error with one line: what failed, on which address,
// and what to do about it.
std::vector<ListenAddress> FreeAddresses(const std::vector<std::string>& texts);

// That line, as an exception.
std::runtime_error CannotListen(std::string_view address, std::string_view cause);

}  // namespace procevent
