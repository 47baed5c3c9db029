// The real /proc, looked into from beside: processes in every state that the reader can meet.
#include "core/sources/procfs/proc_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/base/system.h"

namespace procevent {
namespace {

using Look = ProcPidReader::ReadStatus;

// A child that has done `body` and then waits to be killed.
class Child {
 public:
  explicit Child(const std::function<void()>& body = [] {}) {
    std::array<int, 2> ready{};
    EXPECT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() == parent) {
        body();
        static_cast<void>(::write(ready[1], "x", 1) + 1);
        while (true) {
          ::pause();
        }
      }
      ::_exit(1);
    }
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
  }
  ~Child() { Reap(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void Kill() const {
    siginfo_t info{};
    EXPECT_EQ(::kill(pid_, SIGKILL), 0);
    EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT), 0);
  }
  void Reap() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      EXPECT_EQ(::waitpid(pid_, nullptr, 0), pid_);
    }
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
};

void* Sleep(void*) {
  while (true) {
    ::pause();
  }
}
void StartThread() {
  pthread_t thread{};
  if (::pthread_create(&thread, nullptr, Sleep, nullptr) != 0) {
    ::_exit(2);
  }
}

ProcSnapshot SeeOrFail(std::int32_t tgid) {
  ProcSnapshot sighting;
  EXPECT_EQ(ProcPidReader().ReadSnapshot(tgid, sighting), Look::kRead);
  EXPECT_EQ(sighting.tgid, tgid);
  return sighting;
}

std::string NameOf(std::int32_t tgid) {
  ProcSnapshot sighting;
  EXPECT_EQ(ProcPidReader().ReadWithoutCredentials(tgid, sighting), Look::kRead);
  EXPECT_EQ(sighting.tgid, tgid);
  return std::string(sighting.name.view());
}

TEST(ProcPidReaderTest, TheProcOfThisMachineIsFit) { EXPECT_TRUE(ProcPidReader().CheckVisibility().ok()); }

TEST(ProcPidReaderTest, SeesItself) {
  const std::uint64_t before = MonotonicNanos();
  const ProcSnapshot self = SeeOrFail(::getpid());
  EXPECT_GE(self.taken_ns, before);
  EXPECT_LE(self.taken_ns, MonotonicNanos());
  EXPECT_EQ(self.name.view(), "core_sources_te");
  EXPECT_EQ(NameOf(::getpid()), "core_sources_te");
  EXPECT_FALSE(self.dead || self.leader_gone);
  EXPECT_EQ(self.euid, ::geteuid());
  EXPECT_EQ(self.egid, ::getegid());
  EXPECT_GT(self.start_ns, 0U);
  EXPECT_LT(self.start_ns, before);
}

TEST(ProcPidReaderTest, TheTimeOfANameIsAfterItsLook) {
  ProcSnapshot sighting;
  const std::uint64_t before = MonotonicNanos();
  ASSERT_EQ(ProcPidReader().ReadWithoutCredentials(::getpid(), sighting), Look::kRead);
  EXPECT_GE(sighting.taken_ns, before);
  EXPECT_LE(sighting.taken_ns, MonotonicNanos());
  EXPECT_EQ(sighting.euid, kUnknownId) << "users are not told";
}

TEST(ProcPidReaderTest, AThreadIsNoProcess) {
  std::atomic<std::int32_t> tid{0};
  std::atomic<bool> over{false};
  std::thread thread([&] {
    tid = ::gettid();
    while (!over) {
      std::this_thread::yield();
    }
  });
  while (tid == 0) {
    std::this_thread::yield();
  }
  ProcSnapshot sighting;
  EXPECT_EQ(ProcPidReader().ReadSnapshot(tid, sighting), Look::kGone);
  over = true;
  thread.join();
}

TEST(ProcPidReaderTest, SeesWhenAChildBegan) {
  constexpr std::uint64_t kTicks = 20 * kNanosPerMilli;  // /proc tells hundredths of a second
  const std::uint64_t before = MonotonicNanos();
  const Child child;
  const ProcSnapshot seen = SeeOrFail(child.pid());
  EXPECT_GE(seen.start_ns, before - kTicks);
  EXPECT_LE(seen.start_ns, MonotonicNanos() + kTicks);
  EXPECT_EQ(seen.threads, 1U);
  EXPECT_FALSE(seen.dead || seen.leader_gone);
}

TEST(ProcPidReaderTest, CountsThreads) {
  const Child child([] {
    StartThread();
    StartThread();
  });
  const ProcSnapshot seen = SeeOrFail(child.pid());
  EXPECT_EQ(seen.threads, 3U);
  EXPECT_FALSE(seen.leader_gone);
}

TEST(ProcPidReaderTest, SeesEffectiveIds) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can take others' ids";
  }
  const Child child([] {
    if (::setegid(4321) != 0 || ::seteuid(1234) != 0) {
      ::_exit(2);
    }
  });
  const ProcSnapshot seen = SeeOrFail(child.pid());
  EXPECT_EQ(seen.euid, 1234U);
  EXPECT_EQ(seen.egid, 4321U);
}

TEST(ProcPidReaderTest, AZombieIsDeadAndHasItsName) {
  const Child child([] { ::prctl(PR_SET_NAME, "undead"); });
  child.Kill();
  const ProcSnapshot seen = SeeOrFail(child.pid());
  EXPECT_TRUE(seen.dead);
  EXPECT_TRUE(seen.leader_gone);
  EXPECT_EQ(seen.threads, 0U);
  EXPECT_EQ(seen.name.view(), "undead");
  EXPECT_EQ(NameOf(child.pid()), "undead");
}

TEST(ProcPidReaderTest, AProcessThatVanishedIsGone) {
  Child child;
  const pid_t pid = child.pid();
  SeeOrFail(pid);
  child.Reap();
  ProcSnapshot sighting;
  EXPECT_EQ(ProcPidReader().ReadSnapshot(pid, sighting), Look::kGone);
  EXPECT_EQ(ProcPidReader().ReadWithoutCredentials(pid, sighting), Look::kGone);
  EXPECT_EQ(sighting.name, CommName());
}

// The leader ends as pthread_exit would have it end, but without unwinding gtest's frames.
TEST(ProcPidReaderTest, AGroupOutlivesItsLeader) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_NAME, "leader");
    StartThread();
    StartThread();
    ::syscall(SYS_exit, 3);
  }
  ASSERT_GT(pid, 0);
  ProcSnapshot seen = SeeOrFail(pid);
  for (int tries = 0; tries < 5000 && !seen.leader_gone; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    seen = SeeOrFail(pid);
  }
  EXPECT_TRUE(seen.leader_gone);
  EXPECT_FALSE(seen.dead);
  EXPECT_EQ(seen.threads, 2U);
  EXPECT_EQ(seen.name.view(), "leader");
  EXPECT_EQ(NameOf(pid), "leader");
  ::kill(pid, SIGKILL);
  EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

TEST(ProcPidReaderTest, SeesTheFirstProcess) {
  const ProcSnapshot init = SeeOrFail(1);
  EXPECT_GE(init.threads, 1U);
  EXPECT_FALSE(init.dead);
  EXPECT_NE(init.name, CommName());
  EXPECT_NE(init.euid, kUnknownId);
  EXPECT_NE(init.egid, kUnknownId);
}

TEST(ProcPidReaderTest, NoNameLeadsItAstray) {
  for (const char* name :
       {"a) Z 1 1 (b", ")", "((", "a\nb", "\n", "", " ", "\xFF\xC3", "a\nUid:\t7\t7\t7", "x\\n\\", "123456789abcdef"}) {
    const Child child([name] { ::prctl(PR_SET_NAME, name); });
    const ProcSnapshot seen = SeeOrFail(child.pid());
    EXPECT_EQ(seen.name.view(), name);
    EXPECT_EQ(NameOf(child.pid()), name);
    EXPECT_EQ(seen.threads, 1U) << name;
    EXPECT_FALSE(seen.leader_gone) << name;
    EXPECT_EQ(seen.euid, ::geteuid()) << name;
    EXPECT_EQ(seen.egid, ::getegid()) << name;
  }
}

TEST(ProcPidReaderTest, SeesAKernelThread) {
  std::ifstream comm("/proc/2/comm");
  std::string name;
  if (!std::getline(comm, name) || name != "kthreadd") {
    GTEST_SKIP() << "no kernel threads in this PID namespace";
  }
  const ProcSnapshot seen = SeeOrFail(2);
  EXPECT_EQ(seen.name.view(), "kthreadd");
  EXPECT_EQ(seen.threads, 1U);
  EXPECT_EQ(seen.euid, 0U);
}

std::vector<std::int32_t> ListAll(ProcPidReader& pids, std::size_t at_once) {
  std::vector<std::int32_t> all;
  std::vector<std::int32_t> some(at_once);
  while (const std::size_t count = pids.ListNext(some)) {
    EXPECT_LE(count, at_once);
    all.insert(all.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return all;
}

TEST(ProcPidReaderTest, ListsAllAgainAndAgain) {
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 30; ++i) {
    children.push_back(std::make_unique<Child>());
  }
  const Child with_threads(StartThread);
  ProcPidReader pids;
  for (const std::size_t at_once : {1U, 7U, 64U, 4096U}) {
    const auto all = ListAll(pids, at_once);
    const std::set<std::int32_t> listed(all.begin(), all.end());
    EXPECT_EQ(listed.size(), all.size()) << "each once";
    EXPECT_TRUE(listed.contains(1) && listed.contains(::getpid()) && listed.contains(with_threads.pid()));
    EXPECT_TRUE(std::ranges::all_of(children, [&](const auto& child) { return listed.contains(child->pid()); }));
    EXPECT_GT(*listed.begin(), 0);
  }
  const pid_t late = children.back()->pid();
  children.pop_back();
  const auto all = ListAll(pids, 64);
  EXPECT_EQ(std::ranges::count(all, late), 0) << "who has gone is not listed";
}

}  // namespace
}  // namespace procevent
