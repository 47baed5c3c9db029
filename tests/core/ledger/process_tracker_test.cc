// Who lives and who dies, on built sequences: each is one that a kernel has sent.
#include "core/ledger/process_tracker.h"

#include <gtest/gtest.h>

#include "ledger_driver.h"

namespace procevent {
namespace {

constexpr std::uint32_t Status(std::uint32_t status) { return status << 8U; }

std::uint64_t DroppedAs(const LedgerDriver& story, ProcessDropReason why) {
  return story.numbers().dropped.at(static_cast<std::size_t>(why));
}

TEST(ProcessTrackerTest, AProcessIsBookedToItsParentAndEndsWithItsExit) {
  LedgerDriver story;
  story.Fork(200);
  EXPECT_EQ(story.numbers().processes, 2U);
  story.Exit(200, Status(3));
  EXPECT_EQ(story.numbers().processes, 1U);
  EXPECT_EQ(story.Of("sh", CountKind::kForks), 1U);
  EXPECT_EQ(story.Of("sh", CountKind::kFailed), 1U);
  EXPECT_EQ(story.Of("sh", CountKind::kWithoutExec), 1U);
  EXPECT_EQ(story.numbers().exits.statuses.at(3), 1U);
  EXPECT_EQ(story.numbers().exits.lifetimes.sum(), LedgerDriver::kStep);
}

TEST(ProcessTrackerTest, AThreadBelongsToItsProcessWhateverParentIsNamed) {
  LedgerDriver story;
  story.Fork(200);
  story.Rename(200, "server");
  story.StartThread(201, 200);
  EXPECT_EQ(story.numbers().threads, 3U);
  story.ExitThread(201, 200);
  EXPECT_EQ(story.Of("server", CountKind::kThreadsStarted), 1U);
  EXPECT_EQ(story.Of("server", CountKind::kThreadsEnded), 1U);
  EXPECT_EQ(story.Of("sh", CountKind::kThreadsStarted), 0U);
  EXPECT_EQ(story.numbers().processes, 2U);
}

TEST(ProcessTrackerTest, TheLeaderMayEndFirst) {
  LedgerDriver story;
  story.Fork(200);
  story.StartThread(201, 200);
  story.Exit(200);  // pthread_exit: status 0
  EXPECT_EQ(story.numbers().processes, 2U);
  EXPECT_EQ(story.Of("sh", CountKind::kThreadsEnded), 1U);
  story.ExitThread(201, 200, Status(7));  // exit(7)
  EXPECT_EQ(story.numbers().processes, 1U);
  EXPECT_EQ(story.numbers().exits.statuses.at(7), 1U);
  EXPECT_EQ(story.Of("sh", CountKind::kFailed), 1U);
}

// exit(3) while workers end by themselves: the last EXIT may say 0.
TEST(ProcessTrackerTest, TheStatusIsTheOneThatIsNotZero) {
  LedgerDriver story;
  story.Fork(200);
  story.StartThread(201, 200);
  story.StartThread(202, 200);
  story.ExitThread(201, 200, Status(3));
  story.Exit(200, Status(3));
  story.ExitThread(202, 200);
  EXPECT_EQ(story.numbers().exits.statuses.at(3), 1U);
  EXPECT_EQ(story.Of("sh", CountKind::kFailed), 1U);
  EXPECT_EQ(story.Of("sh", CountKind::kSucceeded), 0U);
  EXPECT_EQ(story.Of("sh", CountKind::kThreadsEnded), 2U);
}

// The exec-ing thread's own number never exits; the leader's exits twice.
TEST(ProcessTrackerTest, AnExecFromAThreadLeavesOneThread) {
  LedgerDriver story;
  story.Fork(200);
  story.StartThread(201, 200);
  story.StartThread(202, 200);
  story.ExitThread(202, 200);
  story.Exit(200, Status(9));
  story.ExecNamed(200, "prog");
  EXPECT_EQ(story.numbers().threads, 2U);
  story.Exit(200);
  EXPECT_EQ(story.numbers().processes, 1U);
  EXPECT_EQ(story.Of("prog", CountKind::kSucceeded), 1U);  // the status of before the exec is forgotten
  EXPECT_EQ(story.Of("prog", CountKind::kWithoutExec), 0U);
  EXPECT_EQ(story.Of("sh", CountKind::kThreadsEnded), 2U);
}

TEST(ProcessTrackerTest, AnExecEndsTheThreadsWhoseExitsComeLater) {
  LedgerDriver story;
  story.Fork(200);
  story.StartThread(201, 200);
  story.ExecNamed(200, "prog");
  story.ExitThread(201, 200);  // late
  EXPECT_EQ(story.numbers().processes, 2U);
  EXPECT_EQ(story.numbers().threads, 2U);
  story.Exit(200);
  EXPECT_EQ(story.numbers().processes, 1U);
}

TEST(ProcessTrackerTest, ASignalIsNeitherSuccessNorFailure) {
  LedgerDriver story;
  story.Fork(200);
  story.Tell(CoredumpBody{LedgerDriver::Leader(200), LedgerDriver::Leader(LedgerDriver::kShell)});
  story.Exit(200, 11U | 0x80U);
  EXPECT_EQ(story.Of("sh", CountKind::kKilled), 1U);
  EXPECT_EQ(story.Of("sh", CountKind::kCoredumps), 1U);
  EXPECT_EQ(story.numbers().exits.signals.at(11), 1U);
  EXPECT_EQ(story.numbers().exits.exit_codes.sum(), 128U + 11U);
}

TEST(ProcessTrackerTest, CloneParentIsBookedToTheParentThatTheKernelNames) {
  LedgerDriver story;
  story.Fork(200);
  story.Rename(200, "middle");
  story.Fork(201, LedgerDriver::kShell);  // made by 200, with CLONE_PARENT
  EXPECT_EQ(story.Of("sh", CountKind::kForks), 2U);
  EXPECT_EQ(story.Of("middle", CountKind::kForks), 0U);
}

TEST(ProcessTrackerTest, TheChildOfAThreadHasNoKnownName) {
  LedgerDriver story;
  story.Fork(200);
  story.Rename(200, "server");
  story.StartThread(201, 200);
  story.RenameThread(201, 200, "worker");
  story.Tell(ForkBody{{201, 200}, LedgerDriver::Leader(300)});
  EXPECT_EQ(story.Of("server", CountKind::kForks), 1U);
  story.Exit(300, Status(1));
  EXPECT_EQ(story.Of("server", CountKind::kFailed), 0U);
  EXPECT_EQ(story.Of(kUnattributedComm, CountKind::kFailed), 1U);
}

TEST(ProcessTrackerTest, TheChildOfAThreadIsLookedAtAtOnce) {
  LedgerDriver story;
  story.Fork(200);
  story.StartThread(201, 200);
  story.Tell(ForkBody{{201, 200}, LedgerDriver::Leader(300)});
  story.Look("worker");
  story.Exit(300, Status(1));
  EXPECT_EQ(story.Of("worker", CountKind::kFailed), 1U);
  EXPECT_EQ(story.Of("sh", CountKind::kFailed), 0U);
}

TEST(ProcessTrackerTest, AKernelThreadIsNotCalledKthreadd) {
  LedgerDriver story;
  story.ledger().reconciler().AddFoundProcess(story.Seen(2, "kthreadd"), ProcessFoundReason::kBootstrap);
  story.Pass(20);
  story.Fork(300, 2);
  story.Settle();
  story.Fork(301, 300);
  EXPECT_EQ(story.Of("kthreadd", CountKind::kForks), 1U);
  EXPECT_EQ(story.Pending(CountKind::kForks), 1U);
  story.Look("kworker/0:1-ev");
  story.SettleAfter(20);
  EXPECT_EQ(story.Of("kworker", CountKind::kForks), 1U);
  story.Exit(300);
  EXPECT_EQ(story.numbers().exits.lifetimes.count(), 1U);
}

TEST(ProcessTrackerTest, WhoHasNoRowGetsOneWithTheFirstEvent) {
  LedgerDriver story;
  story.Fork(901, 900);
  EXPECT_EQ(story.numbers().processes, 3U);
  EXPECT_EQ(story.numbers().found.at(static_cast<std::size_t>(ProcessFoundReason::kEvent)), 1U);
  EXPECT_EQ(story.Pending(CountKind::kForks), 1U);
}

TEST(ProcessTrackerTest, AnEndWithoutARowIsUntracked) {
  LedgerDriver story;
  story.Exit(900, Status(2));
  story.ExitThread(902, 901);
  EXPECT_EQ(story.Of(kUntrackedComm, CountKind::kFailed), 1U);
  EXPECT_EQ(story.Of(kUntrackedComm, CountKind::kThreadsEnded), 1U);
  EXPECT_EQ(story.numbers().processes, 1U);
}

// It was alive when /proc was read, and ended before the reading was done.
TEST(ProcessTrackerTest, ALeaderThatWasSeenAliveEndsWithItsExit) {
  LedgerDriver story;
  ProcSnapshot sighting = story.Seen(500, "brief");
  sighting.taken_ns += 5 * LedgerDriver::kStep;
  story.ledger().reconciler().AddFoundProcess(sighting, ProcessFoundReason::kReconciliation);
  story.Exit(500, Status(7));
  EXPECT_EQ(story.numbers().exits.statuses.at(7), 1U);
  EXPECT_EQ(story.numbers().processes, 1U);
}

// A survey read /proc in the midst of its beginning and its end, and the events came after that.
TEST(ProcessTrackerTest, WhoWasSeenBeforeItsForkWasReadEndsWithItsLastThread) {
  LedgerDriver story;
  ProcSnapshot sighting = story.Seen(200, "sh", 2);
  sighting.taken_ns += 5 * LedgerDriver::kStep;
  story.ledger().reconciler().AddFoundProcess(sighting, ProcessFoundReason::kReconciliation);
  story.Fork(200);
  story.StartThread(201, 200);
  story.StartThread(202, 200);
  story.StartThread(203, 200);
  story.ExitThread(201, 200);
  story.Exit(200, Status(7));
  story.ExitThread(202, 200);
  EXPECT_EQ(story.numbers().processes, 2U);
  story.ExitThread(203, 200);
  EXPECT_EQ(story.numbers().processes, 1U);
  EXPECT_EQ(story.Of("sh", CountKind::kThreadsEnded), 3U);
  EXPECT_EQ(story.Of("sh", CountKind::kFailed), 1U);
  EXPECT_EQ(story.Of("sh", CountKind::kWithoutExec), 1U);
  EXPECT_EQ(story.numbers().exits.statuses.at(7), 1U);
  EXPECT_EQ(DroppedAs(story, ProcessDropReason::kReplaced), 0U);
}

// It was held by the kernel, as those are who wait for a vfork.
TEST(ProcessTrackerTest, ALookThatDoesNotTellTheNameLeavesTheRestKnown) {
  LedgerDriver story;
  story.Fork(200);
  story.Exec(200);
  ProcSnapshot held = story.Seen(200, "sleep");
  held.exec_in_progress = true;
  story.ledger().reconciler().ApplySnapshot(held, false);
  story.Exit(200);
  EXPECT_EQ(story.numbers().exits.lifetimes.count(), 1U);
}

TEST(ProcessTrackerTest, ANewerEventIsNotOverwrittenByAnOlderLook) {
  LedgerDriver story;
  story.ledger().reconciler().ApplySnapshot(story.Seen(LedgerDriver::kShell, "sh"), true);
  story.SettleAfter(20);
  story.ledger().reconciler().ApplySnapshot(story.Seen(LedgerDriver::kShell, "sh"), true);
  story.Tell(UidBody{LedgerDriver::Leader(LedgerDriver::kShell), 1000, 1000});
  story.SettleAfter(20);
  story.Fork(200);
  story.ledger().reconciler().ApplySnapshot(story.Seen(LedgerDriver::kShell, "sh"), true);
  EXPECT_EQ(story.Of("sh", CountKind::kUidLeftRoot), 1U);
  story.Tell(UidBody{LedgerDriver::Leader(200), 0, 0});
  EXPECT_EQ(story.Of("sh", CountKind::kUidGainedRoot) + story.Of("sh", CountKind::kUidOther), 1U);
}

TEST(ProcessTrackerTest, ANumberThatIsGivenOutAgainIsAnotherProcess) {
  LedgerDriver story;
  story.Fork(200);
  story.Rename(200, "first");
  story.Fork(200);
  EXPECT_EQ(DroppedAs(story, ProcessDropReason::kReplaced), 1U);
  story.Exit(200);
  EXPECT_EQ(story.Of("sh", CountKind::kSucceeded), 1U);
  EXPECT_EQ(story.Of("first", CountKind::kSucceeded), 0U);
  EXPECT_EQ(story.numbers().exits.lifetimes.sum(), LedgerDriver::kStep);
}

TEST(ProcessTrackerTest, AFullTableForgetsTheOldest) {
  LedgerDriver story({.process_limit = 4});
  for (std::int32_t child = 200; child < 206; ++child) {
    story.Fork(child, 199);
  }
  EXPECT_GE(story.numbers().processes, 3U);
  EXPECT_LE(story.numbers().processes, 4U);
  EXPECT_GE(DroppedAs(story, ProcessDropReason::kEvicted), 1U);
  story.Exit(200);
  EXPECT_EQ(story.Of(kUntrackedComm, CountKind::kSucceeded), 1U);
}

TEST(ProcessTrackerTest, TheLeadersCredentialsTellWhatWasGained) {
  LedgerDriver story;
  story.ledger().reconciler().ApplySnapshot(story.Seen(LedgerDriver::kShell, "sh"), true);
  story.SettleAfter(20);
  story.Fork(200);
  story.Tell(UidBody{LedgerDriver::Leader(200), 1000, 1000});
  story.Tell(UidBody{LedgerDriver::Leader(200), 1000, 0});
  story.Tell(UidBody{LedgerDriver::Leader(200), 0, 0});
  story.Tell(UidBody{{201, 200}, 1000, 1000});
  story.Tell(GidBody{LedgerDriver::Leader(200), 5, 5});
  EXPECT_EQ(story.Of("sh", CountKind::kUidLeftRoot), 1U);
  EXPECT_EQ(story.Of("sh", CountKind::kUidGainedRoot), 1U);
  EXPECT_EQ(story.Of("sh", CountKind::kUidOther), 2U);
  EXPECT_EQ(story.Of("sh", CountKind::kGidLeftRoot), 1U);
}

TEST(ProcessTrackerTest, DetachmentIsBookedToTheTracerThatAttached) {
  LedgerDriver story;
  story.Fork(200);
  story.Rename(200, "gdb");
  story.Fork(201);
  story.Tell(PtraceBody{LedgerDriver::Leader(201), LedgerDriver::Leader(200)});
  story.Tell(PtraceBody{LedgerDriver::Leader(201), {}});
  story.Tell(PtraceBody{LedgerDriver::Leader(201), {}});
  EXPECT_EQ(story.Of("gdb", CountKind::kAttached), 1U);
  EXPECT_EQ(story.Of("gdb", CountKind::kDetached), 1U);
  EXPECT_EQ(story.Of(kUntrackedComm, CountKind::kDetached), 1U);
}

TEST(ProcessTrackerTest, AMaskThatLeavesOutLivesTracksNobody) {
  LedgerDriver story({}, EventCoverage::kPartial);
  story.Fork(200);
  story.Exec(200);
  story.Exit(200);
  story.Rename(200, "x");
  EXPECT_EQ(story.Of(kUntrackedComm, CountKind::kForks), 1U);
  EXPECT_EQ(story.Of(kUntrackedComm, CountKind::kExecs), 1U);
  EXPECT_EQ(story.Of(kUntrackedComm, CountKind::kSucceeded), 1U);
  EXPECT_EQ(story.numbers().processes, 0U);
  EXPECT_FALSE(story.numbers().processes_tracked);
}

}  // namespace
}  // namespace procevent
