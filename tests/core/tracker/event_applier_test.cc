// Tests how processes and threads are followed, on sequences of events that kernels have sent.
#include "core/tracker/event_applier.h"

#include <gtest/gtest.h>

#include "tests/core/tracker/processor_driver.h"

namespace procevent {
namespace {

constexpr std::uint32_t Status(std::uint32_t status) { return status << 8U; }

std::uint64_t DroppedAs(const ProcessorDriver& driver, ProcessDropReason reason) {
  return driver.snapshot().dropped.at(static_cast<std::size_t>(reason));
}

TEST(EventApplierTest, CountsAForkForTheParentAndEndsWithTheExit) {
  ProcessorDriver driver;
  driver.Fork(200);
  EXPECT_EQ(driver.snapshot().processes, 2U);
  driver.Exit(200, Status(3));
  EXPECT_EQ(driver.snapshot().processes, 1U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kForks), 1U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kFailed), 1U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kWithoutExec), 1U);
  EXPECT_EQ(driver.ExitsBy({.killed = false, .number = 3}), 1U);
  EXPECT_EQ(driver.snapshot().exits.lifetimes.sum(), ProcessorDriver::kStep);
}

TEST(EventApplierTest, CountsAThreadForItsProcessWhateverTheParent) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Rename(200, "server");
  driver.StartThread(201, 200);
  EXPECT_EQ(driver.snapshot().threads, 3U);
  driver.ExitThread(201, 200);
  EXPECT_EQ(driver.CountOf("server", CountKind::kThreadsStarted), 1U);
  EXPECT_EQ(driver.CountOf("server", CountKind::kThreadsEnded), 1U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kThreadsStarted), 0U);
  EXPECT_EQ(driver.snapshot().processes, 2U);
}

TEST(EventApplierTest, KeepsAProcessWhoseLeaderExitsFirst) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.StartThread(201, 200);
  driver.Exit(200);  // pthread_exit: status 0
  EXPECT_EQ(driver.snapshot().processes, 2U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kThreadsEnded), 1U);
  driver.ExitThread(201, 200, Status(7));  // exit(7)
  EXPECT_EQ(driver.snapshot().processes, 1U);
  EXPECT_EQ(driver.ExitsBy({.killed = false, .number = 7}), 1U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kFailed), 1U);
}

// exit(3) while threads end on their own: the last EXIT may have status 0.
TEST(EventApplierTest, UsesTheNonZeroStatusAmongItsThreads) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.StartThread(201, 200);
  driver.StartThread(202, 200);
  driver.ExitThread(201, 200, Status(3));
  driver.Exit(200, Status(3));
  driver.ExitThread(202, 200);
  EXPECT_EQ(driver.ExitsBy({.killed = false, .number = 3}), 1U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kFailed), 1U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kSucceeded), 0U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kThreadsEnded), 2U);
}

// There is no EXIT with the pid of the thread that executes; the leader's pid exits twice.
TEST(EventApplierTest, KeepsOneThreadAfterAnExecByAnotherThread) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.StartThread(201, 200);
  driver.StartThread(202, 200);
  driver.ExitThread(202, 200);
  driver.Exit(200, Status(9));
  driver.ExecNamed(200, "prog");
  EXPECT_EQ(driver.snapshot().threads, 2U);
  driver.Exit(200);
  EXPECT_EQ(driver.snapshot().processes, 1U);
  EXPECT_EQ(driver.CountOf("prog", CountKind::kSucceeded), 1U);  // not the status from before the exec
  EXPECT_EQ(driver.CountOf("prog", CountKind::kWithoutExec), 0U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kThreadsEnded), 2U);
}

TEST(EventApplierTest, IgnoresThreadExitsAfterTheExec) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.StartThread(201, 200);
  driver.ExecNamed(200, "prog");
  driver.ExitThread(201, 200);  // late
  EXPECT_EQ(driver.snapshot().processes, 2U);
  EXPECT_EQ(driver.snapshot().threads, 2U);
  driver.Exit(200);
  EXPECT_EQ(driver.snapshot().processes, 1U);
}

TEST(EventApplierTest, CountsASignalAsKilled) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Emit(CoredumpBody{ProcessorDriver::Leader(200), ProcessorDriver::Leader(ProcessorDriver::kShell)});
  driver.Exit(200, 11U | 0x80U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kKilled), 1U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kCoredumps), 1U);
  EXPECT_EQ(driver.ExitsBy({.killed = true, .number = 11}), 1U);
  EXPECT_EQ(driver.snapshot().exits.exit_codes.sum(), 128U + 11U);
}

TEST(EventApplierTest, CountsCloneParentForTheNamedParent) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Rename(200, "middle");
  driver.Fork(201, ProcessorDriver::kShell);  // made by 200, with CLONE_PARENT
  EXPECT_EQ(driver.CountOf("sh", CountKind::kForks), 2U);
  EXPECT_EQ(driver.CountOf("middle", CountKind::kForks), 0U);
}

TEST(EventApplierTest, DoesNotKnowTheNameOfAThreadsChild) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Rename(200, "server");
  driver.StartThread(201, 200);
  driver.RenameThread(201, 200, "worker");
  driver.Emit(ForkBody{{201, 200}, ProcessorDriver::Leader(300)});
  EXPECT_EQ(driver.CountOf("server", CountKind::kForks), 1U);
  driver.Exit(300, Status(1));
  EXPECT_EQ(driver.CountOf("server", CountKind::kFailed), 0U);
  EXPECT_EQ(driver.CountOf(kUnattributedLabel, CountKind::kFailed), 1U);
}

TEST(EventApplierTest, RequestsTheNameOfAThreadsChildAtOnce) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.StartThread(201, 200);
  driver.Emit(ForkBody{{201, 200}, ProcessorDriver::Leader(300)});
  driver.ReadNames("worker");
  driver.Exit(300, Status(1));
  EXPECT_EQ(driver.CountOf("worker", CountKind::kFailed), 1U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kFailed), 0U);
}

TEST(EventApplierTest, DoesNotNameKernelThreadsAfterKthreadd) {
  ProcessorDriver driver;
  driver.processor().reconciler().AddFoundProcess(driver.SnapshotOf(2, "kthreadd"), ProcessFoundReason::kBootstrap);
  driver.PassTime(20);
  driver.Fork(300, 2);
  driver.ConfirmAll();
  driver.Fork(301, 300);
  EXPECT_EQ(driver.CountOf("kthreadd", CountKind::kForks), 1U);
  EXPECT_EQ(driver.Pending(CountKind::kForks), 1U);
  driver.ReadNames("kworker/0:1-ev");
  driver.ConfirmAfter(20);
  EXPECT_EQ(driver.CountOf("kworker", CountKind::kForks), 1U);
  driver.Exit(300);
  EXPECT_EQ(driver.snapshot().exits.lifetimes.count(), 1U);
}

TEST(EventApplierTest, AddsARowWithTheFirstEvent) {
  ProcessorDriver driver;
  driver.Fork(901, 900);
  EXPECT_EQ(driver.snapshot().processes, 3U);
  EXPECT_EQ(driver.snapshot().found.at(static_cast<std::size_t>(ProcessFoundReason::kEvent)), 1U);
  EXPECT_EQ(driver.Pending(CountKind::kForks), 1U);
}

TEST(EventApplierTest, CountsAnExitWithoutARowAsUntracked) {
  ProcessorDriver driver;
  driver.Exit(900, Status(2));
  driver.ExitThread(902, 901);
  EXPECT_EQ(driver.CountOf(kUntrackedLabel, CountKind::kFailed), 1U);
  EXPECT_EQ(driver.CountOf(kUntrackedLabel, CountKind::kThreadsEnded), 1U);
  EXPECT_EQ(driver.snapshot().processes, 1U);
}

// It exited while /proc was read, before the time of the snapshot.
TEST(EventApplierTest, EndsALeaderThatASnapshotShowedAlive) {
  ProcessorDriver driver;
  ProcSnapshot snapshot = driver.SnapshotOf(500, "brief");
  snapshot.taken_ns += 5 * ProcessorDriver::kStep;
  driver.processor().reconciler().AddFoundProcess(snapshot, ProcessFoundReason::kReconciliation);
  driver.Exit(500, Status(7));
  EXPECT_EQ(driver.ExitsBy({.killed = false, .number = 7}), 1U);
  EXPECT_EQ(driver.snapshot().processes, 1U);
}

// A pass read /proc between its start and its exit; all its events were received after that.
TEST(EventApplierTest, EndsAProcessFoundBeforeItsForkWithItsLastThread) {
  ProcessorDriver driver;
  ProcSnapshot snapshot = driver.SnapshotOf(200, "sh", 2);
  snapshot.taken_ns += 5 * ProcessorDriver::kStep;
  driver.processor().reconciler().AddFoundProcess(snapshot, ProcessFoundReason::kReconciliation);
  driver.Fork(200);
  driver.StartThread(201, 200);
  driver.StartThread(202, 200);
  driver.StartThread(203, 200);
  driver.ExitThread(201, 200);
  driver.Exit(200, Status(7));
  driver.ExitThread(202, 200);
  EXPECT_EQ(driver.snapshot().processes, 2U);
  driver.ExitThread(203, 200);
  EXPECT_EQ(driver.snapshot().processes, 1U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kThreadsEnded), 3U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kFailed), 1U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kWithoutExec), 1U);
  EXPECT_EQ(driver.ExitsBy({.killed = false, .number = 7}), 1U);
  EXPECT_EQ(DroppedAs(driver, ProcessDropReason::kReplaced), 0U);
}

// The snapshot marks an exec in progress, as for a process in state D that waits for a vfork.
TEST(EventApplierTest, KeepsTheStateAfterASnapshotWithoutAReliableName) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Exec(200);
  ProcSnapshot in_exec = driver.SnapshotOf(200, "sleep");
  in_exec.may_be_in_exec = true;
  driver.processor().reconciler().ApplySnapshot(in_exec, false);
  driver.Exit(200);
  EXPECT_EQ(driver.snapshot().exits.lifetimes.count(), 1U);
}

TEST(EventApplierTest, KeepsNewerEventsOverOlderSnapshots) {
  ProcessorDriver driver;
  driver.processor().reconciler().ApplySnapshot(driver.SnapshotOf(ProcessorDriver::kShell, "sh"), true);
  driver.ConfirmAfter(20);
  driver.processor().reconciler().ApplySnapshot(driver.SnapshotOf(ProcessorDriver::kShell, "sh"), true);
  driver.Emit(UidBody{ProcessorDriver::Leader(ProcessorDriver::kShell), 1000, 1000});
  driver.ConfirmAfter(20);
  driver.Fork(200);
  driver.processor().reconciler().ApplySnapshot(driver.SnapshotOf(ProcessorDriver::kShell, "sh"), true);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kUidLeftRoot), 1U);
  driver.Emit(UidBody{ProcessorDriver::Leader(200), 0, 0});
  EXPECT_EQ(driver.CountOf("sh", CountKind::kUidGainedRoot) + driver.CountOf("sh", CountKind::kUidOther), 1U);
}

TEST(EventApplierTest, ReplacesARowWhenItsPidIsReused) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Rename(200, "first");
  driver.Fork(200);
  EXPECT_EQ(DroppedAs(driver, ProcessDropReason::kReplaced), 1U);
  driver.Exit(200);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kSucceeded), 1U);
  EXPECT_EQ(driver.CountOf("first", CountKind::kSucceeded), 0U);
  EXPECT_EQ(driver.snapshot().exits.lifetimes.sum(), ProcessorDriver::kStep);
}

TEST(EventApplierTest, EvictsTheOldestRow) {
  ProcessorDriver driver({.process_limit = 4});
  for (std::int32_t child = 200; child < 206; ++child) {
    driver.Fork(child, 199);
  }
  EXPECT_GE(driver.snapshot().processes, 3U);
  EXPECT_LE(driver.snapshot().processes, 4U);
  EXPECT_GE(DroppedAs(driver, ProcessDropReason::kEvicted), 1U);
  driver.Exit(200);
  EXPECT_EQ(driver.CountOf(kUntrackedLabel, CountKind::kSucceeded), 1U);
}

TEST(EventApplierTest, ComparesTheCredentialsOfTheLeader) {
  ProcessorDriver driver;
  driver.processor().reconciler().ApplySnapshot(driver.SnapshotOf(ProcessorDriver::kShell, "sh"), true);
  driver.ConfirmAfter(20);
  driver.Fork(200);
  driver.Emit(UidBody{ProcessorDriver::Leader(200), 1000, 1000});
  driver.Emit(UidBody{ProcessorDriver::Leader(200), 1000, 0});
  driver.Emit(UidBody{ProcessorDriver::Leader(200), 0, 0});
  driver.Emit(UidBody{{201, 200}, 1000, 1000});
  driver.Emit(GidBody{ProcessorDriver::Leader(200), 5, 5});
  EXPECT_EQ(driver.CountOf("sh", CountKind::kUidLeftRoot), 1U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kUidGainedRoot), 1U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kUidOther), 2U);
  EXPECT_EQ(driver.CountOf("sh", CountKind::kGidLeftRoot), 1U);
}

TEST(EventApplierTest, CountsADetachmentForTheLastTracer) {
  ProcessorDriver driver;
  driver.Fork(200);
  driver.Rename(200, "gdb");
  driver.Fork(201);
  driver.Emit(PtraceBody{ProcessorDriver::Leader(201), ProcessorDriver::Leader(200)});
  driver.Emit(PtraceBody{ProcessorDriver::Leader(201), {}});
  driver.Emit(PtraceBody{ProcessorDriver::Leader(201), {}});
  EXPECT_EQ(driver.CountOf("gdb", CountKind::kAttached), 1U);
  EXPECT_EQ(driver.CountOf("gdb", CountKind::kDetached), 1U);
  EXPECT_EQ(driver.CountOf(kUntrackedLabel, CountKind::kDetached), 1U);
}

TEST(EventApplierTest, TracksNothingWithAPartialMask) {
  ProcessorDriver driver({}, EventCoverage::kPartial);
  driver.Fork(200);
  driver.Exec(200);
  driver.Exit(200);
  driver.Rename(200, "x");
  EXPECT_EQ(driver.CountOf(kUntrackedLabel, CountKind::kForks), 1U);
  EXPECT_EQ(driver.CountOf(kUntrackedLabel, CountKind::kExecs), 1U);
  EXPECT_EQ(driver.CountOf(kUntrackedLabel, CountKind::kSucceeded), 1U);
  EXPECT_EQ(driver.snapshot().processes, 0U);
  EXPECT_FALSE(driver.snapshot().processes_tracked);
}

}  // namespace
}  // namespace procevent
