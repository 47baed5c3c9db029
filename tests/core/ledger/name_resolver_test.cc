// Under which name things are booked, and when, on built sequences.
#include "core/ledger/name_resolver.h"

#include <gtest/gtest.h>

#include "ledger_driver.h"

namespace procevent {
namespace {

std::uint64_t Attributed(const LedgerDriver& story, Attribution how) {
  return story.numbers().attributions.at(static_cast<std::size_t>(how));
}

TEST(NameResolverTest, CountsWaitUntilALookIsBeyondDoubt) {
  LedgerDriver story;
  story.Fork(200);
  story.Exec(200);
  story.Look("prog");
  story.SettleAfter(9);
  EXPECT_EQ(story.Pending(CountKind::kExecs), 1U);
  EXPECT_EQ(story.Of("prog", CountKind::kExecs), 0U);
  story.SettleAfter(1);
  EXPECT_EQ(story.Pending(CountKind::kExecs), 0U);
  EXPECT_EQ(story.Of("prog", CountKind::kExecs), 1U);
  EXPECT_EQ(Attributed(story, Attribution::kProc), 1U);
}

// sh -c 'exec sleep': /proc shows the second name before its EXEC is read.
TEST(NameResolverTest, ALookShortlyBeforeAnExecIsThrownAway) {
  LedgerDriver story;
  story.Fork(200);
  story.Exec(200);
  story.Look("sleep");
  story.Pass(8);
  story.Exec(200);
  EXPECT_EQ(story.Of("sleep", CountKind::kExecs), 0U);
  EXPECT_EQ(story.Of(kUnattributedComm, CountKind::kExecs), 1U);
  EXPECT_EQ(story.Pending(CountKind::kExecs), 1U);
}

TEST(NameResolverTest, ALookLongBeforeAnExecStands) {
  LedgerDriver story;
  story.Fork(200);
  story.Exec(200);
  story.Look("sh2");
  story.Pass(10);
  story.Exec(200);
  EXPECT_EQ(story.Of("sh2", CountKind::kExecs), 1U);
}

TEST(NameResolverTest, AnExitAfterALookConfirmsIt) {
  LedgerDriver story;
  story.Fork(200);
  story.Exec(200);
  story.Look("true");
  story.Exit(200);
  EXPECT_EQ(story.Of("true", CountKind::kExecs), 1U);
  EXPECT_EQ(story.Of("true", CountKind::kSucceeded), 1U);
}

TEST(NameResolverTest, ALookAfterTheExitIsNone) {
  LedgerDriver story;
  story.Fork(200);
  story.Exec(200);
  const auto question = story.ledger().reconciler().NextRequest();
  ASSERT_TRUE(question.has_value());
  ProcSnapshot late = story.Seen(200, "another");
  late.taken_ns += 2 * LedgerDriver::kStep;
  story.ledger().reconciler().ApplySnapshot(late, question->full);
  story.Exit(200);  // one step after the EXEC, one before the look
  EXPECT_EQ(story.Of("another", CountKind::kExecs), 0U);
  EXPECT_EQ(story.Of(kUnattributedComm, CountKind::kExecs), 1U);
}

TEST(NameResolverTest, ARenamingNamesWhatWaits) {
  LedgerDriver story;
  story.Fork(200);
  story.Exec(200);
  story.Rename(200, "nginx: worker");
  EXPECT_EQ(story.Of("nginx: worker", CountKind::kExecs), 1U);
  EXPECT_EQ(Attributed(story, Attribution::kCommEvent), 1U);
}

TEST(NameResolverTest, ARenamingOfAnotherThreadNamesNothing) {
  LedgerDriver story;
  story.Fork(200);
  story.Exec(200);
  story.RenameThread(201, 200, "helper");
  EXPECT_EQ(story.Pending(CountKind::kExecs), 1U);
}

TEST(NameResolverTest, ChildrenWaitWithTheirParent) {
  LedgerDriver story;
  story.Fork(200);
  story.Exec(200);
  story.Fork(201, 200);
  story.Exit(201);
  EXPECT_EQ(story.Pending(CountKind::kForks), 1U);
  EXPECT_EQ(story.Pending(CountKind::kSucceeded), 1U);
  EXPECT_EQ(story.numbers().exits.exit_codes.count(), 0U);
  story.Look("make");
  story.SettleAfter(10);
  EXPECT_EQ(story.Of("make", CountKind::kForks), 1U);
  EXPECT_EQ(story.Of("make", CountKind::kSucceeded), 1U);
  EXPECT_EQ(story.Of("make", CountKind::kWithoutExec), 1U);
  EXPECT_EQ(story.numbers().exits.exit_codes.count(), 1U);
}

TEST(NameResolverTest, AChildThatOutlivesItsNamelessParentIsLookedAtItself) {
  LedgerDriver story;
  story.Fork(200);
  story.Exec(200);
  story.Fork(201, 200);
  story.Exit(200);
  EXPECT_EQ(story.Of(kUnattributedComm, CountKind::kExecs), 1U);
  story.Fork(202, 201);
  EXPECT_EQ(story.Pending(CountKind::kForks), 1U);
  story.Look("daemon");
  story.SettleAfter(10);
  EXPECT_EQ(story.Of("daemon", CountKind::kForks), 1U);
}

TEST(NameResolverTest, AfterALossNobodyIsCalledByAnOldName) {
  LedgerDriver story;
  story.Fork(200);
  story.Rename(200, "old");
  story.Lose(1);  // its exec, perhaps
  story.Fork(201, LedgerDriver::kShell);
  story.Fork(202, 200);
  EXPECT_EQ(story.Of("old", CountKind::kForks), 0U);
  EXPECT_EQ(story.Pending(CountKind::kForks), 2U);
  story.Look("new");
  story.SettleAfter(10);
  EXPECT_EQ(story.Of("new", CountKind::kForks), 2U);
  EXPECT_EQ(story.Of("old", CountKind::kForks), 0U);
}

TEST(NameResolverTest, ALookBeforeALossNamesNothing) {
  LedgerDriver story;
  story.Fork(200);
  story.Exec(200);
  story.Look("prog");
  story.Lose(1);
  story.Fork(201, LedgerDriver::kShell);  // shows the loss
  story.SettleAfter(20);
  EXPECT_EQ(story.Of("prog", CountKind::kExecs), 0U);
  EXPECT_EQ(story.Of(kUnattributedComm, CountKind::kExecs), 1U);
}

// What it did before it executed what /proc showed was still in the queue.
TEST(NameResolverTest, WhoIsFoundIsNotBelievedAtOnce) {
  LedgerDriver story;
  ProcSnapshot sighting = story.Seen(500, "after");
  sighting.taken_ns += 10 * LedgerDriver::kStep;
  story.ledger().reconciler().AddFoundProcess(sighting, ProcessFoundReason::kBootstrap);
  story.Fork(501, 500);
  story.Exec(500);
  EXPECT_EQ(story.Of("after", CountKind::kForks), 0U);
  EXPECT_EQ(story.Of(kUnattributedComm, CountKind::kForks), 1U);
  story.Look("after");
  story.SettleAfter(20);
  EXPECT_EQ(story.Of("after", CountKind::kExecs), 1U);
}

TEST(NameResolverTest, WhoIsFoundIsBelievedWhenAllWasHeard) {
  LedgerDriver story;
  story.ledger().reconciler().AddFoundProcess(story.Seen(500, "daemon"), ProcessFoundReason::kBootstrap);
  story.Pass(20);
  story.Fork(501, 500);
  EXPECT_EQ(story.Pending(CountKind::kForks), 1U);
  story.Settle();
  EXPECT_EQ(story.Of("daemon", CountKind::kForks), 1U);
}

// It is looked at again 20 ms later, 25 times in all; then it is a survey's.
TEST(NameResolverTest, WhoIsHeldIsNotBelievedAndSeenAgainSoon) {
  LedgerDriver story;
  story.Fork(200);
  story.Exec(200);
  ProcReconciler& sightings = story.ledger().reconciler();
  int looks = 0;
  while (const auto question = sightings.NextRequest()) {
    ++looks;
    ProcSnapshot held = story.Seen(question->tgid, "not yet");
    held.exec_in_progress = true;
    sightings.ApplySnapshot(held, question->full);
    story.SettleAfter(19);
    EXPECT_FALSE(sightings.NextRequest().has_value());
    EXPECT_EQ(sightings.any_request(), looks <= 25);
    story.SettleAfter(1);
  }
  EXPECT_EQ(looks, 26);
  EXPECT_EQ(story.Of("not yet", CountKind::kExecs), 0U);
  EXPECT_EQ(story.Pending(CountKind::kExecs), 1U);
  RowId cursor = 0;
  EXPECT_EQ(sightings.NextStale(cursor, sightings.end_of_rows()), 200);
}

// Found by an event, held at the look and in the survey; then a COMM names it, and nobody would ask for it again.
TEST(NameResolverTest, WhoIsHeldWithMuchUnknownIsLeftToASurveyToo) {
  LedgerDriver story;
  story.Exec(200);
  ProcReconciler& sightings = story.ledger().reconciler();
  EXPECT_TRUE(sightings.TakeAnyStale());
  ProcSnapshot held = story.Seen(sightings.NextRequest()->tgid, "not yet");
  held.exec_in_progress = true;
  sightings.ApplySnapshot(held, true);
  EXPECT_TRUE(sightings.TakeAnyStale());
}

TEST(NameResolverTest, WhoIsHeldNoMoreIsNamed) {
  LedgerDriver story;
  story.Fork(200);
  story.Exec(200);
  ProcReconciler& sightings = story.ledger().reconciler();
  ProcSnapshot held = story.Seen(sightings.NextRequest()->tgid, "not yet");
  held.exec_in_progress = true;
  sightings.ApplySnapshot(held, false);
  story.SettleAfter(20);
  story.Look("sleep");
  story.SettleAfter(10);
  EXPECT_EQ(story.Of("sleep", CountKind::kExecs), 1U);
}

TEST(NameResolverTest, ARenamingDoesNotNameWhatWasDoneBefore) {
  LedgerDriver story;
  story.Fork(200);
  story.Exec(200);
  story.Fork(201, 200);
  story.Exit(201);
  story.Rename(200, "worker");
  EXPECT_EQ(story.Of("worker", CountKind::kExecs), 1U);
  EXPECT_EQ(story.Of("worker", CountKind::kSucceeded), 0U);
  EXPECT_EQ(story.Of(kUnattributedComm, CountKind::kForks), 1U);
  EXPECT_EQ(story.Of(kUnattributedComm, CountKind::kSucceeded), 1U);
}

TEST(NameResolverTest, AnEmptyNameHasARowOfItsOwn) {
  LedgerDriver story;
  story.Fork(200);
  story.Rename(200, "");
  story.Exit(200);
  EXPECT_EQ(story.Of("[processes without a name]", CountKind::kSucceeded), 1U);
}

TEST(NameResolverTest, MoreEndsThanCanWaitAreUnattributed) {
  constexpr std::uint64_t kEnds = 65'600;
  LedgerDriver story;
  story.Fork(200);
  story.Exec(200);
  for (std::uint64_t i = 0; i < kEnds; ++i) {
    story.Fork(201, 200);
    story.Exit(201);
  }
  EXPECT_EQ(story.Of(kUnattributedComm, CountKind::kExecs), 1U);
  EXPECT_EQ(story.Of(kUnattributedComm, CountKind::kSucceeded) + story.Pending(CountKind::kSucceeded), kEnds);
  EXPECT_EQ(story.Of(kUnattributedComm, CountKind::kForks) + story.Pending(CountKind::kForks), kEnds);
}

}  // namespace
}  // namespace procevent
