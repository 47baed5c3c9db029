#include "core/protocol/event.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <string>
#include <string_view>

namespace procevent {

// Bits 0-6 are the signal, bit 7 is the core dump flag, bits 8-15 are the status. Signal 0x7f would mean "stopped",
// which no EXIT event reports, so it is decoded as signal 127.
WaitStatus DecodeWaitStatus(std::uint32_t wait_status) {
  const auto signal = static_cast<std::uint8_t>(wait_status & 0x7fU);
  if (signal == 0) {
    return {.status = static_cast<std::uint8_t>((wait_status >> 8U) & 0xffU)};
  }
  return {.signal = signal, .core_dumped = (wait_status & 0x80U) != 0};
}

namespace {

constexpr std::array<std::string_view, 32> kSignalNames{
    "",          "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
    "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
    "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
    "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS"};

}  // namespace

std::string SignalName(unsigned signal) {
  constexpr unsigned kRealTimeMin = 34;  // 32 and 33 are reserved by glibc
  constexpr unsigned kRealTimeMax = 64;
  if (signal >= 1 && signal < kSignalNames.size()) {
    return std::string(kSignalNames.at(signal));
  }
  if (signal >= kRealTimeMin && signal <= kRealTimeMax) {
    return signal == kRealTimeMin ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(signal - kRealTimeMin);
  }
  return "SIG" + std::to_string(signal);
}

bool EndsByDefault(unsigned signal) {
  constexpr std::array<unsigned, 8> kNotTerminating{SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP,
                                                    SIGTTIN, SIGTTOU, SIGURG,  SIGWINCH};
  return signal >= 1 && signal < kSignalNames.size() &&
         std::ranges::find(kNotTerminating, signal) == kNotTerminating.end();
}

}  // namespace procevent
