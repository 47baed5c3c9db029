#include "workload_exit_kinds.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <random>
#include <vector>

#include "workload_scenarios.h"

namespace procevent::workload {
namespace {

constexpr long kKillingCall = 7777;  // a system call that does not exist
constexpr std::size_t kTouchedBytes = 64U << 20U;

[[noreturn]] void ExitThread(int code) {
  syscall(SYS_exit, code);
  Fail("SYS_exit returned");
}

void* ExitWithFive(void* /*unused*/) { ExitThread(5); }

void* KillThisThread(void* /*unused*/) {
  syscall(kKillingCall);
  Fail("no filter that kills the thread");
}

void RunThreadThenExit(void* (*thread)(void*)) {
  StartThreads(1, thread);
  usleep(2000);
  _exit(0);
}

void JoinThreadThenExit(int /*number*/) {
  pthread_t thread{};
  if (pthread_create(&thread, nullptr, ExitWithFive, nullptr) != 0 || pthread_join(thread, nullptr) != 0) {
    Fail("pthread");
  }
  _exit(0);
}

struct LastThread {
  pthread_t leader;
  useconds_t delay;
};

void* ExitAfterTheLeader(void* argument) {
  const auto* const last = static_cast<const LastThread*>(argument);
  if (pthread_join(last->leader, nullptr) != 0) {
    Fail("pthread_join");
  }
  if (last->delay > 0) {
    usleep(last->delay);
  }
  ExitThread(0);
}

void ExitLeaderFirst(useconds_t delay) {
  LastThread last{pthread_self(), delay};
  StartThreads(1, ExitAfterTheLeader, &last);
  ExitThread(7);
}

// Threads that start to exit at the same time as the leader acts.
struct Racer {
  pthread_barrier_t* barrier;
  int code;
};

void* Race(void* argument) {
  const auto* const racer = static_cast<const Racer*>(argument);
  pthread_barrier_wait(racer->barrier);
  ExitThread(racer->code);
}

// Returns when all threads are about to exit with these codes.
void StartRace(const std::vector<int>& codes) {
  static pthread_barrier_t barrier;
  static std::vector<Racer> racers;
  if (pthread_barrier_init(&barrier, nullptr, static_cast<unsigned>(codes.size()) + 1) != 0) {
    Fail("pthread_barrier_init");
  }
  for (const int code : codes) {
    racers.push_back({&barrier, code});
  }
  for (Racer& racer : racers) {
    StartThreads(1, Race, &racer);
  }
  pthread_barrier_wait(&barrier);
}

void ExitGroupAgainst(std::size_t threads) {
  StartRace(std::vector<int>(threads, 0));
  _exit(3);
}

void ExitGroupWithMemory(int /*number*/) {
  void* const memory =
      mmap(nullptr, kTouchedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) {
    Fail("mmap");
  }
  ExitGroupAgainst(8);
}

void DieAgainstThreads(int number) {
  StartRace(std::vector<int>(8, 0));
  kill(getpid(), number % 2 == 0 ? SIGTERM : SIGKILL);
  PauseForever(nullptr);
}

// Four threads and the leader; three of four codes are not 0.
std::vector<int> RandomCodes(int number) {
  std::mt19937 random(static_cast<unsigned>(number));
  std::vector<int> codes(5);
  for (int& code : codes) {
    code = static_cast<int>(random() % 4);
  }
  return codes;
}

void ExitThreadsAlone(int number) {
  std::vector<int> codes = RandomCodes(number);
  const int leader = codes.back();
  codes.pop_back();
  StartRace(codes);
  ExitThread(leader);
}

void* ExitWithCode(void* code) { ExitThread(*static_cast<int*>(code)); }

void ExitThreadsThenGroup(int number) {
  std::vector<int> codes = RandomCodes(number);
  for (std::size_t i = 0; i + 1 < codes.size(); ++i) {
    StartThreads(1, ExitWithCode, &codes[i]);
  }
  _exit(codes.back());
}

void RunKilledThread(int /*number*/) { RunThreadThenExit(KillThisThread); }

}  // namespace

const std::array<ExitKind, kExitKinds>& ExitKinds() {
  static constexpr std::array<ExitKind, kExitKinds> kKinds{{
      {"thread_exit", "thread SYS_exit(5), 2 ms before _exit(0)", [](int) { RunThreadThenExit(ExitWithFive); }},
      {"thread_joined", "thread SYS_exit(5), joined, then _exit(0)", JoinThreadThenExit},
      {"leader_exit", "leader SYS_exit(7), last thread's 0 after 3 ms", [](int) { ExitLeaderFirst(3000); }},
      {"leader_at_once", "leader SYS_exit(7), last thread's 0 at once", [](int) { ExitLeaderFirst(0); }},
      {"group_8", "_exit(3) against 8 ending threads", [](int) { ExitGroupAgainst(8); }},
      {"group_32", "_exit(3) against 32 ending threads", [](int) { ExitGroupAgainst(32); }},
      {"group_memory", "_exit(3) against 8 ending threads, 64 MiB touched", ExitGroupWithMemory},
      {"signal_8", "SIGTERM or SIGKILL against 8 ending threads", DieAgainstThreads},
      {"threads_alone", "SYS_exit of 4 threads and the leader, random codes", ExitThreadsAlone},
      {"threads_group", "SYS_exit of 4 threads, then _exit, random codes", ExitThreadsThenGroup},
      {"thread_killed", "thread killed by seccomp, 2 ms before _exit(0)", RunKilledThread},
  }};
  return kKinds;
}

void AllowThreadKills() {
  std::array<sock_filter, 4> code{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                                   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kKillingCall, 0, 1),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    Fail("seccomp filter");
  }
}

bool NeedsThreadKills(const ExitKind& kind) { return kind.run == RunKilledThread; }

}  // namespace procevent::workload
