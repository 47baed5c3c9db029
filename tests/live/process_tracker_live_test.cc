// How real processes begin, run in threads and end, held against what waitpid says.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
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

  static int Exited(int wait_status) { return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1; }
};

// The other threads' EXITs may come after the EXEC, and then are the new program's; before it took its name they are
// nobody's, and after its end they are of one who is not tracked.
TEST_F(ProcessTrackerLiveTest, ExecFromAThreadIsOneProcessWithOneEnd) {
  constexpr std::uint64_t kRuns = 60;
  const std::string before = Name("exth");
  const std::string after = Name("exnew");
  const Snapshot start = TakeSnapshot();
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    const int status = run % 2 == 0 ? 51 : 0;
    ASSERT_EQ(Exited(StartWorkload({before, "exec_from_thread", after, std::to_string(status)})->Wait()), status);
  }
  const auto ended = [](const Snapshot& it, std::string_view name) {
    return CountsOf(it, name)[CountKind::kThreadsEnded];
  };
  const auto own = [&](const Snapshot& it) { return ended(it, before) + ended(it, after); };
  const auto nobodys = [&](const Snapshot& it) {
    return ended(it, kUnattributedName) + ended(it, kUntrackedName) - ended(start, kUnattributedName) -
           ended(start, kUntrackedName);
  };
  AwaitExits(after, kRuns);
  const Snapshot snapshot = Await([&](const Snapshot& it) { return own(it) + nobodys(it) >= 5 * kRuns; });
  const Counts threaded = CountsOf(snapshot, before);
  const Counts fresh = CountsOf(snapshot, after);
  EXPECT_EQ(threaded[CountKind::kExecs], kRuns);
  EXPECT_EQ(threaded[CountKind::kThreadsStarted], 5 * kRuns);
  EXPECT_EQ(threaded[CountKind::kSucceeded] + threaded[CountKind::kFailed] + threaded[CountKind::kKilled], 0U);
  EXPECT_EQ(fresh[CountKind::kExecs], kRuns);
  EXPECT_EQ(fresh[CountKind::kThreadsStarted], 0U);
  EXPECT_EQ(ExitCount(snapshot, after, 51), kRuns / 2);
  EXPECT_EQ(ExitCount(snapshot, after, 0), kRuns / 2);
  EXPECT_LE(own(snapshot), 5 * kRuns);
  EXPECT_GE(own(snapshot) + nobodys(snapshot), 5 * kRuns);  // the leaders' EXITs too, for a thread takes their place
  std::cout << ended(snapshot, after) << " threads ended after the exec, " << nobodys(snapshot) << " as nobody's\n";
}

TEST_F(ProcessTrackerLiveTest, ALeaderGoneBeforeTheOthersIsNoEnd) {
  const std::string name = Name("leader");
  auto workload = StartWorkload({name, "leader_gone", "7"});
  const Snapshot midway = Await([&](const Snapshot& it) { return CountsOf(it, name)[CountKind::kThreadsEnded] > 0; });
  EXPECT_EQ(CountsOf(midway, name)[CountKind::kThreadsEnded], 1U);
  EXPECT_EQ(Exited(workload->Wait()), 7);
  const Snapshot snapshot = AwaitExits(name, 1);
  const Counts tally = CountsOf(snapshot, name);
  EXPECT_EQ(tally[CountKind::kThreadsStarted], 1U);
  EXPECT_EQ(tally[CountKind::kThreadsEnded], 1U);
  EXPECT_EQ(tally[CountKind::kFailed], 1U);
  EXPECT_EQ(tally[CountKind::kSucceeded], 0U);
  EXPECT_EQ(ExitCount(snapshot, name, 7), 1U);
}

TEST_F(ProcessTrackerLiveTest, ExitRacingWithEndingWorkersKeepsItsStatus) {
  const std::string name = Name("race");
  const auto workload = RunWorkload({name, "exit_race", "3000", "8", "53"});
  ASSERT_EQ(workload->reported("ended"), 1500U);
  ASSERT_EQ(workload->reported("succeeded"), 1500U);
  const Snapshot snapshot = AwaitExits(name, 3001);
  const Counts tally = CountsOf(snapshot, name);
  EXPECT_EQ(tally[CountKind::kForks], 3000U);
  EXPECT_EQ(tally[CountKind::kThreadsStarted], 24'000U);
  EXPECT_EQ(tally[CountKind::kThreadsEnded], 24'000U);
  EXPECT_EQ(ExitCount(snapshot, name, 53), 1500U);
  EXPECT_EQ(ExitCount(snapshot, name, 0), 1501U);  // and the workload
  EXPECT_EQ(tally[CountKind::kWithoutExec], 3000U);
}

TEST_F(ProcessTrackerLiveTest, AutoreapedChildrenAreCounted) {
  const std::string name = Name("reaped");
  RunWorkload({name, "autoreaped", "500", "54"});
  const Snapshot snapshot = AwaitExits(name, 501);
  EXPECT_EQ(CountsOf(snapshot, name)[CountKind::kForks], 500U);
  EXPECT_EQ(ExitCount(snapshot, name, 54), 500U);
  EXPECT_EQ(ExitCount(snapshot, name, 0), 1U);
}

TEST_F(ProcessTrackerLiveTest, ClonedSiblingsAreForksOfTheGrandparent) {
  const std::string grandparent = Name("grand");
  const std::string parent = Name("sibl");
  RunWorkload({grandparent, "clone_parent", parent});
  const auto ends = [&](const Snapshot& it) {
    return CountsOf(it, grandparent)[CountKind::kSucceeded] + CountsOf(it, parent)[CountKind::kSucceeded];
  };
  const Snapshot snapshot = Await([&](const Snapshot& it) { return ends(it) >= 3; });
  EXPECT_EQ(CountsOf(snapshot, grandparent)[CountKind::kForks], 2U);
  EXPECT_EQ(CountsOf(snapshot, parent)[CountKind::kForks], 0U);
  EXPECT_EQ(ends(snapshot), 3U);
}

TEST_F(ProcessTrackerLiveTest, KernelThreadsAreTrackedWithoutHarm) {
  const Snapshot before = TakeSnapshot();
  const std::string name = Name("kthr");
  if (StartWorkload({name, "kernel_thread", directory_})->Wait() != 0) {
    GTEST_SKIP() << "there is no /dev/net/tun to make the kernel start a thread with";
  }
  const auto grown = [&](const Snapshot& it, std::string_view comm, CountKind count) {
    return CountsOf(it, comm)[count] - CountsOf(before, comm)[count];
  };
  // It ends when the network is taken down. A kernel thread changes its name without a word.
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

// Each number of the storm is compared with what waitpid told the workload.
TEST_F(ProcessTrackerLiveTest, AStormOfKnownNumbersIsExact) {
  const std::string name = Name("storm");
  const std::string program = Name("prog");
  const auto start = std::chrono::steady_clock::now();
  const Snapshot before = TakeSnapshot();
  const auto workload = RunWorkload({name, "storm", program});
  const std::chrono::nanoseconds lasted = std::chrono::steady_clock::now() - start;
  const std::uint64_t forks = workload->reported("forks");
  ASSERT_EQ(forks, 1360U);
  const Snapshot snapshot = AwaitExits(name, forks + 1);
  const Counts tally = CountsOf(snapshot, name);
  EXPECT_EQ(tally[CountKind::kForks], forks + 300);
  EXPECT_EQ(tally[CountKind::kExecs], 1U);
  EXPECT_EQ(tally[CountKind::kWithoutExec], forks);
  EXPECT_EQ(tally[CountKind::kThreadsStarted], 400U);
  EXPECT_EQ(tally[CountKind::kThreadsEnded], 400U);
  for (const unsigned status : {61U, 62U, 255U}) {
    EXPECT_EQ(ExitCount(snapshot, name, status), workload->reported("status_" + std::to_string(status))) << status;
  }
  EXPECT_EQ(ExitCount(snapshot, name, 0), workload->reported("status_0") + 1);
  for (const unsigned signal : {6U, 9U, 11U, 15U}) {
    const std::uint64_t told = workload->reported("signal_" + std::to_string(signal));
    EXPECT_GT(told, 0U) << signal;
    EXPECT_EQ(ExitCount(snapshot, name, 128 + signal), told) << signal;
    EXPECT_GE(snapshot.ledger.exits.signals.at(signal) - before.ledger.exits.signals.at(signal), told) << signal;
  }
  EXPECT_EQ(tally[CountKind::kSucceeded], workload->reported("status_0") + 1);
  EXPECT_EQ(tally[CountKind::kFailed],
            workload->reported("status_61") + workload->reported("status_62") + workload->reported("status_255"));
  EXPECT_EQ(tally[CountKind::kKilled], 300U);
  EXPECT_EQ(tally[CountKind::kCoredumps], workload->reported("core_dumped"));
  EXPECT_EQ(tally[CountKind::kCoredumps], 140U);
  const Histogram& lifetimes = RowOf(snapshot, name)->lifetimes;
  EXPECT_EQ(lifetimes.count(), forks + 1);
  EXPECT_GE(lifetimes.sum(), 20 * 30'000'000U);
  EXPECT_LE(lifetimes.sum(), 2 * static_cast<std::uint64_t>(lasted.count()));  // the workload, and its children in turn

  // They rename themselves; who was held up before that was seen under the name of its file.
  const Snapshot after = AwaitExits(program, 300);
  const Counts programs = CountsOf(after, program);
  const std::uint64_t held_up = CountsOf(after, "exe")[CountKind::kExecs] - CountsOf(before, "exe")[CountKind::kExecs];
  EXPECT_EQ(programs[CountKind::kExecs] + held_up, 300U);
  EXPECT_LE(held_up, 30U) << "hardly any is held up for 10 ms";
  EXPECT_EQ(programs[CountKind::kFailed], 300U);
  EXPECT_EQ(programs[CountKind::kWithoutExec], 0U);
  EXPECT_EQ(ExitCount(TakeSnapshot(), program, 63), 300U);
}

// At first it is not known as whom they act that bootstrap found, nor, of their children, what the first change does.
TEST_F(ProcessTrackerLiveTest, RootIsLeftAndGained) {
  int known = 0;
  for (int round = 0; round < 150 && known < 5; ++round) {  // a doubt may have to wait 10 s for its turn
    std::this_thread::sleep_for(100ms);
    const std::string name = Name("cred" + std::to_string(round));
    RunWorkload({name, "credentials"});
    const Counts tally = CountsOf(AwaitExits(name, 1), name);
    const std::uint64_t first = known == 0 ? tally[CountKind::kUidOther] : 0;
    EXPECT_LE(first, 1U);
    EXPECT_EQ(tally[CountKind::kUidOther], first);
    EXPECT_EQ(tally[CountKind::kGidOther], first);
    EXPECT_EQ(tally[CountKind::kUidLeftRoot], 2U - first);
    EXPECT_EQ(tally[CountKind::kGidLeftRoot], 2U - first);
    EXPECT_EQ(tally[CountKind::kUidGainedRoot], 1U);
    EXPECT_EQ(tally[CountKind::kGidGainedRoot], 1U);
    known += first == 0 ? 1 : 0;
  }
  EXPECT_EQ(known, 5);
}

TEST_F(ProcessTrackerLiveTest, TracersAreNamed) {
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
