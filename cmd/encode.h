// `procevent_exporter encode`: JSON lines, as decode prints them, to datagrams in hex. Used by Run.
#pragma once

#include <string>

namespace procevent {

// One datagram a line; "-" is the standard input. What is no line of decode's is told on the standard error, and makes
// the exit code 1.
int Encode(const std::string& file);

}  // namespace procevent
