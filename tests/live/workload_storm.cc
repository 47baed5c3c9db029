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

// How children end, and how many of each.
struct Way {
  int count;
  int (*end)();
};

int Die(int number) {
  raise(number);
  return 99;
}

constexpr Way kWays[]{
    {700, [] { return 0; }},
    {200, [] { return 61; }},
    {100, [] { return 255; }},
    {100, [] { return Die(SIGKILL); }},
    {50, [] { return Die(SIGSEGV); }},
    {50, [] { return Die(SIGABRT); }},
    {60, [] { return Die(SIGTERM); }},
    {40,
     [] {
       StartThreads(5, Forever);
       return 62;
     }},
    {40,
     [] {
       StartThreads(5, Forever);
       return Die(SIGSEGV);
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

// Tells how many ended in each way as waitpid says: "status_N", "signal_N", and "core_dumped" of those.
int Storm(Arguments arguments) {
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_CORE, &unlimited);
  std::map<std::string, unsigned long long> told;
  const auto note = [&told](int status) {
    ++told[WIFSIGNALED(status) ? "signal_" + std::to_string(WTERMSIG(status))
                               : "status_" + std::to_string(WEXITSTATUS(status))];
    told["core_dumped"] += WCOREDUMP(status) ? 1U : 0U;
  };
  for (const Way& way : kWays) {
    for (int i = 0; i < way.count; ++i) {
      note(AwaitStatus(ForkInto(way.end)));
      ++told["forks"];
    }
  }
  for (int i = 0; i < 300; ++i) {
    AwaitStatus(Execute(arguments[0]));
  }
  for (const auto& [key, number] : told) {
    Report(key, number);
  }
  return 0;
}

}  // namespace procevent::workload
