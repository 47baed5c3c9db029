#include "core/lookup/process_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/core/lookup/fake_proc.h"

namespace procevent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::int32_t kShell = kFirstFakePid;
constexpr std::int32_t kChild = kFirstFakePid + 1;
constexpr std::int32_t kOther = kFirstFakePid + 2;
constexpr std::int32_t kThread = kFirstFakePid + 3;
constexpr std::uint64_t kShellStart = kNanosPerSecond;
constexpr std::uint64_t kSecond = kNanosPerSecond;

// Starts with a running shell of user 1000 in the table.
class ProcessTableTest : public testing::Test {
 protected:
  ProcessTableTest() {
    proc_.Write(kShell, {.name = "sh", .start_ns = kShellStart, .user = 1000, .parent = 1});
    EXPECT_TRUE(table_.Bootstrap().ok());
  }

  void Apply(const Event::Body& body) { table_.Apply(EventNow(body)); }
  void Fork(std::int32_t child) { Apply(ForkBody{MainThread(kShell), MainThread(child)}); }
  void Exit(Task task) { Apply(MakeExit(task)); }

  // Returns "?" if the command is unknown, and "" if the process is not found.
  std::string CommandOf(std::int32_t pid) {
    const auto process = table_.Find(pid);
    return !process ? "" : process->command ? std::string(process->command->view()) : "?";
  }
  bool IsAlive(std::int32_t pid) {
    const auto process = table_.Find(pid);
    return process && process->alive;
  }

  FakeProc proc_;
  ProcessTable table_{{.limit = 100, .proc = proc_.path()}};
};

TEST_F(ProcessTableTest, BootstrapReadsProc) {
  const auto shell = table_.Find(kShell);
  ASSERT_TRUE(shell);
  EXPECT_EQ(shell->pid, kShell);
  EXPECT_EQ(shell->command, CommName("sh"));
  EXPECT_EQ(shell->user, 1000U);
  EXPECT_EQ(shell->parent, 1);
  EXPECT_LE(shell->start_ns, kShellStart);
  EXPECT_GT(shell->start_ns, kShellStart - kSecond / 20);
  EXPECT_TRUE(shell->alive);
  EXPECT_FALSE(table_.Find(kChild));
  EXPECT_EQ(table_.size(), 2U) << "shell and init";
}

TEST_F(ProcessTableTest, IsReadyAfterSuccessfulBootstrap) {
  EXPECT_TRUE(table_.ready());
  ProcessTable without_proc({.limit = 100, .proc = proc_.path() + "/none"});
  EXPECT_FALSE(without_proc.ready());
  const Status status = without_proc.Bootstrap();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(Describe(status.error()),
              AllOf(StartsWith("cannot open /proc: No such file or directory; "), HasSubstr("mount /proc")));
  EXPECT_FALSE(without_proc.ready());
}

TEST_F(ProcessTableTest, UsesOnlyEventsWithoutProc) {
  ProcessTable without_proc({.limit = 100, .proc = ""});
  without_proc.Apply(EventNow(MakeComm(MainThread(kShell), "renamed")));
  without_proc.Apply(EventNow(UidBody{MainThread(kShell), 1, 2}));
  without_proc.Apply(EventNow(ForkBody{MainThread(kShell), MainThread(kChild)}));
  EXPECT_EQ(without_proc.Find(kChild)->command, CommName("renamed"));
  EXPECT_EQ(without_proc.Find(kChild)->user, 2U);
  without_proc.Apply(EventNow(ExecBody{MainThread(kChild)}));
  EXPECT_EQ(without_proc.Find(kChild)->command, std::nullopt);
  EXPECT_EQ(without_proc.Find(kChild)->user, 2U) << "an exec that changes the user sends a separate UID event";
  EXPECT_TRUE(without_proc.Find(kChild)->alive);
}

TEST_F(ProcessTableTest, ChildInheritsCommandAndUser) {
  const std::uint64_t when = MonotonicNanos();
  table_.Apply(EventAt(when, ForkBody{MainThread(kShell), MainThread(kChild)}));
  const auto child = table_.Find(kChild);
  ASSERT_TRUE(child) << "found without reading /proc, where the child is missing";
  EXPECT_EQ(child->command, CommName("sh"));
  EXPECT_EQ(child->user, 1000U);
  EXPECT_EQ(child->parent, kShell);
  EXPECT_EQ(child->start_ns, when);
  EXPECT_TRUE(child->alive);
}

TEST_F(ProcessTableTest, ChildDoesNotInheritNameReadAfterFork) {
  const auto before = MonotonicNanos() - kSecond;
  table_.Apply(EventAt(before, ForkBody{MainThread(kShell), MainThread(kChild)}));
  EXPECT_EQ(CommandOf(kChild), "?") << "the shell may have been another program at the fork";
  proc_.Write(kOther, {.name = "other", .start_ns = before, .user = 5});
  table_.Apply(EventAt(before, ForkBody{MainThread(kShell), MainThread(kOther)}));
  EXPECT_EQ(CommandOf(kOther), "other");
  EXPECT_EQ(table_.Find(kOther)->user, 5U);
}

TEST_F(ProcessTableTest, ReadsChildOfOtherThreadFromProc) {
  Apply(ForkBody{{kThread, kShell}, MainThread(kChild)});
  EXPECT_EQ(CommandOf(kChild), "?") << "a thread can have its own name";
  proc_.Write(kOther, {.name = "worker", .start_ns = MonotonicNanos()});
  Apply(ForkBody{{kThread, kShell}, MainThread(kOther)});
  EXPECT_EQ(CommandOf(kOther), "worker");
}

TEST_F(ProcessTableTest, ExecReadsCommandFromProc) {
  Fork(kChild);
  proc_.Write(kChild, {.name = "ls", .start_ns = MonotonicNanos(), .user = 1001, .parent = kShell});
  Apply(ExecBody{MainThread(kChild)});
  proc_.Write(kChild, {.name = "later", .start_ns = MonotonicNanos()});
  EXPECT_EQ(CommandOf(kChild), "ls") << "a known command is not read again";
  EXPECT_EQ(table_.Find(kChild)->user, 1001U);
}

TEST_F(ProcessTableTest, ExecOfExitedProcessHasNoCommand) {
  Fork(kChild);
  Apply(ExecBody{MainThread(kChild)});
  EXPECT_EQ(CommandOf(kChild), "?");
  EXPECT_EQ(table_.Find(kChild)->user, 1000U);
  EXPECT_FALSE(IsAlive(kChild));
  Exit(MainThread(kChild));
  EXPECT_EQ(CommandOf(kChild), "?");
}

TEST_F(ProcessTableTest, ExecDetectsReusedPid) {
  const std::uint64_t forked = MonotonicNanos() - 10 * kSecond;
  table_.Apply(EventAt(forked, ForkBody{MainThread(kShell), MainThread(kChild)}));
  proc_.Write(kChild, {.name = "second", .start_ns = forked + kSecond, .user = 4});
  table_.Apply(EventAt(forked + 1, ExecBody{MainThread(kChild)}));
  table_.Apply(EventAt(forked + 2, MakeComm(MainThread(kChild), "first process")));
  EXPECT_EQ(CommandOf(kChild), "second") << "the events of the second process are still to come";
  EXPECT_GT(table_.Find(kChild)->start_ns, forked + kSecond / 2);
  table_.Apply(EventAt(forked + 3, MakeExit(MainThread(kChild))));
  EXPECT_TRUE(IsAlive(kChild));
}

// /proc rounds a start down, so one after the FORK is that of another process, however soon.
TEST_F(ProcessTableTest, ExecDetectsPidReusedSoonAfterFork) {
  const std::uint64_t forked = MonotonicNanos() - 10 * kSecond;
  table_.Apply(EventAt(forked, ForkBody{MainThread(kShell), MainThread(kChild)}));
  proc_.Write(kChild, {.name = "second", .start_ns = forked + kSecond / 40, .state = 'Z', .threads = 2});
  table_.Apply(EventAt(forked + 1, ExecBody{MainThread(kChild)}));
  EXPECT_GT(table_.Find(kChild)->start_ns, forked);
  table_.Apply(EventAt(forked + kSecond, MakeExit(MainThread(kChild))));
  EXPECT_TRUE(IsAlive(kChild)) << "the EXEC of the first process shows nothing about the threads of the second one";
}

TEST_F(ProcessTableTest, UsesNameAndUserOfMainThreadOnly) {
  Apply(MakeComm(MainThread(kShell), "renamed"));
  Apply(UidBody{MainThread(kShell), 0, 33});
  Apply(MakeComm({kThread, kShell}, "thread"));
  Apply(UidBody{{kThread, kShell}, 0, 44});
  EXPECT_EQ(CommandOf(kShell), "renamed");
  EXPECT_EQ(table_.Find(kShell)->user, 33U);
  EXPECT_FALSE(table_.Find(kThread)) << "a thread is not a process";
}

TEST_F(ProcessTableTest, FindsExitedProcess) {
  Fork(kChild);
  Exit(MainThread(kChild));
  EXPECT_EQ(CommandOf(kChild), "sh");
  EXPECT_FALSE(IsAlive(kChild));
}

TEST_F(ProcessTableTest, ProcessExitsWithLastThread) {
  Fork(kChild);
  Apply(ForkBody{MainThread(1), {kThread, kChild}});
  Exit(MainThread(kChild));
  EXPECT_TRUE(IsAlive(kChild));
  Exit({kThread, kChild});
  EXPECT_FALSE(IsAlive(kChild));
}

TEST_F(ProcessTableTest, AcceptsExitOfThreadAfterExec) {
  ProcessTable without_proc({.limit = 100, .proc = ""});
  const auto is_alive = [&without_proc] { return without_proc.Find(kChild)->alive; };
  without_proc.Apply(EventNow(ForkBody{MainThread(kShell), MainThread(kChild)}));
  without_proc.Apply(EventNow(ForkBody{MainThread(1), {kThread, kChild}}));
  without_proc.Apply(
      EventNow(MakeExit(MainThread(kChild))));  // the other thread calls exec and becomes the main thread
  without_proc.Apply(EventNow(ExecBody{MainThread(kChild)}));
  without_proc.Apply(EventNow(MakeExit({kOther, kChild})));
  EXPECT_TRUE(is_alive());
  without_proc.Apply(EventNow(ForkBody{MainThread(1), {kThread, kChild}}));
  without_proc.Apply(EventNow(MakeExit(MainThread(kChild))));
  EXPECT_TRUE(is_alive());
  without_proc.Apply(EventNow(MakeExit({kThread, kChild})));
  EXPECT_FALSE(is_alive());
}

TEST_F(ProcessTableTest, ReadsProcForUncountedThreads) {
  proc_.Write(kShell, {.name = "sh", .start_ns = kShellStart, .state = 'Z', .threads = 2});
  Exit({kThread, kShell});
  EXPECT_TRUE(IsAlive(kShell)) << "the main thread is running";
  Exit(MainThread(kShell));
  EXPECT_TRUE(IsAlive(kShell)) << "/proc shows another thread";
  proc_.Write(kShell, {.name = "sh", .start_ns = kShellStart, .state = 'Z', .threads = 1});
  Exit({kThread, kShell});
  EXPECT_FALSE(IsAlive(kShell));
  EXPECT_EQ(CommandOf(kShell), "sh");
}

TEST_F(ProcessTableTest, ReadsCommandOfUnknownProcessAtExit) {
  proc_.Write(kOther, {.name = "zombie", .start_ns = MonotonicNanos(), .state = 'Z', .threads = 1});
  Exit(MainThread(kOther));
  EXPECT_EQ(CommandOf(kOther), "zombie");
  EXPECT_FALSE(IsAlive(kOther));
}

TEST_F(ProcessTableTest, TreatsZombieAsExited) {
  proc_.Write(kShell, {.name = "sh", .start_ns = kShellStart, .state = 'Z', .threads = 1});
  table_.Invalidate();
  EXPECT_FALSE(IsAlive(kShell));
  EXPECT_EQ(CommandOf(kShell), "sh");
}

TEST_F(ProcessTableTest, ReplacesProcessWhenPidIsReused) {
  Fork(kChild);
  Apply(MakeComm(MainThread(kChild), "old"));
  Exit(MainThread(kChild));
  Fork(kChild);
  EXPECT_EQ(CommandOf(kChild), "sh");
  EXPECT_TRUE(IsAlive(kChild));
  EXPECT_EQ(table_.size(), 3U);
}

TEST_F(ProcessTableTest, ReadsKernelThreadNameAfterFork) {
  proc_.Write(2, {.name = "kthreadd", .start_ns = kShellStart});
  proc_.Write(kChild, {.name = "kthreadd", .start_ns = MonotonicNanos(), .parent = 2});
  Apply(SidBody{MainThread(2)});
  EXPECT_EQ(CommandOf(2), "kthreadd");
  Apply(ForkBody{MainThread(2), MainThread(kChild)});
  EXPECT_EQ(CommandOf(kChild), "?");
  proc_.Write(kChild, {.name = "kworker/0:1-events_power", .start_ns = MonotonicNanos(), .parent = 2});
  EXPECT_EQ(CommandOf(kChild), "kworker/0:1-eve");
}

TEST_F(ProcessTableTest, EveryEventKindAddsItsProcess) {
  const std::vector<std::pair<std::string_view, Event::Body>> bodies{
      {"exec", ExecBody{MainThread(kOther)}},
      {"exit", MakeExit({kThread, kOther})},
      {"uid", UidBody{{kThread, kOther}, 1, 1}},
      {"gid", GidBody{MainThread(kOther), 1, 1}},
      {"sid", SidBody{MainThread(kOther)}},
      {"ptrace", PtraceBody{MainThread(kOther), MainThread(kShell)}},
      {"comm", CommBody{{kThread, kOther}, {}}},
      {"coredump", CoredumpBody{MainThread(kOther), {}}},
      {"thread", ForkBody{MainThread(1), {kThread, kOther}}},
      {"parent", ForkBody{MainThread(kOther), MainThread(kChild)}},
  };
  proc_.Write(kOther, {.name = "missed", .start_ns = kShellStart});
  for (const auto& [name, body] : bodies) {
    ProcessTable table({.limit = 100, .proc = proc_.path()});
    table.Apply(EventNow(body));
    const auto found = table.Find(kOther);
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(found->command, CommName("missed")) << name;
  }
  for (const Event::Body& body : {Event::Body(AckBody{}), Event::Body(UnknownBody{})}) {
    const std::size_t before = table_.size();
    Apply(body);
    EXPECT_EQ(table_.size(), before);
  }
}

TEST_F(ProcessTableTest, IgnoresInvalidPids) {
  for (const std::int32_t pid : {0, -1, INT32_MIN}) {
    Apply(ForkBody{MainThread(pid), MainThread(pid)});
    Apply(ExecBody{MainThread(pid)});
    Apply(MakeExit(MainThread(pid)));
    EXPECT_FALSE(table_.Find(pid)) << pid;
  }
  Apply(ForkBody{MainThread(0), MainThread(kChild)});
  EXPECT_EQ(CommandOf(kChild), "?");
  Apply(ForkBody{MainThread(kShell), MainThread(kShell)});
  EXPECT_EQ(CommandOf(kShell), "sh") << "a process is not its own child";
}

TEST_F(ProcessTableTest, EvictsExitedProcessesThenOldest) {
  ProcessTable table({.limit = 3, .proc = ""});
  const auto fork = [&](std::int32_t child) { table.Apply(EventNow(ForkBody{MainThread(kShell), MainThread(child)})); };
  const auto found = [&] {
    std::vector<std::int32_t> pids;
    for (std::int32_t pid = kShell; pid < kShell + 10; ++pid) {
      if (table.Find(pid)) {
        pids.push_back(pid - kShell);
      }
    }
    return pids;
  };
  fork(kShell + 1);
  fork(kShell + 2);
  EXPECT_EQ(found(), (std::vector{0, 1, 2}));
  table.Apply(EventNow(MakeExit(MainThread(kShell + 2))));
  table.Apply(EventNow(MakeExit(MainThread(kShell + 1))));
  fork(kShell + 3);
  EXPECT_EQ(found(), (std::vector{0, 1, 3})) << "evicts the earliest exit";
  fork(kShell + 4);
  EXPECT_EQ(found(), (std::vector{0, 3, 4}));
  table.Apply(EventNow(SidBody{MainThread(kShell + 5)}));
  EXPECT_EQ(found(), (std::vector{3, 4, 5})) << "evicts the oldest if none has exited";
  table.Apply(EventNow(ForkBody{MainThread(kShell + 5), MainThread(kShell + 4)}));
  EXPECT_EQ(found(), (std::vector{3, 4, 5})) << "a reused PID replaces the old process";
  table.Apply(EventNow(SidBody{MainThread(kShell + 6)}));
  table.Apply(EventNow(SidBody{MainThread(kShell + 7)}));
  EXPECT_EQ(found(), (std::vector{4, 6, 7})) << "the new process is younger";
}

TEST_F(ProcessTableTest, WorksWithLimitOfOne) {
  ProcessTable table({.limit = 0, .proc = proc_.path()});
  table.Apply(EventNow(SidBody{MainThread(kShell)}));
  table.Apply(EventNow(ForkBody{MainThread(kShell), MainThread(kChild)}));
  ASSERT_TRUE(table.Find(kChild));
  EXPECT_EQ(table.size(), 1U);
}

TEST_F(ProcessTableTest, InvalidateRereadsProcesses) {
  Fork(kChild);
  Fork(kOther);
  Exit(MainThread(kOther));
  proc_.Write(kShell, {.name = "bash", .start_ns = kShellStart, .user = 1001});
  EXPECT_EQ(CommandOf(kShell), "sh");
  table_.Invalidate();
  EXPECT_EQ(CommandOf(kShell), "bash");
  EXPECT_EQ(table_.Find(kShell)->user, 1001U);
  EXPECT_EQ(CommandOf(kChild), "?") << "it may have called exec before it exited";
  EXPECT_FALSE(IsAlive(kChild));
  EXPECT_EQ(CommandOf(kOther), "sh") << "it had exited before the loss";
  EXPECT_EQ(table_.Find(kOther)->user, 1000U);
}

TEST_F(ProcessTableTest, InvalidateAppliesEventsToRereadProcess) {
  table_.Invalidate();
  proc_.Write(kShell, {.name = "zsh", .start_ns = kShellStart});
  Fork(kChild);
  EXPECT_EQ(CommandOf(kShell), "zsh");
  EXPECT_EQ(CommandOf(kChild), "?") << "/proc was read after the FORK";
  Fork(kOther);
  EXPECT_EQ(CommandOf(kOther), "zsh");
}

TEST_F(ProcessTableTest, InvalidateDetectsReusedPid) {
  Fork(kChild);
  Exit(MainThread(kChild));
  table_.Invalidate();
  const std::uint64_t start = MonotonicNanos() + kSecond;
  proc_.Write(kChild, {.name = "second", .start_ns = start, .parent = 1});
  EXPECT_EQ(CommandOf(kChild), "second");
  EXPECT_TRUE(IsAlive(kChild));
  EXPECT_EQ(table_.Find(kChild)->parent, 1);
  EXPECT_GT(table_.Find(kChild)->start_ns, start - kSecond / 20);
}

TEST_F(ProcessTableTest, InvalidateDiscardsThreadCount) {
  Fork(kChild);
  table_.Invalidate();
  proc_.Write(kChild, {.name = "sh", .start_ns = MonotonicNanos(), .state = 'Z', .threads = 2});
  Exit(MainThread(kChild));
  EXPECT_TRUE(IsAlive(kChild)) << "the FORK of another thread was lost";
  proc_.Remove(kChild);
  Exit({kThread, kChild});
  EXPECT_FALSE(IsAlive(kChild));
}

TEST_F(ProcessTableTest, HiddenProcessIsAliveWithoutCommand) {
  const std::int32_t self = ::getpid();  // exists, but not in this /proc
  Apply(MakeComm(MainThread(self), "self"));
  EXPECT_EQ(CommandOf(self), "self");
  EXPECT_TRUE(IsAlive(self));
  Apply(ExecBody{MainThread(self)});
  EXPECT_EQ(CommandOf(self), "?");
  EXPECT_TRUE(IsAlive(self));
}

TEST_F(ProcessTableTest, WorksAfterMove) {
  Fork(kChild);
  ProcessTable moved = std::move(table_);
  moved.Apply(EventNow(MakeExit(MainThread(kChild))));
  EXPECT_FALSE(moved.Find(kChild)->alive);
  EXPECT_TRUE(moved.Find(kShell)->alive);
  table_ = std::move(moved);
  EXPECT_EQ(CommandOf(kChild), "sh");
}

}  // namespace
}  // namespace procevent
