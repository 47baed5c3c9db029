// Tests under which name events are recorded, and when.
#include "core/tracker/name_resolver.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/system.h"
#include "tests/core/tracker/processor_driver.h"

namespace procevent {
namespace {

std::uint64_t Attributed(const ProcessorDriver& driver, Attribution source) {
  return driver.snapshot().attributions.at(static_cast<std::size_t>(source));
}

TEST(NameResolverTest, HoldsCountsUntilTheSnapshotIsConfirmed) {
  ProcessorDriver driver;
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

// sh -c 'exec sleep': /proc shows the second name before its EXEC is received.
TEST(NameResolverTest, DiscardsSnapshotShortlyBeforeAnExec) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.ReadNames("sleep");
  driver.PassTime(8);
  driver.Exec(200);
  EXPECT_EQ(driver.CountOf("sleep", CountKind::kExecs), 0U);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kExecs), 1U);
  EXPECT_EQ(driver.Pending(CountKind::kExecs), 1U);
}

TEST(NameResolverTest, ConfirmsSnapshotLongBeforeAnExec) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.ReadNames("sh2");
  driver.PassTime(10);
  driver.Exec(200);
  EXPECT_EQ(driver.CountOf("sh2", CountKind::kExecs), 1U);
}

TEST(NameResolverTest, ConfirmsSnapshotByALaterExit) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.ReadNames("true");
  driver.Exit(200);
  EXPECT_EQ(driver.CountOf("true", CountKind::kExecs), 1U);
  EXPECT_EQ(driver.CountOf("true", CountKind::kSucceeded), 1U);
}

TEST(NameResolverTest, DiscardsSnapshotAfterTheExit) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  const auto request = driver.processor().reconciler().NextRequest();
  ASSERT_TRUE(request.has_value());
  ProcSnapshot late = driver.SnapshotOf(200, "another");
  late.taken_ns += 2 * ProcessorDriver::kStep;
  driver.processor().reconciler().ApplySnapshot(late, request->full);
  driver.Exit(200);  // one step after the EXEC, one before the snapshot
  EXPECT_EQ(driver.CountOf("another", CountKind::kExecs), 0U);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kExecs), 1U);
}

TEST(NameResolverTest, NamesPendingExecByCommEvent) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.Rename(200, "nginx: worker");
  EXPECT_EQ(driver.CountOf("nginx: worker", CountKind::kExecs), 1U);
  EXPECT_EQ(Attributed(driver, Attribution::kCommEvent), 1U);
}

TEST(NameResolverTest, IgnoresRenameOfAnotherThread) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.RenameThread(201, 200, "helper");
  EXPECT_EQ(driver.Pending(CountKind::kExecs), 1U);
}

TEST(NameResolverTest, CountsChildrenWithTheirUnnamedParent) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.Fork(201, 200);
  driver.Exit(201);
  EXPECT_EQ(driver.Pending(CountKind::kForks), 1U);
  EXPECT_EQ(driver.Pending(CountKind::kSucceeded), 1U);
  EXPECT_EQ(driver.snapshot().exits.exit_codes.count(), 1U) << "the histogram of the host counts at the event";
  driver.ReadNames("make");
  driver.ConfirmAfter(10);
  EXPECT_EQ(driver.CountOf("make", CountKind::kForks), 1U);
  EXPECT_EQ(driver.CountOf("make", CountKind::kSucceeded), 1U);
  EXPECT_EQ(driver.CountOf("make", CountKind::kWithoutExec), 1U);
  EXPECT_EQ(driver.snapshot().exits.exit_codes.count(), 1U);
}

TEST(NameResolverTest, ReadsTheNameOfAChildThatOutlivesItsUnnamedParent) {
  ProcessorDriver driver;
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

TEST(NameResolverTest, UsesNoOldNameAfterALoss) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Rename(200, "old");
  driver.LoseEvents(1);  // possibly its exec
  driver.Fork(201, ProcessorDriver::kShell);
  driver.Fork(202, 200);
  EXPECT_EQ(driver.CountOf("old", CountKind::kForks), 0U);
  EXPECT_EQ(driver.Pending(CountKind::kForks), 2U);
  driver.ReadNames("new");
  driver.ConfirmAfter(10);
  EXPECT_EQ(driver.CountOf("new", CountKind::kForks), 2U);
  EXPECT_EQ(driver.CountOf("old", CountKind::kForks), 0U);
}

TEST(NameResolverTest, DiscardsSnapshotBeforeALoss) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  driver.ReadNames("prog");
  driver.LoseEvents(1);
  driver.Fork(201, ProcessorDriver::kShell);  // its sequence number shows the loss
  driver.ConfirmAfter(20);
  EXPECT_EQ(driver.CountOf("prog", CountKind::kExecs), 0U);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kExecs), 1U);
}

// The events before the exec, whose name /proc showed, were still queued.
TEST(NameResolverTest, DoesNotUseTheNameOfAFoundProcessAtOnce) {
  ProcessorDriver driver;
  ProcSnapshot snapshot = driver.SnapshotOf(500, "after");
  snapshot.taken_ns += 10 * ProcessorDriver::kStep;
  driver.processor().reconciler().AddFoundProcess(snapshot, ProcessFoundReason::kBootstrap);
  driver.Fork(501, 500);
  driver.Exec(500);
  EXPECT_EQ(driver.CountOf("after", CountKind::kForks), 0U);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kForks), 1U);
  driver.ReadNames("after");
  driver.ConfirmAfter(20);
  EXPECT_EQ(driver.CountOf("after", CountKind::kExecs), 1U);
}

TEST(NameResolverTest, ConfirmsTheNameOfAFoundProcess) {
  ProcessorDriver driver;
  driver.processor().reconciler().AddFoundProcess(driver.SnapshotOf(500, "daemon"), ProcessFoundReason::kBootstrap);
  driver.PassTime(20);
  driver.Fork(501, 500);
  EXPECT_EQ(driver.Pending(CountKind::kForks), 1U);
  driver.ConfirmAll();
  EXPECT_EQ(driver.CountOf("daemon", CountKind::kForks), 1U);
}

// /proc is read again every 20 ms, at most 25 times, and then by a pass over the rows.
TEST(NameResolverTest, RetriesAProcessInTheMiddleOfAnExec) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  ProcReconciler& reconciler = driver.processor().reconciler();
  int reads = 0;
  while (const auto request = reconciler.NextRequest()) {
    ++reads;
    ProcSnapshot in_exec = driver.SnapshotOf(request->tgid, "not yet");
    in_exec.may_be_in_exec = true;
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

// The row was added by an event, so a COMM may name it soon. Without a request for a full snapshot, everything else
// would stay unknown.
TEST(NameResolverTest, RequestsSnapshotOfAnUncertainProcessInTheMiddleOfAnExec) {
  ProcessorDriver driver;
  driver.Exec(200);
  ProcReconciler& reconciler = driver.processor().reconciler();
  EXPECT_TRUE(reconciler.TakeAnyStale());
  ProcSnapshot in_exec = driver.SnapshotOf(reconciler.NextRequest()->tgid, "not yet");
  in_exec.may_be_in_exec = true;
  reconciler.ApplySnapshot(in_exec, true);
  EXPECT_TRUE(reconciler.TakeAnyStale());
}

TEST(NameResolverTest, NamesAProcessAfterARetry) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  ProcReconciler& reconciler = driver.processor().reconciler();
  ProcSnapshot in_exec = driver.SnapshotOf(reconciler.NextRequest()->tgid, "not yet");
  in_exec.may_be_in_exec = true;
  reconciler.ApplySnapshot(in_exec, false);
  driver.ConfirmAfter(20);
  driver.ReadNames("sleep");
  driver.ConfirmAfter(10);
  EXPECT_EQ(driver.CountOf("sleep", CountKind::kExecs), 1U);
}

TEST(NameResolverTest, DoesNotNameEarlierEventsByCommEvent) {
  ProcessorDriver driver;
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

TEST(NameResolverTest, CountsEmptyNamesInTheirReservedGroup) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Rename(200, "");
  driver.Exit(200);
  EXPECT_EQ(driver.CountOf("[processes without a name]", CountKind::kSucceeded), 1U);
}

TEST(NameResolverTest, RecordsExitsBeyondTheLimitAsUnattributed) {
  constexpr std::uint64_t kExits = 65'600;
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  for (std::uint64_t i = 0; i < kExits; ++i) {
    driver.Fork(201, 200);
    driver.Exit(201);
  }
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kExecs), 1U);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kSucceeded) + driver.Pending(CountKind::kSucceeded), kExits);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kForks) + driver.Pending(CountKind::kForks), kExits);
}

// A table and a resolver without event applier. The activities are not received.
class ResolverOfManyNamesTest : public testing::Test {
 protected:
  static constexpr int kNames = 10'000;
  static constexpr std::size_t kMaxAttributes = 4200;  // a little more than the unused ones that the table keeps

  struct NoSink {
    void OnActivity(const Activity& /*activity*/) const {}
  };
  static CommName NameOf(int number) { return CommName("n" + std::to_string(number)); }

  ProcessRows table_{2};
  NoSink sink_;
  NameResolver resolver_{table_, ActivitySink(sink_)};
};

TEST_F(ResolverOfManyNamesTest, ReleasesTheNamesBeforeARename) {
  const RowId id = table_.Insert(7);
  resolver_.MarkCurrent(id);
  for (int i = 0; i < kNames; ++i) {
    resolver_.OnRename(id, NameOf(i), kNanosPerSecond);
  }
  EXPECT_LT(table_.attributes().size(), kMaxAttributes);
}

TEST_F(ResolverOfManyNamesTest, ReleasesTheNamesOfPendingCounts) {
  const RowId id = table_.Insert(7);
  resolver_.MarkCurrent(id);
  for (int i = 0; i < kNames; ++i) {
    resolver_.OnExec(id, kNanosPerSecond);
    resolver_.Emit(id, CountKind::kExecs, kNanosPerSecond);
    resolver_.ConfirmName(id, NameOf(i));
  }
  EXPECT_EQ(resolver_.attributions().at(static_cast<std::size_t>(Attribution::kProc)), std::uint64_t{kNames});
  EXPECT_LT(table_.attributes().size(), kMaxAttributes);
}

TEST_F(ResolverOfManyNamesTest, ReleasesTheNamesOfEndedProcesses) {
  for (int i = 0; i < kNames; ++i) {
    const RowId id = table_.Insert(7);
    resolver_.MarkCurrent(id);
    resolver_.OnRename(id, NameOf(i), kNanosPerSecond);
    table_.Erase(id);
  }
  EXPECT_LT(table_.attributes().size(), kMaxAttributes);
}

}  // namespace
}  // namespace procevent
