#include "exporter/signal_name.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <string_view>

namespace procevent {
namespace {

constexpr std::array<std::string_view, 32> kNames{
    "",          "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
    "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
    "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
    "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS"};

}  // namespace

std::string SignalName(unsigned signal) {
  constexpr unsigned kRealTimeMin = 34;  // 32 and 33 are glibc's own
  constexpr unsigned kRealTimeMax = 64;
  if (signal >= 1 && signal < kNames.size()) {
    return std::string(kNames.at(signal));
  }
  if (signal >= kRealTimeMin && signal <= kRealTimeMax) {
    return signal == kRealTimeMin ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(signal - kRealTimeMin);
  }
  return "SIG" + std::to_string(signal);
}

bool EndsByDefault(unsigned signal) {
  constexpr std::array<unsigned, 8> kOthers{SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH};
  return signal >= 1 && signal < kNames.size() && std::ranges::find(kOthers, signal) == kOthers.end();
}

}  // namespace procevent
