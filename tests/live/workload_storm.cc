#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

// Reports how many children exited in each way, and how many "forks" there were.
int Storm(Arguments arguments) {
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_CORE, &unlimited);
  ExitCounts counts;
  unsigned long long forks = 0;
  for (const ExitMode& mode : kExitModes) {
    for (int i = 0; i < mode.count; ++i) {
      counts.Add(AwaitStatus(ForkInto(mode.exit)));
      ++forks;
    }
  }
  for (int i = 0; i < 300; ++i) {
    AwaitStatus(Execute(arguments[0]));
  }
  counts.Report();
  Report("forks", forks);
  return 0;
}

}  // namespace procevent::workload
