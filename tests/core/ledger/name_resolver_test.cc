// Under which name things are booked, and when, on built sequences.
#include "core/ledger/name_resolver.h"

#include <gtest/gtest.h>

#include "ledger_driver.h"

namespace procevent {
namespace {

std::uint64_t Attributed(const LedgerDriver& driver, Attribution source) {
  return driver.snapshot().attributions.at(static_cast<std::size_t>(source));
}

TEST(NameResolverTest, CountsWaitUntilALookIsBeyondDoubt) {
  LedgerDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.ReadNames("prog");
  driver.ConfirmAfter(9);
  EXPECT_EQ(driver.Pending(CountKind::kExecs), 1U);
  EXPECT_EQ(driver.CountOf("prog", CountKind::kExecs), 0U);
  driver.ConfirmAfter(1);
  EXPECT_EQ(driver.Pending(CountKind::kExecs), 0U);
  EXPECT_EQ(driver.CountOf("prog", CountKind::kExecs), 1U);
  EXPECT_EQ(Attributed(driver, Attribution::kProc), 1U);
}

// sh -c 'exec sleep': /proc shows the second name before its EXEC is read.
TEST(NameResolverTest, ALookShortlyBeforeAnExecIsThrownAway) {
  LedgerDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.ReadNames("sleep");
  driver.PassTime(8);
  driver.Exec(200);
  EXPECT_EQ(driver.CountOf("sleep", CountKind::kExecs), 0U);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kExecs), 1U);
  EXPECT_EQ(driver.Pending(CountKind::kExecs), 1U);
}

TEST(NameResolverTest, ALookLongBeforeAnExecStands) {
  LedgerDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.ReadNames("sh2");
  driver.PassTime(10);
  driver.Exec(200);
  EXPECT_EQ(driver.CountOf("sh2", CountKind::kExecs), 1U);
}

TEST(NameResolverTest, AnExitAfterALookConfirmsIt) {
  LedgerDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.ReadNames("true");
  driver.Exit(200);
  EXPECT_EQ(driver.CountOf("true", CountKind::kExecs), 1U);
  EXPECT_EQ(driver.CountOf("true", CountKind::kSucceeded), 1U);
}

TEST(NameResolverTest, ALookAfterTheExitIsNone) {
  LedgerDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  const auto request = driver.ledger().reconciler().NextRequest();
  ASSERT_TRUE(request.has_value());
  ProcSnapshot late = driver.SnapshotOf(200, "another");
  late.taken_ns += 2 * LedgerDriver::kStep;
  driver.ledger().reconciler().ApplySnapshot(late, request->full);
  driver.Exit(200);  // one step after the EXEC, one before the look
  EXPECT_EQ(driver.CountOf("another", CountKind::kExecs), 0U);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kExecs), 1U);
}

TEST(NameResolverTest, ARenamingNamesWhatWaits) {
  LedgerDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.Rename(200, "nginx: worker");
  EXPECT_EQ(driver.CountOf("nginx: worker", CountKind::kExecs), 1U);
  EXPECT_EQ(Attributed(driver, Attribution::kCommEvent), 1U);
}

TEST(NameResolverTest, ARenamingOfAnotherThreadNamesNothing) {
  LedgerDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.RenameThread(201, 200, "helper");
  EXPECT_EQ(driver.Pending(CountKind::kExecs), 1U);
}

TEST(NameResolverTest, ChildrenWaitWithTheirParent) {
  LedgerDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.Fork(201, 200);
  driver.Exit(201);
  EXPECT_EQ(driver.Pending(CountKind::kForks), 1U);
  EXPECT_EQ(driver.Pending(CountKind::kSucceeded), 1U);
  EXPECT_EQ(driver.snapshot().exits.exit_codes.count(), 0U);
  driver.ReadNames("make");
  driver.ConfirmAfter(10);
  EXPECT_EQ(driver.CountOf("make", CountKind::kForks), 1U);
  EXPECT_EQ(driver.CountOf("make", CountKind::kSucceeded), 1U);
  EXPECT_EQ(driver.CountOf("make", CountKind::kWithoutExec), 1U);
  EXPECT_EQ(driver.snapshot().exits.exit_codes.count(), 1U);
}

TEST(NameResolverTest, AChildThatOutlivesItsNamelessParentIsLookedAtItself) {
  LedgerDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.Fork(201, 200);
  driver.Exit(200);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kExecs), 1U);
  driver.Fork(202, 201);
  EXPECT_EQ(driver.Pending(CountKind::kForks), 1U);
  driver.ReadNames("daemon");
  driver.ConfirmAfter(10);
  EXPECT_EQ(driver.CountOf("daemon", CountKind::kForks), 1U);
}

TEST(NameResolverTest, AfterALossNobodyIsCalledByAnOldName) {
  LedgerDriver driver;
  driver.Fork(200);
  driver.Rename(200, "old");
  driver.LoseEvents(1);  // its exec, perhaps
  driver.Fork(201, LedgerDriver::kShell);
  driver.Fork(202, 200);
  EXPECT_EQ(driver.CountOf("old", CountKind::kForks), 0U);
  EXPECT_EQ(driver.Pending(CountKind::kForks), 2U);
  driver.ReadNames("new");
  driver.ConfirmAfter(10);
  EXPECT_EQ(driver.CountOf("new", CountKind::kForks), 2U);
  EXPECT_EQ(driver.CountOf("old", CountKind::kForks), 0U);
}

TEST(NameResolverTest, ALookBeforeALossNamesNothing) {
  LedgerDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.ReadNames("prog");
  driver.LoseEvents(1);
  driver.Fork(201, LedgerDriver::kShell);  // shows the loss
  driver.ConfirmAfter(20);
  EXPECT_EQ(driver.CountOf("prog", CountKind::kExecs), 0U);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kExecs), 1U);
}

// What it did before it executed what /proc showed was still in the queue.
TEST(NameResolverTest, WhoIsFoundIsNotBelievedAtOnce) {
  LedgerDriver driver;
  ProcSnapshot snapshot = driver.SnapshotOf(500, "after");
  snapshot.taken_ns += 10 * LedgerDriver::kStep;
  driver.ledger().reconciler().AddFoundProcess(snapshot, ProcessFoundReason::kBootstrap);
  driver.Fork(501, 500);
  driver.Exec(500);
  EXPECT_EQ(driver.CountOf("after", CountKind::kForks), 0U);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kForks), 1U);
  driver.ReadNames("after");
  driver.ConfirmAfter(20);
  EXPECT_EQ(driver.CountOf("after", CountKind::kExecs), 1U);
}

TEST(NameResolverTest, WhoIsFoundIsBelievedWhenAllWasHeard) {
  LedgerDriver driver;
  driver.ledger().reconciler().AddFoundProcess(driver.SnapshotOf(500, "daemon"), ProcessFoundReason::kBootstrap);
  driver.PassTime(20);
  driver.Fork(501, 500);
  EXPECT_EQ(driver.Pending(CountKind::kForks), 1U);
  driver.ConfirmAll();
  EXPECT_EQ(driver.CountOf("daemon", CountKind::kForks), 1U);
}

// It is looked at again 20 ms later, 25 times in all; then it is a survey's.
TEST(NameResolverTest, WhoIsHeldIsNotBelievedAndSeenAgainSoon) {
  LedgerDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  ProcReconciler& reconciler = driver.ledger().reconciler();
  int reads = 0;
  while (const auto request = reconciler.NextRequest()) {
    ++reads;
    ProcSnapshot in_exec = driver.SnapshotOf(request->tgid, "not yet");
    in_exec.exec_in_progress = true;
    reconciler.ApplySnapshot(in_exec, request->full);
    driver.ConfirmAfter(19);
    EXPECT_FALSE(reconciler.NextRequest().has_value());
    EXPECT_EQ(reconciler.any_request(), reads <= 25);
    driver.ConfirmAfter(1);
  }
  EXPECT_EQ(reads, 26);
  EXPECT_EQ(driver.CountOf("not yet", CountKind::kExecs), 0U);
  EXPECT_EQ(driver.Pending(CountKind::kExecs), 1U);
  RowId cursor = 0;
  EXPECT_EQ(reconciler.NextStale(cursor, reconciler.end_of_rows()), 200);
}

// Found by an event, in_exec at the look and in the survey; then a COMM names it, and nobody would ask for it again.
TEST(NameResolverTest, WhoIsHeldWithMuchUnknownIsLeftToASurveyToo) {
  LedgerDriver driver;
  driver.Exec(200);
  ProcReconciler& reconciler = driver.ledger().reconciler();
  EXPECT_TRUE(reconciler.TakeAnyStale());
  ProcSnapshot in_exec = driver.SnapshotOf(reconciler.NextRequest()->tgid, "not yet");
  in_exec.exec_in_progress = true;
  reconciler.ApplySnapshot(in_exec, true);
  EXPECT_TRUE(reconciler.TakeAnyStale());
}

TEST(NameResolverTest, WhoIsHeldNoMoreIsNamed) {
  LedgerDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  ProcReconciler& reconciler = driver.ledger().reconciler();
  ProcSnapshot in_exec = driver.SnapshotOf(reconciler.NextRequest()->tgid, "not yet");
  in_exec.exec_in_progress = true;
  reconciler.ApplySnapshot(in_exec, false);
  driver.ConfirmAfter(20);
  driver.ReadNames("sleep");
  driver.ConfirmAfter(10);
  EXPECT_EQ(driver.CountOf("sleep", CountKind::kExecs), 1U);
}

TEST(NameResolverTest, ARenamingDoesNotNameWhatWasDoneBefore) {
  LedgerDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.Fork(201, 200);
  driver.Exit(201);
  driver.Rename(200, "worker");
  EXPECT_EQ(driver.CountOf("worker", CountKind::kExecs), 1U);
  EXPECT_EQ(driver.CountOf("worker", CountKind::kSucceeded), 0U);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kForks), 1U);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kSucceeded), 1U);
}

TEST(NameResolverTest, AnEmptyNameHasARowOfItsOwn) {
  LedgerDriver driver;
  driver.Fork(200);
  driver.Rename(200, "");
  driver.Exit(200);
  EXPECT_EQ(driver.CountOf("[processes without a name]", CountKind::kSucceeded), 1U);
}

TEST(NameResolverTest, MoreEndsThanCanWaitAreUnattributed) {
  constexpr std::uint64_t kEnds = 65'600;
  LedgerDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  for (std::uint64_t i = 0; i < kEnds; ++i) {
    driver.Fork(201, 200);
    driver.Exit(201);
  }
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kExecs), 1U);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kSucceeded) + driver.Pending(CountKind::kSucceeded), kEnds);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kForks) + driver.Pending(CountKind::kForks), kEnds);
}

}  // namespace
}  // namespace procevent
