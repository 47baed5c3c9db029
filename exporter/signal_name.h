// SIGKILL for 9: signals as people write them. Pure.
#pragma once

#include <string>

namespace procevent {

// Real-time signals count from SIGRTMIN as glibc does; what has no name is SIG and its number.
std::string SignalName(unsigned signal);

// Ends a process that does nothing about it.
bool EndsByDefault(unsigned signal);

}  // namespace procevent
