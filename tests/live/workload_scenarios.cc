#include "workload_scenarios.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "workload_exit_kinds.h"

namespace procevent::workload {
namespace {

constexpr uid_t kNobody = 65534;

pid_t Spawn(const char* program, std::vector<std::string> arguments) {
  std::vector<char*> pointers;
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawn(&child, program, nullptr, nullptr, pointers.data(), nullptr) != 0) {
    Fail(program);
  }
  return child;
}

void RenameTo(const char* name) {
  if (prctl(PR_SET_NAME, name) != 0) {
    Fail("prctl");
  }
}

// The threads of a race exit at about the same time as their process, some before and some after.
void* ExitAfterSpinning(void* spins) {
  for (long i = 0; i < reinterpret_cast<long>(spins); ++i) {
    std::atomic_signal_fence(std::memory_order_seq_cst);  // keeps the compiler from removing the loop
  }
  return nullptr;
}

int RunRace(int run, int threads, int status) {
  StartThreads(threads, ExitAfterSpinning, reinterpret_cast<void*>(static_cast<long>(run % 16) * 500));
  exit(run % 2 == 0 ? status : 0);
}

}  // namespace

int Exit(Arguments arguments) { return Number(arguments, 0); }

int ExecFromThread(Arguments arguments) {
  StartThreads(1, [](void* /*unused*/) -> void* {
    syscall(SYS_exit, 5);  // the exec discards this status
    return nullptr;
  });
  StartThreads(3, PauseForever);
  StartThreads(
      1,
      [](void* given) -> void* {
        char* const* names = static_cast<Arguments*>(given)->data();
        execl("/proc/self/exe", "workload", names[0], "exit", names[1], nullptr);
        Fail("exec");
      },
      &arguments);
  PauseForever(nullptr);
  return 99;
}

int LeaderGone(Arguments arguments) {
  static const int status = Number(arguments, 0);
  static const bool waits = arguments.size() > 1;
  StartThreads(1, [](void* /*unused*/) -> void* {
    usleep(30'000);
    if (waits) {
      AwaitLine();
    }
    exit(status);
  });
  pthread_exit(nullptr);
}

int ExitRace(Arguments arguments) {
  const int status = Number(arguments, 2);
  unsigned long long ended = 0;
  unsigned long long succeeded = 0;
  for (int run = 0; run < Number(arguments, 0); ++run) {
    const int wait_status = AwaitStatus(ForkInto([&] { return RunRace(run, Number(arguments, 1), status); }));
    ended += WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == status ? 1U : 0U;
    succeeded += wait_status == 0 ? 1U : 0U;
  }
  Report("ended", ended);
  Report("succeeded", succeeded);
  return 0;
}

int ExitStatus(Arguments arguments) {
  const auto kind = std::ranges::find(ExitKinds(), std::string_view(arguments[0]), &ExitKind::name);
  if (kind == ExitKinds().end()) {
    Fail("unknown kind of exit");
  }
  if (NeedsThreadKills(*kind)) {
    AllowThreadKills();
  }
  ExitCounts counts;
  for (int run = 0; run < Number(arguments, 1); ++run) {
    counts.Add(AwaitStatus(ForkInto([&] {
      kind->run(run);
      return 99;
    })));
  }
  counts.Report();
  return 0;
}

int Autoreaped(Arguments arguments) {
  signal(SIGCHLD, SIG_IGN);
  for (int i = 0; i < Number(arguments, 0); ++i) {
    ForkInto([&] { return Number(arguments, 1); });
  }
  while (waitpid(-1, nullptr, 0) > 0) {
  }
  return errno == ECHILD ? 0 : 99;
}

// Makes the kernel start a thread for the packets of a network device, in a new network namespace.
int KernelThread(Arguments arguments) {
  const std::string directory = arguments[0];
  if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("sysfs", directory.c_str(), "sysfs", 0, nullptr) != 0) {
    Fail("new network namespace");
  }
  const int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  ifreq request{};
  std::strcpy(request.ifr_name, "petest");
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_NAPI;
  if (tun < 0 || ioctl(tun, TUNSETIFF, &request) != 0) {
    Fail("/dev/net/tun");
  }
  const int threaded = open((directory + "/class/net/petest/threaded").c_str(), O_WRONLY | O_CLOEXEC);
  if (threaded < 0 || write(threaded, "1", 1) != 1) {
    Fail("threaded NAPI");
  }
  usleep(100'000);
  return 0;
}

int CloneParent(Arguments arguments) {
  const pid_t child = ForkInto([&] {
    RenameTo(arguments[0]);
    const long sibling = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    return sibling < 0 ? 99 : 0;  // in the child and in its sibling
  });
  AwaitStatus(child);
  int status = 0;
  if (waitpid(-1, &status, 0) <= 0) {
    Fail("waitpid for the sibling");
  }
  return status;
}

int RenameThread(Arguments arguments) {
  pthread_t thread{};
  const auto body = [](void* name) -> void* {
    RenameTo(static_cast<char*>(name));
    return nullptr;
  };
  if (pthread_create(&thread, nullptr, body, arguments[0]) != 0 || pthread_join(thread, nullptr) != 0) {
    Fail("pthread");
  }
  AwaitStatus(ForkInto([] { return 0; }));
  RenameTo(arguments[1]);
  AwaitStatus(ForkInto([] { return 0; }));
  return Number(arguments, 2);
}

int RunPrograms(Arguments arguments) {
  const auto runs = static_cast<std::size_t>(Number(arguments, 0));
  const auto at_once = static_cast<std::size_t>(Number(arguments, 1));
  const std::vector<std::string> program(arguments.begin() + 3, arguments.end());
  std::set<pid_t> running;
  unsigned long long succeeded = 0;
  for (std::size_t run = 0; run < runs || !running.empty();) {
    if (run < runs && running.size() < at_once) {
      running.insert(Spawn(program[0].c_str(), program));
      ++run;
      continue;
    }
    int status = 0;
    running.erase(waitpid(-1, &status, 0));
    succeeded += status == 0 ? 1U : 0U;
    usleep(static_cast<useconds_t>(Number(arguments, 2)) * 1000);
  }
  Report("succeeded", succeeded);
  return 0;
}

int RenameOften(Arguments arguments) {
  for (int i = 0; i < Number(arguments, 0); ++i) {
    RenameTo(("pe~" + std::to_string(i)).c_str());
    if (i % Number(arguments, 1) == 0) {
      AwaitStatus(ForkInto([] { return 0; }));
    }
  }
  return 0;
}

int Credentials(Arguments /*arguments*/) {
  const bool done = seteuid(kNobody) == 0 && seteuid(0) == 0 && setegid(kNobody) == 0 && setegid(0) == 0;
  if (!done || setgid(kNobody) != 0 || setuid(kNobody) != 0) {
    Fail("credentials");
  }
  return 0;
}

int Trace(Arguments arguments) {
  const pid_t child = ForkInto([&] {
    RenameTo(arguments[0]);
    PauseForever(nullptr);
    return 99;
  });
  usleep(20'000);
  for (int i = 0; i < 3; ++i) {
    if (ptrace(PTRACE_ATTACH, child, nullptr, nullptr) != 0 || !WIFSTOPPED(AwaitStatus(child)) ||
        ptrace(PTRACE_DETACH, child, nullptr, nullptr) != 0) {
      Fail("ptrace");
    }
  }
  kill(child, SIGKILL);
  return WTERMSIG(AwaitStatus(child)) == SIGKILL ? 0 : 99;
}

int Wait(Arguments arguments) {
  StartThreads(Number(arguments, 0), PauseForever);
  AwaitLine();
  for (int i = 0; i < Number(arguments, 1); ++i) {
    AwaitStatus(ForkInto([] { return 0; }));
  }
  return Number(arguments, 2);
}

int Churn(Arguments arguments) {
  signal(SIGCHLD, SIG_IGN);
  AwaitLine();
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(Number(arguments, 0));
  unsigned long long forks = 0;
  for (; std::chrono::steady_clock::now() < end; ++forks) {
    ForkInto([forks] {
      StartThreads(static_cast<int>(forks % 3), PauseForever);
      usleep(static_cast<useconds_t>(forks % 20) * 1000);
      if (forks % 4 == 0) {
        execl("/proc/self/exe", "workload", "-", "exit", "0", nullptr);
      }
      return 0;
    });
    usleep(200);
  }
  while (waitpid(-1, nullptr, 0) > 0) {
  }
  Report("forks", forks);
  return 0;
}

int Keep(Arguments arguments) {
  std::vector<pid_t> children;
  for (int i = 0; i < Number(arguments, 0); ++i) {
    children.push_back(ForkInto([i] {
      StartThreads(i % 3, PauseForever);
      PauseForever(nullptr);
      return 99;
    }));
  }
  AwaitLine();
  for (const pid_t child : children) {
    kill(child, SIGKILL);
    AwaitStatus(child);
  }
  return 0;
}

int Held(Arguments arguments) {
  const int micros = 1000 * Number(arguments, 0);
  const pid_t child = vfork();
  if (child == 0) {
    usleep(static_cast<useconds_t>(micros));
    _exit(0);
  }
  AwaitStatus(child);
  usleep(200'000);
  return Number(arguments, 1);
}

}  // namespace procevent::workload
