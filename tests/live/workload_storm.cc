#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <string>
#include <vector>

#include "workload_scenarios.h"

namespace procevent::workload {
namespace {

// A way for a child to exit, and how many children do so.
struct ExitMode {
  int count;
  int (*exit)();
};

int RaiseSignal(int number) {
  raise(number);
  return 99;
}

constexpr ExitMode kExitModes[]{
    {700, [] { return 0; }},
    {200, [] { return 61; }},
    {100, [] { return 255; }},
    {100, [] { return RaiseSignal(SIGKILL); }},
    {50, [] { return RaiseSignal(SIGSEGV); }},
    {50, [] { return RaiseSignal(SIGABRT); }},
    {60, [] { return RaiseSignal(SIGTERM); }},
    {40,
     [] {
       StartThreads(5, PauseForever);
       return 62;
     }},
    {40,
     [] {
       StartThreads(5, PauseForever);
       return RaiseSignal(SIGSEGV);
     }},
    {20,
     [] {
       usleep(30'000);
       return 0;
     }},
};

pid_t Execute(const char* name) {
  const pid_t child = vfork();
  if (child == 0) {
    execl("/proc/self/exe", "workload", name, "exit", "63", nullptr);
    _exit(99);
  }
  return child;
}

}  // namespace

// Reports how many children exited in each way, as waitpid says: "status_N", "signal_N", and of these "core_dumped".
int Storm(Arguments arguments) {
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_CORE, &unlimited);
  std::map<std::string, unsigned long long> reported;
  const auto count = [&reported](int status) {
    ++reported[WIFSIGNALED(status) ? "signal_" + std::to_string(WTERMSIG(status))
                                   : "status_" + std::to_string(WEXITSTATUS(status))];
    reported["core_dumped"] += WCOREDUMP(status) ? 1U : 0U;
  };
  for (const ExitMode& mode : kExitModes) {
    for (int i = 0; i < mode.count; ++i) {
      count(AwaitStatus(ForkInto(mode.exit)));
      ++reported["forks"];
    }
  }
  for (int i = 0; i < 300; ++i) {
    AwaitStatus(Execute(arguments[0]));
  }
  for (const auto& [key, number] : reported) {
    Report(key, number);
  }
  return 0;
}

}  // namespace procevent::workload
