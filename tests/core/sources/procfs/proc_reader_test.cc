// Reads the real /proc: processes in every state that the reader can encounter.
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

using ReadStatus = ProcPidReader::ReadStatus;

// Child process that runs `body` and then waits to be killed.
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

ProcSnapshot ReadOrFail(std::int32_t tgid) {
  ProcSnapshot snapshot;
  EXPECT_EQ(ProcPidReader().ReadSnapshot(tgid, snapshot), ReadStatus::kRead);
  EXPECT_EQ(snapshot.tgid, tgid);
  return snapshot;
}

std::string NameOf(std::int32_t tgid) {
  ProcSnapshot snapshot;
  EXPECT_EQ(ProcPidReader().ReadWithoutCredentials(tgid, snapshot), ReadStatus::kRead);
  EXPECT_EQ(snapshot.tgid, tgid);
  return std::string(snapshot.name.view());
}

TEST(ProcPidReaderTest, AcceptsProcOfThisMachine) { EXPECT_TRUE(ProcPidReader().CheckVisibility().ok()); }

TEST(ProcPidReaderTest, ReadsOwnProcess) {
  const std::uint64_t before = MonotonicNanos();
  const ProcSnapshot self = ReadOrFail(::getpid());
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

TEST(ProcPidReaderTest, TakesTimestampAfterRead) {
  ProcSnapshot snapshot;
  const std::uint64_t before = MonotonicNanos();
  ASSERT_EQ(ProcPidReader().ReadWithoutCredentials(::getpid(), snapshot), ReadStatus::kRead);
  EXPECT_GE(snapshot.taken_ns, before);
  EXPECT_LE(snapshot.taken_ns, MonotonicNanos());
  EXPECT_EQ(snapshot.euid, kUnknownId) << "credentials are not read";
}

TEST(ProcPidReaderTest, TreatsThreadIdAsGone) {
  std::atomic<std::int32_t> tid{0};
  std::atomic<bool> stop{false};
  std::thread thread([&] {
    tid = ::gettid();
    while (!stop) {
      std::this_thread::yield();
    }
  });
  while (tid == 0) {
    std::this_thread::yield();
  }
  ProcSnapshot snapshot;
  EXPECT_EQ(ProcPidReader().ReadSnapshot(tid, snapshot), ReadStatus::kGone);
  stop = true;
  thread.join();
}

TEST(ProcPidReaderTest, ReadsStartTime) {
  constexpr std::uint64_t kTolerance = 20 * kNanosPerMilli;  // /proc has a resolution of 10 ms
  const std::uint64_t before = MonotonicNanos();
  const Child child;
  const ProcSnapshot snapshot = ReadOrFail(child.pid());
  EXPECT_GE(snapshot.start_ns, before - kTolerance);
  EXPECT_LE(snapshot.start_ns, MonotonicNanos() + kTolerance);
  EXPECT_EQ(snapshot.threads, 1U);
  EXPECT_FALSE(snapshot.dead || snapshot.leader_gone);
}

TEST(ProcPidReaderTest, CountsThreads) {
  const Child child([] {
    StartThread();
    StartThread();
  });
  const ProcSnapshot snapshot = ReadOrFail(child.pid());
  EXPECT_EQ(snapshot.threads, 3U);
  EXPECT_FALSE(snapshot.leader_gone);
}

TEST(ProcPidReaderTest, ReadsEffectiveIds) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can change its user and group";
  }
  const Child child([] {
    if (::setegid(4321) != 0 || ::seteuid(1234) != 0) {
      ::_exit(2);
    }
  });
  const ProcSnapshot snapshot = ReadOrFail(child.pid());
  EXPECT_EQ(snapshot.euid, 1234U);
  EXPECT_EQ(snapshot.egid, 4321U);
}

TEST(ProcPidReaderTest, ReadsZombieAsDeadWithName) {
  const Child child([] { ::prctl(PR_SET_NAME, "zombie-test"); });
  child.Kill();
  const ProcSnapshot snapshot = ReadOrFail(child.pid());
  EXPECT_TRUE(snapshot.dead);
  EXPECT_TRUE(snapshot.leader_gone);
  EXPECT_EQ(snapshot.threads, 0U);
  EXPECT_EQ(snapshot.name.view(), "zombie-test");
  EXPECT_EQ(NameOf(child.pid()), "zombie-test");
}

TEST(ProcPidReaderTest, ReportsReapedProcessAsGone) {
  Child child;
  const pid_t pid = child.pid();
  ReadOrFail(pid);
  child.Reap();
  ProcSnapshot snapshot;
  EXPECT_EQ(ProcPidReader().ReadSnapshot(pid, snapshot), ReadStatus::kGone);
  EXPECT_EQ(ProcPidReader().ReadWithoutCredentials(pid, snapshot), ReadStatus::kGone);
  EXPECT_EQ(snapshot.name, CommName());
}

// The leader exits with the system call, because pthread_exit would unwind gtest's frames.
TEST(ProcPidReaderTest, ReadsGroupThatOutlivesItsLeader) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_NAME, "leader");
    StartThread();
    StartThread();
    ::syscall(SYS_exit, 3);
  }
  ASSERT_GT(pid, 0);
  ProcSnapshot snapshot = ReadOrFail(pid);
  for (int tries = 0; tries < 5000 && !snapshot.leader_gone; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    snapshot = ReadOrFail(pid);
  }
  EXPECT_TRUE(snapshot.leader_gone);
  EXPECT_FALSE(snapshot.dead);
  EXPECT_EQ(snapshot.threads, 2U);
  EXPECT_EQ(snapshot.name.view(), "leader");
  EXPECT_EQ(NameOf(pid), "leader");
  ::kill(pid, SIGKILL);
  EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

TEST(ProcPidReaderTest, ReadsInitProcess) {
  const ProcSnapshot init = ReadOrFail(1);
  EXPECT_GE(init.threads, 1U);
  EXPECT_FALSE(init.dead);
  EXPECT_NE(init.name, CommName());
  EXPECT_NE(init.euid, kUnknownId);
  EXPECT_NE(init.egid, kUnknownId);
}

TEST(ProcPidReaderTest, ParsesHostileNames) {
  for (const char* name :
       {"a) Z 1 1 (b", ")", "((", "a\nb", "\n", "", " ", "\xFF\xC3", "a\nUid:\t7\t7\t7", "x\\n\\", "123456789abcdef"}) {
    const Child child([name] { ::prctl(PR_SET_NAME, name); });
    const ProcSnapshot snapshot = ReadOrFail(child.pid());
    EXPECT_EQ(snapshot.name.view(), name);
    EXPECT_EQ(NameOf(child.pid()), name);
    EXPECT_EQ(snapshot.threads, 1U) << name;
    EXPECT_FALSE(snapshot.leader_gone) << name;
    EXPECT_EQ(snapshot.euid, ::geteuid()) << name;
    EXPECT_EQ(snapshot.egid, ::getegid()) << name;
  }
}

TEST(ProcPidReaderTest, ReadsKernelThread) {
  std::ifstream comm("/proc/2/comm");
  std::string name;
  if (!std::getline(comm, name) || name != "kthreadd") {
    GTEST_SKIP() << "no kernel threads in this PID namespace";
  }
  const ProcSnapshot snapshot = ReadOrFail(2);
  EXPECT_EQ(snapshot.name.view(), "kthreadd");
  EXPECT_EQ(snapshot.threads, 1U);
  EXPECT_EQ(snapshot.euid, 0U);
}

std::vector<std::int32_t> ListAll(ProcPidReader& reader, std::size_t chunk_size) {
  std::vector<std::int32_t> all;
  std::vector<std::int32_t> chunk(chunk_size);
  while (const std::size_t count = reader.ListNext(chunk)) {
    EXPECT_LE(count, chunk_size);
    all.insert(all.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return all;
}

TEST(ProcPidReaderTest, ListsAllProcessesRepeatedly) {
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 30; ++i) {
    children.push_back(std::make_unique<Child>());
  }
  const Child with_threads(StartThread);
  ProcPidReader reader;
  for (const std::size_t chunk_size : {1U, 7U, 64U, 4096U}) {
    const auto all = ListAll(reader, chunk_size);
    const std::set<std::int32_t> listed(all.begin(), all.end());
    EXPECT_EQ(listed.size(), all.size()) << "each process once";
    EXPECT_TRUE(listed.contains(1) && listed.contains(::getpid()) && listed.contains(with_threads.pid()));
    EXPECT_TRUE(std::ranges::all_of(children, [&](const auto& child) { return listed.contains(child->pid()); }));
    EXPECT_GT(*listed.begin(), 0);
  }
  const pid_t reaped = children.back()->pid();
  children.pop_back();
  const auto all = ListAll(reader, 64);
  EXPECT_EQ(std::ranges::count(all, reaped), 0) << "a reaped process is not listed";
}

}  // namespace
}  // namespace procevent
