#include "core/lookup/process_table.h"

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

constexpr std::int32_t kShell = kFakePids;
constexpr std::int32_t kChild = kFakePids + 1;
constexpr std::int32_t kOther = kFakePids + 2;
constexpr std::int32_t kThread = kFakePids + 3;
constexpr std::uint64_t kLongAgo = kNanosPerSecond;
constexpr std::uint64_t kSecond = kNanosPerSecond;

// A shell of user 1000 lives, and is known.
class ProcessTableTest : public testing::Test {
 protected:
  ProcessTableTest() {
    proc_.Show(kShell, {.name = "sh", .start_ns = kLongAgo, .user = 1000, .parent = 1});
    EXPECT_TRUE(table_.Bootstrap().ok());
  }

  void Apply(const Event::Body& body) { table_.Apply(Now(body)); }
  void Fork(std::int32_t child) { Apply(ForkBody{First(kShell), First(child)}); }
  void Exit(Task task) { Apply(Ended(task)); }

  // "?": its command is not known; "": it is not found.
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

TEST_F(ProcessTableTest, WhoLivesIsKnownFromProc) {
  const auto shell = table_.Find(kShell);
  ASSERT_TRUE(shell);
  EXPECT_EQ(shell->pid, kShell);
  EXPECT_EQ(shell->command, CommName("sh"));
  EXPECT_EQ(shell->user, 1000U);
  EXPECT_EQ(shell->parent, 1);
  EXPECT_LE(shell->start_ns, kLongAgo);
  EXPECT_GT(shell->start_ns, kLongAgo - kSecond / 20);
  EXPECT_TRUE(shell->alive);
  EXPECT_FALSE(table_.Find(kChild));
  EXPECT_EQ(table_.size(), 2U) << "the shell and init";
}

TEST_F(ProcessTableTest, ReadyIsWhoReadProc) {
  EXPECT_TRUE(table_.ready());
  ProcessTable blind({.limit = 100, .proc = proc_.path() + "/none"});
  EXPECT_FALSE(blind.ready());
  const Status status = blind.Bootstrap();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(Describe(status.error()),
            "cannot open /proc: No such file or directory; mount it; without it programs stay without names");
  EXPECT_FALSE(blind.ready());
}

TEST_F(ProcessTableTest, WithoutProcEventsAloneTell) {
  ProcessTable blind({.limit = 100, .proc = ""});
  blind.Apply(Now(Renamed(First(kShell), "renamed")));
  blind.Apply(Now(UidBody{First(kShell), 1, 2}));
  blind.Apply(Now(ForkBody{First(kShell), First(kChild)}));
  EXPECT_EQ(blind.Find(kChild)->command, CommName("renamed"));
  EXPECT_EQ(blind.Find(kChild)->user, 2U);
  blind.Apply(Now(ExecBody{First(kChild)}));
  EXPECT_EQ(blind.Find(kChild)->command, std::nullopt);
  EXPECT_EQ(blind.Find(kChild)->user, 2U) << "an exec that changes it sends an event of its own";
  EXPECT_TRUE(blind.Find(kChild)->alive);
}

TEST_F(ProcessTableTest, AChildIsCalledLikeItsParent) {
  const std::uint64_t when = MonotonicNanos();
  table_.Apply(At(when, ForkBody{First(kShell), First(kChild)}));
  const auto child = table_.Find(kChild);
  ASSERT_TRUE(child) << "and that without a look at /proc, where it is not";
  EXPECT_EQ(child->command, CommName("sh"));
  EXPECT_EQ(child->user, 1000U);
  EXPECT_EQ(child->parent, kShell);
  EXPECT_EQ(child->start_ns, when);
  EXPECT_TRUE(child->alive);
}

TEST_F(ProcessTableTest, WhatProcSaidAfterTheForkIsNotTheChilds) {
  const auto before = MonotonicNanos() - kSecond;
  table_.Apply(At(before, ForkBody{First(kShell), First(kChild)}));
  EXPECT_EQ(CommandOf(kChild), "?") << "the shell may have been another program then";
  proc_.Show(kOther, {.name = "other", .start_ns = before, .user = 5});
  table_.Apply(At(before, ForkBody{First(kShell), First(kOther)}));
  EXPECT_EQ(CommandOf(kOther), "other");
  EXPECT_EQ(table_.Find(kOther)->user, 5U);
}

TEST_F(ProcessTableTest, AChildOfAnotherThreadIsLookedAt) {
  Apply(ForkBody{{kThread, kShell}, First(kChild)});
  EXPECT_EQ(CommandOf(kChild), "?") << "threads have names of their own";
  proc_.Show(kOther, {.name = "worker", .start_ns = MonotonicNanos()});
  Apply(ForkBody{{kThread, kShell}, First(kOther)});
  EXPECT_EQ(CommandOf(kOther), "worker");
}

TEST_F(ProcessTableTest, AnExecIsCalledAsProcSaysAtOnce) {
  Fork(kChild);
  proc_.Show(kChild, {.name = "ls", .start_ns = MonotonicNanos(), .user = 1001, .parent = kShell});
  Apply(ExecBody{First(kChild)});
  proc_.Show(kChild, {.name = "later", .start_ns = MonotonicNanos()});
  EXPECT_EQ(CommandOf(kChild), "ls") << "what is known is not looked at again";
  EXPECT_EQ(table_.Find(kChild)->user, 1001U);
}

TEST_F(ProcessTableTest, AnExecOfOneThatIsGoneHasNoName) {
  Fork(kChild);
  Apply(ExecBody{First(kChild)});
  EXPECT_EQ(CommandOf(kChild), "?");
  EXPECT_EQ(table_.Find(kChild)->user, 1000U);
  EXPECT_FALSE(IsAlive(kChild));
  Exit(First(kChild));
  EXPECT_EQ(CommandOf(kChild), "?");
}

TEST_F(ProcessTableTest, AnExecIsNotCalledLikeAnotherProcessOfThatNumber) {
  const std::uint64_t forked = MonotonicNanos() - 10 * kSecond;
  table_.Apply(At(forked, ForkBody{First(kShell), First(kChild)}));
  proc_.Show(kChild, {.name = "another", .start_ns = forked + kSecond, .user = 4});
  table_.Apply(At(forked + 1, ExecBody{First(kChild)}));
  table_.Apply(At(forked + 2, Renamed(First(kChild), "of the first")));
  EXPECT_EQ(CommandOf(kChild), "another") << "of which the events are still to come";
  EXPECT_GT(table_.Find(kChild)->start_ns, forked + kSecond / 2);
  table_.Apply(At(forked + 3, Ended(First(kChild))));
  EXPECT_TRUE(IsAlive(kChild));
}

TEST_F(ProcessTableTest, OnlyTheFirstThreadsNameAndUserAreTheProcesss) {
  Apply(Renamed(First(kShell), "renamed"));
  Apply(UidBody{First(kShell), 0, 33});
  Apply(Renamed({kThread, kShell}, "thread"));
  Apply(UidBody{{kThread, kShell}, 0, 44});
  EXPECT_EQ(CommandOf(kShell), "renamed");
  EXPECT_EQ(table_.Find(kShell)->user, 33U);
  EXPECT_FALSE(table_.Find(kThread)) << "a thread is no process";
}

TEST_F(ProcessTableTest, WhoEndedIsStillFound) {
  Fork(kChild);
  Exit(First(kChild));
  EXPECT_EQ(CommandOf(kChild), "sh");
  EXPECT_FALSE(IsAlive(kChild));
}

TEST_F(ProcessTableTest, AProcessEndsWithItsLastThread) {
  Fork(kChild);
  Apply(ForkBody{First(1), {kThread, kChild}});
  Exit(First(kChild));
  EXPECT_TRUE(IsAlive(kChild));
  Exit({kThread, kChild});
  EXPECT_FALSE(IsAlive(kChild));
}

TEST_F(ProcessTableTest, AThreadThatAnExecEndedMayBeToldAfterwards) {
  ProcessTable blind({.limit = 100, .proc = ""});
  const auto is_alive = [&blind] { return blind.Find(kChild)->alive; };
  blind.Apply(Now(ForkBody{First(kShell), First(kChild)}));
  blind.Apply(Now(ForkBody{First(1), {kThread, kChild}}));
  blind.Apply(Now(Ended(First(kChild))));  // the other thread executes, and takes its place
  blind.Apply(Now(ExecBody{First(kChild)}));
  blind.Apply(Now(Ended({kOther, kChild})));
  EXPECT_TRUE(is_alive());
  blind.Apply(Now(ForkBody{First(1), {kThread, kChild}}));
  blind.Apply(Now(Ended(First(kChild))));
  EXPECT_TRUE(is_alive());
  blind.Apply(Now(Ended({kThread, kChild})));
  EXPECT_FALSE(is_alive());
}

TEST_F(ProcessTableTest, OfThreadsThatWereNotCountedProcTells) {
  proc_.Show(kShell, {.name = "sh", .start_ns = kLongAgo, .state = 'Z', .threads = 2});
  Exit({kThread, kShell});
  EXPECT_TRUE(IsAlive(kShell)) << "its first thread lives";
  Exit(First(kShell));
  EXPECT_TRUE(IsAlive(kShell)) << "/proc shows another thread";
  proc_.Show(kShell, {.name = "sh", .start_ns = kLongAgo, .state = 'Z', .threads = 1});
  Exit({kThread, kShell});
  EXPECT_FALSE(IsAlive(kShell));
  EXPECT_EQ(CommandOf(kShell), "sh");
}

TEST_F(ProcessTableTest, TheEndOfOneThatWasNotKnownHasItsName) {
  proc_.Show(kOther, {.name = "zombie", .start_ns = MonotonicNanos(), .state = 'Z', .threads = 1});
  Exit(First(kOther));
  EXPECT_EQ(CommandOf(kOther), "zombie");
  EXPECT_FALSE(IsAlive(kOther));
}

TEST_F(ProcessTableTest, AZombieHasEnded) {
  proc_.Show(kShell, {.name = "sh", .start_ns = kLongAgo, .state = 'Z', .threads = 1});
  table_.Invalidate();
  EXPECT_FALSE(IsAlive(kShell));
  EXPECT_EQ(CommandOf(kShell), "sh");
}

TEST_F(ProcessTableTest, ANumberThatIsGivenOutAgainIsANewProcess) {
  Fork(kChild);
  Apply(Renamed(First(kChild), "old"));
  Exit(First(kChild));
  Fork(kChild);
  EXPECT_EQ(CommandOf(kChild), "sh");
  EXPECT_TRUE(IsAlive(kChild));
  EXPECT_EQ(table_.size(), 3U);
}

TEST_F(ProcessTableTest, AKernelThreadIsNamedAfterItsFork) {
  proc_.Show(2, {.name = "kthreadd", .start_ns = kLongAgo});
  proc_.Show(kChild, {.name = "kthreadd", .start_ns = MonotonicNanos(), .parent = 2});
  Apply(SidBody{First(2)});
  EXPECT_EQ(CommandOf(2), "kthreadd");
  Apply(ForkBody{First(2), First(kChild)});
  EXPECT_EQ(CommandOf(kChild), "?");
  proc_.Show(kChild, {.name = "kworker/0:1-events_power", .start_ns = MonotonicNanos(), .parent = 2});
  EXPECT_EQ(CommandOf(kChild), "kworker/0:1-eve");
}

TEST_F(ProcessTableTest, EachKindOfEventMakesItsProcessKnown) {
  const std::vector<std::pair<std::string_view, Event::Body>> bodies{
      {"exec", ExecBody{First(kOther)}},
      {"exit", Ended({kThread, kOther})},
      {"uid", UidBody{{kThread, kOther}, 1, 1}},
      {"gid", GidBody{First(kOther), 1, 1}},
      {"sid", SidBody{First(kOther)}},
      {"ptrace", PtraceBody{First(kOther), First(kShell)}},
      {"comm", CommBody{{kThread, kOther}, {}}},
      {"coredump", CoredumpBody{First(kOther), {}}},
      {"thread", ForkBody{First(1), {kThread, kOther}}},
      {"parent", ForkBody{First(kOther), First(kChild)}},
  };
  proc_.Show(kOther, {.name = "missed", .start_ns = kLongAgo});
  for (const auto& [name, body] : bodies) {
    ProcessTable table({.limit = 100, .proc = proc_.path()});
    table.Apply(Now(body));
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

TEST_F(ProcessTableTest, NumbersThatNoProcessHasAreNobody) {
  for (const std::int32_t number : {0, -1, INT32_MIN}) {
    Apply(ForkBody{First(number), First(number)});
    Apply(ExecBody{First(number)});
    Apply(Ended(First(number)));
    EXPECT_FALSE(table_.Find(number)) << number;
  }
  Apply(ForkBody{First(0), First(kChild)});
  EXPECT_EQ(CommandOf(kChild), "?");
  Apply(ForkBody{First(kShell), First(kShell)});
  EXPECT_EQ(CommandOf(kShell), "sh") << "nobody is the child of its own";
}

TEST_F(ProcessTableTest, AFullTableForgetsTheEndedFirstAndThenTheOldest) {
  ProcessTable table({.limit = 3, .proc = ""});
  const auto fork = [&](std::int32_t child) { table.Apply(Now(ForkBody{First(kShell), First(child)})); };
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
  table.Apply(Now(Ended(First(kShell + 2))));
  table.Apply(Now(Ended(First(kShell + 1))));
  fork(kShell + 3);
  EXPECT_EQ(found(), (std::vector{0, 1, 3})) << "who ended first goes first";
  fork(kShell + 4);
  EXPECT_EQ(found(), (std::vector{0, 3, 4}));
  table.Apply(Now(SidBody{First(kShell + 5)}));
  EXPECT_EQ(found(), (std::vector{3, 4, 5})) << "all live: the oldest goes";
  table.Apply(Now(ForkBody{First(kShell + 5), First(kShell + 4)}));
  EXPECT_EQ(found(), (std::vector{3, 4, 5})) << "a new process takes the place of the old one";
  table.Apply(Now(SidBody{First(kShell + 6)}));
  table.Apply(Now(SidBody{First(kShell + 7)}));
  EXPECT_EQ(found(), (std::vector{4, 6, 7})) << "and is younger than that";
}

TEST_F(ProcessTableTest, ATableOfOneWorks) {
  ProcessTable table({.limit = 0, .proc = proc_.path()});
  table.Apply(Now(SidBody{First(kShell)}));
  table.Apply(Now(ForkBody{First(kShell), First(kChild)}));
  ASSERT_TRUE(table.Find(kChild));
  EXPECT_EQ(table.size(), 1U);
}

TEST_F(ProcessTableTest, InDoubtAllIsLookedAtAgain) {
  Fork(kChild);
  Fork(kOther);
  Exit(First(kOther));
  proc_.Show(kShell, {.name = "bash", .start_ns = kLongAgo, .user = 1001});
  EXPECT_EQ(CommandOf(kShell), "sh");
  table_.Invalidate();
  EXPECT_EQ(CommandOf(kShell), "bash");
  EXPECT_EQ(table_.Find(kShell)->user, 1001U);
  EXPECT_EQ(CommandOf(kChild), "?") << "it may have executed something before it was gone";
  EXPECT_FALSE(IsAlive(kChild));
  EXPECT_EQ(CommandOf(kOther), "sh") << "it had ended before";
  EXPECT_EQ(table_.Find(kOther)->user, 1000U);
}

TEST_F(ProcessTableTest, InDoubtEventsAreOfWhoProcShows) {
  table_.Invalidate();
  proc_.Show(kShell, {.name = "zsh", .start_ns = kLongAgo});
  Fork(kChild);
  EXPECT_EQ(CommandOf(kShell), "zsh");
  EXPECT_EQ(CommandOf(kChild), "?") << "the look came after the FORK";
  Fork(kOther);
  EXPECT_EQ(CommandOf(kOther), "zsh");
}

TEST_F(ProcessTableTest, InDoubtANumberMayBeAnothers) {
  Fork(kChild);
  Exit(First(kChild));
  table_.Invalidate();
  const std::uint64_t start = MonotonicNanos() + kSecond;
  proc_.Show(kChild, {.name = "another", .start_ns = start, .parent = 1});
  EXPECT_EQ(CommandOf(kChild), "another");
  EXPECT_TRUE(IsAlive(kChild));
  EXPECT_EQ(table_.Find(kChild)->parent, 1);
  EXPECT_GT(table_.Find(kChild)->start_ns, start - kSecond / 20);
}

TEST_F(ProcessTableTest, InDoubtThreadsAreNotCounted) {
  Fork(kChild);
  table_.Invalidate();
  proc_.Show(kChild, {.name = "sh", .start_ns = MonotonicNanos(), .state = 'Z', .threads = 2});
  Exit(First(kChild));
  EXPECT_TRUE(IsAlive(kChild)) << "the FORK of another thread was lost";
  proc_.Hide(kChild);
  Exit({kThread, kChild});
  EXPECT_FALSE(IsAlive(kChild));
}

TEST_F(ProcessTableTest, WhoIsHiddenLivesWithoutAName) {
  const std::int32_t self = ::getpid();  // which is not in this /proc, but there
  Apply(Renamed(First(self), "self"));
  EXPECT_EQ(CommandOf(self), "self");
  EXPECT_TRUE(IsAlive(self));
  Apply(ExecBody{First(self)});
  EXPECT_EQ(CommandOf(self), "?");
  EXPECT_TRUE(IsAlive(self));
}

TEST_F(ProcessTableTest, AMovedTableGoesOn) {
  Fork(kChild);
  ProcessTable moved = std::move(table_);
  moved.Apply(Now(Ended(First(kChild))));
  EXPECT_FALSE(moved.Find(kChild)->alive);
  EXPECT_TRUE(moved.Find(kShell)->alive);
  table_ = std::move(moved);
  EXPECT_EQ(CommandOf(kChild), "sh");
}

}  // namespace
}  // namespace procevent
