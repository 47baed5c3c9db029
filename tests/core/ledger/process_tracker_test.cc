// Who lives and who dies, on built sequences: each is one that a kernel has sent.
#include "core/ledger/process_tracker.h"

#include <gtest/gtest.h>

#include "ledger_driver.h"

namespace procevent {
namespace {

constexpr std::uint32_t Status(std::uint32_t status) { return status << 8U; }

std::uint64_t DroppedAs(const Story& story, Dropped why) {
  return story.numbers().dropped.at(static_cast<std::size_t>(why));
}

TEST(CensusTest, AProcessIsBookedToItsParentAndEndsWithItsExit) {
  Story story;
  story.Fork(200);
  EXPECT_EQ(story.numbers().processes, 2U);
  story.Exit(200, Status(3));
  EXPECT_EQ(story.numbers().processes, 1U);
  EXPECT_EQ(story.Of("sh", Count::kForks), 1U);
  EXPECT_EQ(story.Of("sh", Count::kFailed), 1U);
  EXPECT_EQ(story.Of("sh", Count::kUnexeced), 1U);
  EXPECT_EQ(story.numbers().ends.statuses.at(3), 1U);
  EXPECT_EQ(story.numbers().ends.lifetimes.sum(), Story::kStep);
}

TEST(CensusTest, AThreadBelongsToItsProcessWhateverParentIsNamed) {
  Story story;
  story.Fork(200);
  story.Rename(200, "server");
  story.StartThread(201, 200);
  EXPECT_EQ(story.numbers().threads, 3U);
  story.ExitThread(201, 200);
  EXPECT_EQ(story.Of("server", Count::kThreadsStarted), 1U);
  EXPECT_EQ(story.Of("server", Count::kThreadsEnded), 1U);
  EXPECT_EQ(story.Of("sh", Count::kThreadsStarted), 0U);
  EXPECT_EQ(story.numbers().processes, 2U);
}

TEST(CensusTest, TheLeaderMayEndFirst) {
  Story story;
  story.Fork(200);
  story.StartThread(201, 200);
  story.Exit(200);  // pthread_exit: status 0
  EXPECT_EQ(story.numbers().processes, 2U);
  EXPECT_EQ(story.Of("sh", Count::kThreadsEnded), 1U);
  story.ExitThread(201, 200, Status(7));  // exit(7)
  EXPECT_EQ(story.numbers().processes, 1U);
  EXPECT_EQ(story.numbers().ends.statuses.at(7), 1U);
  EXPECT_EQ(story.Of("sh", Count::kFailed), 1U);
}

// exit(3) while workers end by themselves: the last EXIT may say 0.
TEST(CensusTest, TheStatusIsTheOneThatIsNotZero) {
  Story story;
  story.Fork(200);
  story.StartThread(201, 200);
  story.StartThread(202, 200);
  story.ExitThread(201, 200, Status(3));
  story.Exit(200, Status(3));
  story.ExitThread(202, 200);
  EXPECT_EQ(story.numbers().ends.statuses.at(3), 1U);
  EXPECT_EQ(story.Of("sh", Count::kFailed), 1U);
  EXPECT_EQ(story.Of("sh", Count::kSucceeded), 0U);
  EXPECT_EQ(story.Of("sh", Count::kThreadsEnded), 2U);
}

// The exec-ing thread's own number never exits; the leader's exits twice.
TEST(CensusTest, AnExecFromAThreadLeavesOneThread) {
  Story story;
  story.Fork(200);
  story.StartThread(201, 200);
  story.StartThread(202, 200);
  story.ExitThread(202, 200);
  story.Exit(200, Status(9));
  story.ExecNamed(200, "prog");
  EXPECT_EQ(story.numbers().threads, 2U);
  story.Exit(200);
  EXPECT_EQ(story.numbers().processes, 1U);
  EXPECT_EQ(story.Of("prog", Count::kSucceeded), 1U);  // the status of before the exec is forgotten
  EXPECT_EQ(story.Of("prog", Count::kUnexeced), 0U);
  EXPECT_EQ(story.Of("sh", Count::kThreadsEnded), 2U);
}

TEST(CensusTest, AnExecEndsTheThreadsWhoseExitsComeLater) {
  Story story;
  story.Fork(200);
  story.StartThread(201, 200);
  story.ExecNamed(200, "prog");
  story.ExitThread(201, 200);  // late
  EXPECT_EQ(story.numbers().processes, 2U);
  EXPECT_EQ(story.numbers().threads, 2U);
  story.Exit(200);
  EXPECT_EQ(story.numbers().processes, 1U);
}

TEST(CensusTest, ASignalIsNeitherSuccessNorFailure) {
  Story story;
  story.Fork(200);
  story.Tell(CoredumpBody{Story::Leader(200), Story::Leader(Story::kShell)});
  story.Exit(200, 11U | 0x80U);
  EXPECT_EQ(story.Of("sh", Count::kKilled), 1U);
  EXPECT_EQ(story.Of("sh", Count::kCoredumps), 1U);
  EXPECT_EQ(story.numbers().ends.signals.at(11), 1U);
  EXPECT_EQ(story.numbers().ends.exit_codes.sum(), 128U + 11U);
}

TEST(CensusTest, CloneParentIsBookedToTheParentThatTheKernelNames) {
  Story story;
  story.Fork(200);
  story.Rename(200, "middle");
  story.Fork(201, Story::kShell);  // made by 200, with CLONE_PARENT
  EXPECT_EQ(story.Of("sh", Count::kForks), 2U);
  EXPECT_EQ(story.Of("middle", Count::kForks), 0U);
}

TEST(CensusTest, TheChildOfAThreadHasNoKnownName) {
  Story story;
  story.Fork(200);
  story.Rename(200, "server");
  story.StartThread(201, 200);
  story.RenameThread(201, 200, "worker");
  story.Tell(ForkBody{{201, 200}, Story::Leader(300)});
  EXPECT_EQ(story.Of("server", Count::kForks), 1U);
  story.Exit(300, Status(1));
  EXPECT_EQ(story.Of("server", Count::kFailed), 0U);
  EXPECT_EQ(story.Of(kUnattributedComm, Count::kFailed), 1U);
}

TEST(CensusTest, TheChildOfAThreadIsLookedAtAtOnce) {
  Story story;
  story.Fork(200);
  story.StartThread(201, 200);
  story.Tell(ForkBody{{201, 200}, Story::Leader(300)});
  story.Look("worker");
  story.Exit(300, Status(1));
  EXPECT_EQ(story.Of("worker", Count::kFailed), 1U);
  EXPECT_EQ(story.Of("sh", Count::kFailed), 0U);
}

TEST(CensusTest, AKernelThreadIsNotCalledKthreadd) {
  Story story;
  story.ledger().sightings().Found(story.Seen(2, "kthreadd"), Found::kBootstrap);
  story.Pass(20);
  story.Fork(300, 2);
  story.Settle();
  story.Fork(301, 300);
  EXPECT_EQ(story.Of("kthreadd", Count::kForks), 1U);
  EXPECT_EQ(story.Pending(Count::kForks), 1U);
  story.Look("kworker/0:1-ev");
  story.SettleAfter(20);
  EXPECT_EQ(story.Of("kworker", Count::kForks), 1U);
  story.Exit(300);
  EXPECT_EQ(story.numbers().ends.lifetimes.count(), 1U);
}

TEST(CensusTest, WhoHasNoRowGetsOneWithTheFirstEvent) {
  Story story;
  story.Fork(901, 900);
  EXPECT_EQ(story.numbers().processes, 3U);
  EXPECT_EQ(story.numbers().found.at(static_cast<std::size_t>(Found::kEvent)), 1U);
  EXPECT_EQ(story.Pending(Count::kForks), 1U);
}

TEST(CensusTest, AnEndWithoutARowIsUntracked) {
  Story story;
  story.Exit(900, Status(2));
  story.ExitThread(902, 901);
  EXPECT_EQ(story.Of(kUntrackedComm, Count::kFailed), 1U);
  EXPECT_EQ(story.Of(kUntrackedComm, Count::kThreadsEnded), 1U);
  EXPECT_EQ(story.numbers().processes, 1U);
}

// It was alive when /proc was read, and ended before the reading was done.
TEST(CensusTest, ALeaderThatWasSeenAliveEndsWithItsExit) {
  Story story;
  Sighting sighting = story.Seen(500, "brief");
  sighting.taken_ns += 5 * Story::kStep;
  story.ledger().sightings().Found(sighting, Found::kReconciliation);
  story.Exit(500, Status(7));
  EXPECT_EQ(story.numbers().ends.statuses.at(7), 1U);
  EXPECT_EQ(story.numbers().processes, 1U);
}

// A survey read /proc in the midst of its beginning and its end, and the events came after that.
TEST(CensusTest, WhoWasSeenBeforeItsForkWasReadEndsWithItsLastThread) {
  Story story;
  Sighting sighting = story.Seen(200, "sh", 2);
  sighting.taken_ns += 5 * Story::kStep;
  story.ledger().sightings().Found(sighting, Found::kReconciliation);
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
  EXPECT_EQ(story.Of("sh", Count::kThreadsEnded), 3U);
  EXPECT_EQ(story.Of("sh", Count::kFailed), 1U);
  EXPECT_EQ(story.Of("sh", Count::kUnexeced), 1U);
  EXPECT_EQ(story.numbers().ends.statuses.at(7), 1U);
  EXPECT_EQ(DroppedAs(story, Dropped::kReplaced), 0U);
}

// It was held by the kernel, as those are who wait for a vfork.
TEST(CensusTest, ALookThatDoesNotTellTheNameLeavesTheRestKnown) {
  Story story;
  story.Fork(200);
  story.Exec(200);
  Sighting held = story.Seen(200, "sleep");
  held.held = true;
  story.ledger().sightings().Saw(held, false);
  story.Exit(200);
  EXPECT_EQ(story.numbers().ends.lifetimes.count(), 1U);
}

TEST(CensusTest, ANewerEventIsNotOverwrittenByAnOlderLook) {
  Story story;
  story.ledger().sightings().Saw(story.Seen(Story::kShell, "sh"), true);
  story.SettleAfter(20);
  story.ledger().sightings().Saw(story.Seen(Story::kShell, "sh"), true);
  story.Tell(UidBody{Story::Leader(Story::kShell), 1000, 1000});
  story.SettleAfter(20);
  story.Fork(200);
  story.ledger().sightings().Saw(story.Seen(Story::kShell, "sh"), true);
  EXPECT_EQ(story.Of("sh", Count::kUidLeftRoot), 1U);
  story.Tell(UidBody{Story::Leader(200), 0, 0});
  EXPECT_EQ(story.Of("sh", Count::kUidGainedRoot) + story.Of("sh", Count::kUidOther), 1U);
}

TEST(CensusTest, ANumberThatIsGivenOutAgainIsAnotherProcess) {
  Story story;
  story.Fork(200);
  story.Rename(200, "first");
  story.Fork(200);
  EXPECT_EQ(DroppedAs(story, Dropped::kReplaced), 1U);
  story.Exit(200);
  EXPECT_EQ(story.Of("sh", Count::kSucceeded), 1U);
  EXPECT_EQ(story.Of("first", Count::kSucceeded), 0U);
  EXPECT_EQ(story.numbers().ends.lifetimes.sum(), Story::kStep);
}

TEST(CensusTest, AFullTableForgetsTheOldest) {
  Story story({.process_limit = 4});
  for (std::int32_t child = 200; child < 206; ++child) {
    story.Fork(child, 199);
  }
  EXPECT_GE(story.numbers().processes, 3U);
  EXPECT_LE(story.numbers().processes, 4U);
  EXPECT_GE(DroppedAs(story, Dropped::kEvicted), 1U);
  story.Exit(200);
  EXPECT_EQ(story.Of(kUntrackedComm, Count::kSucceeded), 1U);
}

TEST(CensusTest, TheLeadersCredentialsTellWhatWasGained) {
  Story story;
  story.ledger().sightings().Saw(story.Seen(Story::kShell, "sh"), true);
  story.SettleAfter(20);
  story.Fork(200);
  story.Tell(UidBody{Story::Leader(200), 1000, 1000});
  story.Tell(UidBody{Story::Leader(200), 1000, 0});
  story.Tell(UidBody{Story::Leader(200), 0, 0});
  story.Tell(UidBody{{201, 200}, 1000, 1000});
  story.Tell(GidBody{Story::Leader(200), 5, 5});
  EXPECT_EQ(story.Of("sh", Count::kUidLeftRoot), 1U);
  EXPECT_EQ(story.Of("sh", Count::kUidGainedRoot), 1U);
  EXPECT_EQ(story.Of("sh", Count::kUidOther), 2U);
  EXPECT_EQ(story.Of("sh", Count::kGidLeftRoot), 1U);
}

TEST(CensusTest, DetachmentIsBookedToTheTracerThatAttached) {
  Story story;
  story.Fork(200);
  story.Rename(200, "gdb");
  story.Fork(201);
  story.Tell(PtraceBody{Story::Leader(201), Story::Leader(200)});
  story.Tell(PtraceBody{Story::Leader(201), {}});
  story.Tell(PtraceBody{Story::Leader(201), {}});
  EXPECT_EQ(story.Of("gdb", Count::kAttached), 1U);
  EXPECT_EQ(story.Of("gdb", Count::kDetached), 1U);
  EXPECT_EQ(story.Of(kUntrackedComm, Count::kDetached), 1U);
}

TEST(CensusTest, AMaskThatLeavesOutLivesTracksNobody) {
  Story story({}, Hearing::kParts);
  story.Fork(200);
  story.Exec(200);
  story.Exit(200);
  story.Rename(200, "x");
  EXPECT_EQ(story.Of(kUntrackedComm, Count::kForks), 1U);
  EXPECT_EQ(story.Of(kUntrackedComm, Count::kExecs), 1U);
  EXPECT_EQ(story.Of(kUntrackedComm, Count::kSucceeded), 1U);
  EXPECT_EQ(story.numbers().processes, 0U);
  EXPECT_FALSE(story.numbers().followed);
}

}  // namespace
}  // namespace procevent
