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

class CensusLiveTest : public CensusFixture {
 protected:
  void SetUp() override {
    CensusFixture::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) {
      Start();
    }
  }

  static int Exited(int wait_status) { return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1; }
};

// The other threads' EXITs may come after the EXEC, and then are the new program's; before it took its name they are
// nobody's, and after its end they are of one who is not tracked.
TEST_F(CensusLiveTest, ExecFromAThreadIsOneProcessWithOneEnd) {
  constexpr std::uint64_t kRuns = 60;
  const std::string before = Name("exth");
  const std::string after = Name("exnew");
  const Snapshot start = Take();
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    const int status = run % 2 == 0 ? 51 : 0;
    ASSERT_EQ(Exited(Play({before, "exec_from_thread", after, std::to_string(status)})->Wait()), status);
  }
  const auto ended = [](const Snapshot& it, std::string_view name) { return TallyOf(it, name)[Count::kThreadsEnded]; };
  const auto own = [&](const Snapshot& it) { return ended(it, before) + ended(it, after); };
  const auto nobodys = [&](const Snapshot& it) {
    return ended(it, kUnattributedName) + ended(it, kUntrackedName) - ended(start, kUnattributedName) -
           ended(start, kUntrackedName);
  };
  AwaitEnds(after, kRuns);
  const Snapshot snapshot = Await([&](const Snapshot& it) { return own(it) + nobodys(it) >= 5 * kRuns; });
  const Tally threaded = TallyOf(snapshot, before);
  const Tally fresh = TallyOf(snapshot, after);
  EXPECT_EQ(threaded[Count::kExecs], kRuns);
  EXPECT_EQ(threaded[Count::kThreadsStarted], 5 * kRuns);
  EXPECT_EQ(threaded[Count::kSucceeded] + threaded[Count::kFailed] + threaded[Count::kKilled], 0U);
  EXPECT_EQ(fresh[Count::kExecs], kRuns);
  EXPECT_EQ(fresh[Count::kThreadsStarted], 0U);
  EXPECT_EQ(Ended(snapshot, after, 51), kRuns / 2);
  EXPECT_EQ(Ended(snapshot, after, 0), kRuns / 2);
  EXPECT_LE(own(snapshot), 5 * kRuns);
  EXPECT_GE(own(snapshot) + nobodys(snapshot), 5 * kRuns);  // the leaders' EXITs too, for a thread takes their place
  std::cout << ended(snapshot, after) << " threads ended after the exec, " << nobodys(snapshot) << " as nobody's\n";
}

TEST_F(CensusLiveTest, ALeaderGoneBeforeTheOthersIsNoEnd) {
  const std::string name = Name("leader");
  auto actor = Play({name, "leader_gone", "7"});
  const Snapshot midway = Await([&](const Snapshot& it) { return TallyOf(it, name)[Count::kThreadsEnded] > 0; });
  EXPECT_EQ(TallyOf(midway, name)[Count::kThreadsEnded], 1U);
  EXPECT_EQ(Exited(actor->Wait()), 7);
  const Snapshot snapshot = AwaitEnds(name, 1);
  const Tally tally = TallyOf(snapshot, name);
  EXPECT_EQ(tally[Count::kThreadsStarted], 1U);
  EXPECT_EQ(tally[Count::kThreadsEnded], 1U);
  EXPECT_EQ(tally[Count::kFailed], 1U);
  EXPECT_EQ(tally[Count::kSucceeded], 0U);
  EXPECT_EQ(Ended(snapshot, name, 7), 1U);
}

TEST_F(CensusLiveTest, ExitRacingWithEndingWorkersKeepsItsStatus) {
  const std::string name = Name("race");
  const auto actor = PlayOut({name, "exit_race", "3000", "8", "53"});
  ASSERT_EQ(actor->told("ended"), 1500U);
  ASSERT_EQ(actor->told("succeeded"), 1500U);
  const Snapshot snapshot = AwaitEnds(name, 3001);
  const Tally tally = TallyOf(snapshot, name);
  EXPECT_EQ(tally[Count::kForks], 3000U);
  EXPECT_EQ(tally[Count::kThreadsStarted], 24'000U);
  EXPECT_EQ(tally[Count::kThreadsEnded], 24'000U);
  EXPECT_EQ(Ended(snapshot, name, 53), 1500U);
  EXPECT_EQ(Ended(snapshot, name, 0), 1501U);  // and the actor
  EXPECT_EQ(tally[Count::kUnexeced], 3000U);
}

TEST_F(CensusLiveTest, AutoreapedChildrenAreCounted) {
  const std::string name = Name("reaped");
  PlayOut({name, "autoreaped", "500", "54"});
  const Snapshot snapshot = AwaitEnds(name, 501);
  EXPECT_EQ(TallyOf(snapshot, name)[Count::kForks], 500U);
  EXPECT_EQ(Ended(snapshot, name, 54), 500U);
  EXPECT_EQ(Ended(snapshot, name, 0), 1U);
}

TEST_F(CensusLiveTest, ClonedSiblingsAreForksOfTheGrandparent) {
  const std::string grandparent = Name("grand");
  const std::string parent = Name("sibl");
  PlayOut({grandparent, "clone_parent", parent});
  const auto ends = [&](const Snapshot& it) {
    return TallyOf(it, grandparent)[Count::kSucceeded] + TallyOf(it, parent)[Count::kSucceeded];
  };
  const Snapshot snapshot = Await([&](const Snapshot& it) { return ends(it) >= 3; });
  EXPECT_EQ(TallyOf(snapshot, grandparent)[Count::kForks], 2U);
  EXPECT_EQ(TallyOf(snapshot, parent)[Count::kForks], 0U);
  EXPECT_EQ(ends(snapshot), 3U);
}

TEST_F(CensusLiveTest, KernelThreadsAreTrackedWithoutHarm) {
  const Snapshot before = Take();
  const std::string name = Name("kthr");
  if (Play({name, "kernel_thread", directory_})->Wait() != 0) {
    GTEST_SKIP() << "there is no /dev/net/tun to make the kernel start a thread with";
  }
  const auto grown = [&](const Snapshot& it, std::string_view comm, Count count) {
    return TallyOf(it, comm)[count] - TallyOf(before, comm)[count];
  };
  // It ends when the network is taken down. A kernel thread changes its name without a word.
  const auto ended = [&](const Snapshot& it) {
    return grown(it, "napi/petest-0", Count::kSucceeded) + grown(it, kUnattributedName, Count::kSucceeded);
  };
  const Snapshot snapshot = Await([&](const Snapshot& it) { return ended(it) > 0; });
  EXPECT_GE(grown(snapshot, "kthreadd", Count::kForks), 1U);  // known by name from the bootstrap
  EXPECT_EQ(grown(snapshot, "kthreadd", Count::kExecs), 0U);
  EXPECT_EQ(grown(snapshot, "kthreadd", Count::kSucceeded), 0U);
  EXPECT_GE(ended(snapshot), 1U);
  EXPECT_EQ(TallyOf(snapshot, name)[Count::kForks], 0U);
}

// Each number of the storm is compared with what waitpid told the actor.
TEST_F(CensusLiveTest, AStormOfKnownNumbersIsExact) {
  const std::string name = Name("storm");
  const std::string program = Name("prog");
  const auto start = std::chrono::steady_clock::now();
  const Snapshot before = Take();
  const auto actor = PlayOut({name, "storm", program});
  const std::chrono::nanoseconds lasted = std::chrono::steady_clock::now() - start;
  const std::uint64_t forks = actor->told("forks");
  ASSERT_EQ(forks, 1360U);
  const Snapshot snapshot = AwaitEnds(name, forks + 1);
  const Tally tally = TallyOf(snapshot, name);
  EXPECT_EQ(tally[Count::kForks], forks + 300);
  EXPECT_EQ(tally[Count::kExecs], 1U);
  EXPECT_EQ(tally[Count::kUnexeced], forks);
  EXPECT_EQ(tally[Count::kThreadsStarted], 400U);
  EXPECT_EQ(tally[Count::kThreadsEnded], 400U);
  for (const unsigned status : {61U, 62U, 255U}) {
    EXPECT_EQ(Ended(snapshot, name, status), actor->told("status_" + std::to_string(status))) << status;
  }
  EXPECT_EQ(Ended(snapshot, name, 0), actor->told("status_0") + 1);
  for (const unsigned signal : {6U, 9U, 11U, 15U}) {
    const std::uint64_t told = actor->told("signal_" + std::to_string(signal));
    EXPECT_GT(told, 0U) << signal;
    EXPECT_EQ(Ended(snapshot, name, 128 + signal), told) << signal;
    EXPECT_GE(snapshot.numbers.ends.signals.at(signal) - before.numbers.ends.signals.at(signal), told) << signal;
  }
  EXPECT_EQ(tally[Count::kSucceeded], actor->told("status_0") + 1);
  EXPECT_EQ(tally[Count::kFailed], actor->told("status_61") + actor->told("status_62") + actor->told("status_255"));
  EXPECT_EQ(tally[Count::kKilled], 300U);
  EXPECT_EQ(tally[Count::kCoredumps], actor->told("core_dumped"));
  EXPECT_EQ(tally[Count::kCoredumps], 140U);
  const Histogram& lifetimes = RowOf(snapshot, name)->lifetimes;
  EXPECT_EQ(lifetimes.count(), forks + 1);
  EXPECT_GE(lifetimes.sum(), 20 * 30'000'000U);
  EXPECT_LE(lifetimes.sum(), 2 * static_cast<std::uint64_t>(lasted.count()));  // the actor, and its children in turn

  // They rename themselves; who was held up before that was seen under the name of its file.
  const Snapshot after = AwaitEnds(program, 300);
  const Tally programs = TallyOf(after, program);
  const std::uint64_t held_up = TallyOf(after, "exe")[Count::kExecs] - TallyOf(before, "exe")[Count::kExecs];
  EXPECT_EQ(programs[Count::kExecs] + held_up, 300U);
  EXPECT_LE(held_up, 30U) << "hardly any is held up for 10 ms";
  EXPECT_EQ(programs[Count::kFailed], 300U);
  EXPECT_EQ(programs[Count::kUnexeced], 0U);
  EXPECT_EQ(Ended(Take(), program, 63), 300U);
}

// At first it is not known as whom they act that bootstrap found, nor, of their children, what the first change does.
TEST_F(CensusLiveTest, RootIsLeftAndGained) {
  int known = 0;
  for (int round = 0; round < 150 && known < 5; ++round) {  // a doubt may have to wait 10 s for its turn
    std::this_thread::sleep_for(100ms);
    const std::string name = Name("cred" + std::to_string(round));
    PlayOut({name, "credentials"});
    const Tally tally = TallyOf(AwaitEnds(name, 1), name);
    const std::uint64_t first = known == 0 ? tally[Count::kUidOther] : 0;
    EXPECT_LE(first, 1U);
    EXPECT_EQ(tally[Count::kUidOther], first);
    EXPECT_EQ(tally[Count::kGidOther], first);
    EXPECT_EQ(tally[Count::kUidLeftRoot], 2U - first);
    EXPECT_EQ(tally[Count::kGidLeftRoot], 2U - first);
    EXPECT_EQ(tally[Count::kUidGainedRoot], 1U);
    EXPECT_EQ(tally[Count::kGidGainedRoot], 1U);
    known += first == 0 ? 1 : 0;
  }
  EXPECT_EQ(known, 5);
}

TEST_F(CensusLiveTest, TracersAreNamed) {
  const std::string tracer = Name("tracer");
  const std::string traced = Name("traced");
  PlayOut({tracer, "trace", traced});
  const Snapshot snapshot = AwaitEnds(tracer, 1);
  EXPECT_EQ(TallyOf(snapshot, tracer)[Count::kAttached], 3U);
  EXPECT_EQ(TallyOf(snapshot, tracer)[Count::kDetached], 3U);
  EXPECT_EQ(TallyOf(snapshot, traced)[Count::kAttached], 0U);
  EXPECT_EQ(TallyOf(snapshot, traced)[Count::kDetached], 0U);
  EXPECT_EQ(Ended(snapshot, traced, 137), 1U);
}

}  // namespace
}  // namespace procevent
