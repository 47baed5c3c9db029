// How real processes start, run threads and exit, compared with what waitpid reports.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>

#include "process_tracker_fixture.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

class ProcessTrackerLiveTest : public ProcessTrackerFixture {
 protected:
  void SetUp() override {
    ProcessTrackerFixture::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) {
      Start();
    }
  }

  static int ExitStatus(int wait_status) { return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1; }
};

// The EXITs of the other threads may come after the EXEC. Then they belong to the new program. Before it has its name
// they are unattributed, and after its exit they are untracked.
TEST_F(ProcessTrackerLiveTest, CountsExecFromAThreadAsOneProcessWithOneExit) {
  constexpr std::uint64_t kRuns = 60;
  const std::string before = Name("exth");
  const std::string after = Name("exnew");
  const Snapshot start = TakeSnapshot();
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    const int status = run % 2 == 0 ? 51 : 0;
    ASSERT_EQ(ExitStatus(StartWorkload({before, "exec_from_thread", after, std::to_string(status)})->Wait()), status);
  }
  const auto ended = [](const Snapshot& it, std::string_view name) {
    return CountsOf(it, name)[CountKind::kThreadsEnded];
  };
  const auto attributed = [&](const Snapshot& it) { return ended(it, before) + ended(it, after); };
  const auto unattributed = [&](const Snapshot& it) {
    return ended(it, kUnattributedName) + ended(it, kUntrackedName) - ended(start, kUnattributedName) -
           ended(start, kUntrackedName);
  };
  AwaitExits(after, kRuns);
  const Snapshot snapshot = Await([&](const Snapshot& it) { return attributed(it) + unattributed(it) >= 5 * kRuns; });
  const Counts threaded = CountsOf(snapshot, before);
  const Counts executed = CountsOf(snapshot, after);
  EXPECT_EQ(threaded[CountKind::kExecs], kRuns);
  EXPECT_EQ(threaded[CountKind::kThreadsStarted], 5 * kRuns);
  EXPECT_EQ(threaded[CountKind::kSucceeded] + threaded[CountKind::kFailed] + threaded[CountKind::kKilled], 0U);
  EXPECT_EQ(executed[CountKind::kExecs], kRuns);
  EXPECT_EQ(executed[CountKind::kThreadsStarted], 0U);
  EXPECT_EQ(ExitCount(snapshot, after, 51), kRuns / 2);
  EXPECT_EQ(ExitCount(snapshot, after, 0), kRuns / 2);
  EXPECT_LE(attributed(snapshot), 5 * kRuns);
  // Including the leaders' EXITs, because a thread takes their place.
  EXPECT_GE(attributed(snapshot) + unattributed(snapshot), 5 * kRuns);
  std::cout << ended(snapshot, after) << " threads ended after the exec, " << unattributed(snapshot)
            << " unattributed\n";
}

// A thread that is preempted within its exit emits its EXIT after that of the process, whose status is then the
// status of that thread. Up to 6 of 2000 processes were seen beside busy CPUs.
constexpr std::uint64_t kWrongStatusesAtMost = 10;

TEST_F(ProcessTrackerLiveTest, DoesNotCountALeadersExitBeforeItsThreadsAsAnExit) {
  const std::string name = Name("leader");
  auto workload = StartWorkload({name, "leader_gone", "7"});
  const Snapshot midway = Await([&](const Snapshot& it) { return CountsOf(it, name)[CountKind::kThreadsEnded] > 0; });
  EXPECT_EQ(CountsOf(midway, name)[CountKind::kThreadsEnded], 1U);
  EXPECT_EQ(ExitStatus(workload->Wait()), 7);
  const Snapshot snapshot = AwaitExits(name, 1);
  const Counts counts = CountsOf(snapshot, name);
  EXPECT_EQ(counts[CountKind::kThreadsStarted], 1U);
  EXPECT_EQ(counts[CountKind::kThreadsEnded], 1U);
  EXPECT_EQ(counts[CountKind::kFailed], 1U);
  EXPECT_EQ(counts[CountKind::kSucceeded], 0U);
  EXPECT_EQ(ExitCount(snapshot, name, 7), 1U);
}

TEST_F(ProcessTrackerLiveTest, KeepsTheStatusOfAnExitThatRacesWithItsThreads) {
  const std::string name = Name("race");
  const auto workload = RunWorkload({name, "exit_race", "3000", "8", "53"});
  ASSERT_EQ(workload->reported("ended"), 1500U);
  ASSERT_EQ(workload->reported("succeeded"), 1500U);
  const Snapshot snapshot = AwaitExits(name, 3001);
  const Counts counts = CountsOf(snapshot, name);
  EXPECT_EQ(counts[CountKind::kForks], 3000U);
  EXPECT_EQ(counts[CountKind::kThreadsStarted], 24'000U);
  EXPECT_EQ(counts[CountKind::kThreadsEnded], 24'000U);
  EXPECT_GE(ExitCount(snapshot, name, 53), 1500U - kWrongStatusesAtMost);
  EXPECT_EQ(ExitCount(snapshot, name, 53) + ExitCount(snapshot, name, 0), 3001U);  // and the workload
  EXPECT_EQ(counts[CountKind::kWithoutExec], 3000U);
}

// A thread or the leader ends with a status of its own, and the process ends with 0 later. The parameter is a kind of
// tests/live/workload_exit_kinds.h.
class EarlierExitLiveTest : public ProcessTrackerLiveTest, public testing::WithParamInterface<std::string> {};

TEST_P(EarlierExitLiveTest, IsNotTheStatusOfTheProcess) {
  const std::string name = Name("early");
  const auto workload = RunWorkload({name, "exit_status", GetParam(), "1000"});
  ASSERT_EQ(workload->reported("status_0"), 1000U) << "as waitpid says";
  const Snapshot snapshot = AwaitExits(name, 1001);
  const Counts counts = CountsOf(snapshot, name);
  EXPECT_EQ(counts[CountKind::kThreadsEnded], 1000U);
  EXPECT_EQ(counts[CountKind::kSucceeded] + counts[CountKind::kFailed] + counts[CountKind::kKilled], 1001U);
  EXPECT_GE(counts[CountKind::kSucceeded], 1001U - kWrongStatusesAtMost);  // and the workload
}

INSTANTIATE_TEST_SUITE_P(Kinds, EarlierExitLiveTest,
                         testing::Values("thread_exit", "thread_joined", "thread_killed", "leader_exit"),
                         [](const auto& kind) { return kind.param; });

TEST_F(ProcessTrackerLiveTest, CountsAutoreapedChildren) {
  const std::string name = Name("reaped");
  RunWorkload({name, "autoreaped", "500", "54"});
  const Snapshot snapshot = AwaitExits(name, 501);
  EXPECT_EQ(CountsOf(snapshot, name)[CountKind::kForks], 500U);
  EXPECT_EQ(ExitCount(snapshot, name, 54), 500U);
  EXPECT_EQ(ExitCount(snapshot, name, 0), 1U);
}

TEST_F(ProcessTrackerLiveTest, CountsClonedSiblingsAsForksOfTheGrandparent) {
  const std::string grandparent = Name("grand");
  const std::string parent = Name("sibl");
  RunWorkload({grandparent, "clone_parent", parent});
  const auto exits = [&](const Snapshot& it) {
    return CountsOf(it, grandparent)[CountKind::kSucceeded] + CountsOf(it, parent)[CountKind::kSucceeded];
  };
  const Snapshot snapshot = Await([&](const Snapshot& it) { return exits(it) >= 3; });
  EXPECT_EQ(CountsOf(snapshot, grandparent)[CountKind::kForks], 2U);
  EXPECT_EQ(CountsOf(snapshot, parent)[CountKind::kForks], 0U);
  // The sibling has the name of its creator, but goes by that of the grandparent: the kernel does not report the
  // creator.
  EXPECT_EQ(CountsOf(snapshot, grandparent)[CountKind::kSucceeded], 2U);
  EXPECT_EQ(CountsOf(snapshot, parent)[CountKind::kSucceeded], 1U);
}

TEST_F(ProcessTrackerLiveTest, TracksKernelThreads) {
  const Snapshot before = TakeSnapshot();
  const std::string name = Name("kthr");
  if (StartWorkload({name, "kernel_thread", directory_})->Wait() != 0) {
    GTEST_SKIP() << "/dev/net/tun is missing, so the kernel cannot be made to start a thread";
  }
  const auto grown = [&](const Snapshot& it, std::string_view comm, CountKind kind) {
    return CountsOf(it, comm)[kind] - CountsOf(before, comm)[kind];
  };
  // The thread exits when its network namespace is removed. A kernel thread changes its name without an event.
  const auto ended = [&](const Snapshot& it) {
    return grown(it, "napi/petest-0", CountKind::kSucceeded) + grown(it, kUnattributedName, CountKind::kSucceeded);
  };
  const Snapshot snapshot = Await([&](const Snapshot& it) { return ended(it) > 0; });
  EXPECT_GE(grown(snapshot, "kthreadd", CountKind::kForks), 1U);  // known by name from the bootstrap
  EXPECT_EQ(grown(snapshot, "kthreadd", CountKind::kExecs), 0U);
  EXPECT_EQ(grown(snapshot, "kthreadd", CountKind::kSucceeded), 0U);
  EXPECT_GE(ended(snapshot), 1U);
  EXPECT_EQ(CountsOf(snapshot, name)[CountKind::kForks], 0U);
}

// Each number of the storm is compared with what waitpid reported to the workload.
TEST_F(ProcessTrackerLiveTest, CountsAStormExactly) {
  const std::string name = Name("storm");
  const std::string program = Name("prog");
  const auto start = std::chrono::steady_clock::now();
  const Snapshot before = TakeSnapshot();
  const auto workload = RunWorkload({name, "storm", program});
  const std::chrono::nanoseconds duration = std::chrono::steady_clock::now() - start;
  const std::uint64_t forks = workload->reported("forks");
  ASSERT_EQ(forks, 1360U);
  const Snapshot snapshot = AwaitExits(name, forks + 1);
  const Counts counts = CountsOf(snapshot, name);
  EXPECT_EQ(counts[CountKind::kForks], forks + 300);
  EXPECT_EQ(counts[CountKind::kExecs], 1U);
  EXPECT_EQ(counts[CountKind::kWithoutExec], forks);
  EXPECT_EQ(counts[CountKind::kThreadsStarted], 400U);
  EXPECT_EQ(counts[CountKind::kThreadsEnded], 400U);
  for (const unsigned status : {61U, 62U, 255U}) {
    EXPECT_EQ(ExitCount(snapshot, name, status), workload->reported("status_" + std::to_string(status))) << status;
  }
  EXPECT_EQ(ExitCount(snapshot, name, 0), workload->reported("status_0") + 1);
  for (const unsigned signal : {6U, 9U, 11U, 15U}) {
    const std::uint64_t expected = workload->reported("signal_" + std::to_string(signal));
    EXPECT_GT(expected, 0U) << signal;
    EXPECT_EQ(ExitCount(snapshot, name, 128 + signal), expected) << signal;
    EXPECT_EQ(ExitReasonCountOf(snapshot, name, {.killed = true, .number = static_cast<std::uint8_t>(signal)}),
              expected)
        << signal;
  }
  EXPECT_EQ(counts[CountKind::kSucceeded], workload->reported("status_0") + 1);
  EXPECT_EQ(counts[CountKind::kFailed],
            workload->reported("status_61") + workload->reported("status_62") + workload->reported("status_255"));
  EXPECT_EQ(counts[CountKind::kKilled], 300U);
  EXPECT_EQ(counts[CountKind::kCoredumps], workload->reported("core_dumped"));
  EXPECT_EQ(counts[CountKind::kCoredumps], 140U);
  const Histogram& lifetimes = RowOf(snapshot, name)->lifetimes;
  EXPECT_EQ(lifetimes.count(), forks + 1);
  EXPECT_GE(lifetimes.sum(), 20 * 30'000'000U);
  // The workload, and its children one after the other.
  EXPECT_LE(lifetimes.sum(), 2 * static_cast<std::uint64_t>(duration.count()));

  // The programs rename themselves. One that was delayed before that is attributed to the name of its file.
  const Snapshot after = AwaitExits(program, 300);
  const Counts programs = CountsOf(after, program);
  const std::uint64_t delayed = CountsOf(after, "exe")[CountKind::kExecs] - CountsOf(before, "exe")[CountKind::kExecs];
  EXPECT_EQ(programs[CountKind::kExecs] + delayed, 300U);
  EXPECT_LE(delayed, 30U) << "few are delayed for 10 ms";
  EXPECT_EQ(programs[CountKind::kFailed], 300U);
  EXPECT_EQ(programs[CountKind::kWithoutExec], 0U);
  EXPECT_EQ(ExitCount(TakeSnapshot(), program, 63), 300U);
}

// The users of processes found by bootstrap are unknown at first, and so is the first change of their children.
TEST_F(ProcessTrackerLiveTest, CountsGainingAndLeavingRoot) {
  int exact_rounds = 0;
  for (int round = 0; round < 150 && exact_rounds < 5; ++round) {  // a stale row may have to wait 10 s for its pass
    std::this_thread::sleep_for(100ms);
    const std::string name = Name("cred" + std::to_string(round));
    RunWorkload({name, "credentials"});
    const Counts counts = CountsOf(AwaitExits(name, 1), name);
    const std::uint64_t first = exact_rounds == 0 ? counts[CountKind::kUidOther] : 0;
    EXPECT_LE(first, 1U);
    EXPECT_EQ(counts[CountKind::kUidOther], first);
    EXPECT_EQ(counts[CountKind::kGidOther], first);
    EXPECT_EQ(counts[CountKind::kUidLeftRoot], 2U - first);
    EXPECT_EQ(counts[CountKind::kGidLeftRoot], 2U - first);
    EXPECT_EQ(counts[CountKind::kUidGainedRoot], 1U);
    EXPECT_EQ(counts[CountKind::kGidGainedRoot], 1U);
    exact_rounds += first == 0 ? 1 : 0;
  }
  EXPECT_EQ(exact_rounds, 5);
}

TEST_F(ProcessTrackerLiveTest, CountsPtraceForTheTracer) {
  const std::string tracer = Name("tracer");
  const std::string traced = Name("traced");
  RunWorkload({tracer, "trace", traced});
  const Snapshot snapshot = AwaitExits(tracer, 1);
  EXPECT_EQ(CountsOf(snapshot, tracer)[CountKind::kAttached], 3U);
  EXPECT_EQ(CountsOf(snapshot, tracer)[CountKind::kDetached], 3U);
  EXPECT_EQ(CountsOf(snapshot, traced)[CountKind::kAttached], 0U);
  EXPECT_EQ(CountsOf(snapshot, traced)[CountKind::kDetached], 0U);
  EXPECT_EQ(ExitCount(snapshot, traced, 137), 1U);
}

}  // namespace
}  // namespace procevent
