// Processes that were alive before the subscription, or whose events were lost: found in /proc and tracked from there.
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "process_tracker_fixture.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

class BootstrapLiveTest : public ProcessTrackerFixture {
 protected:
  // A snapshot whose population equals that of /proc, while processes start and exit. The last one after the timeout.
  Snapshot AwaitPopulation(Population& expected, std::chrono::seconds timeout) {
    return Await(
        [&](const Snapshot& it) {
          expected = CountProcTasks();
          return Population{it.numbers.processes, it.numbers.threads} == expected;
        },
        timeout);
  }

  // A snapshot without a new loss for longer than a stale row waits to be read again. The last one after the timeout.
  Snapshot AwaitReconciled() {
    std::uint64_t lost = 0;
    auto since = std::chrono::steady_clock::now();
    return Await(
        [&](const Snapshot& it) {
          if (it.numbers.total_lost() != lost) {
            lost = it.numbers.total_lost();
            since = std::chrono::steady_clock::now();
          }
          return std::chrono::steady_clock::now() - since > 2s;
        },
        60s);
  }

  static std::uint64_t Found(const Snapshot& snapshot, procevent::ProcessFoundReason how) {
    return snapshot.numbers.found.at(static_cast<std::size_t>(how));
  }
};

TEST_F(BootstrapLiveTest, CountsLivingProcesses) {
  Start();
  Population expected;
  const Snapshot snapshot = AwaitPopulation(expected, 20s);
  EXPECT_EQ(snapshot.numbers.processes, expected.processes);
  EXPECT_EQ(snapshot.numbers.threads, expected.threads);
  EXPECT_GT(Found(snapshot, ProcessFoundReason::kBootstrap), 0U);
}

TEST_F(BootstrapLiveTest, KnowsEarlierProcessesByName) {
  const std::string name = Name("old");
  auto workload = StartWorkload({name, "wait", "6", "10", "59"});
  workload->AwaitReady();
  Start();
  const Snapshot before = TakeSnapshot();
  EXPECT_EQ(RowOf(before, name), nullptr);  // no event of it was counted yet
  workload->Continue();
  EXPECT_EQ(workload->Wait(), 59 << 8);
  const Snapshot after = AwaitExits(name, 11);
  const Counts counts = CountsOf(after, name);
  EXPECT_EQ(counts[CountKind::kForks], 10U);
  EXPECT_EQ(counts[CountKind::kThreadsStarted], 0U);
  EXPECT_EQ(counts[CountKind::kThreadsEnded], 6U);
  EXPECT_EQ(counts[CountKind::kWithoutExec], 10U);  // unknown for the workload itself
  EXPECT_EQ(ExitCount(after, name, 0), 10U);
  EXPECT_EQ(ExitCount(after, name, 59), 1U);
  EXPECT_EQ(RowOf(after, name)->lifetimes.count(), 10U);
}

// 400 processes and 400 threads are found in /proc. Only events count as a rate: those of other programs meanwhile.
TEST_F(BootstrapLiveTest, DoesNotCountFoundProcessesAsAPeak) {
  auto workload = StartWorkload({Name("found"), "keep", "400"});
  workload->AwaitReady();
  Start();
  Population expected;
  const Snapshot snapshot = AwaitPopulation(expected, 20s);
  EXPECT_GE(Found(snapshot, ProcessFoundReason::kBootstrap), 400U);
  EXPECT_GE(snapshot.numbers.threads, 800U);
  const ActivityCounts counts = CountActivities(snapshot.numbers.totals);
  for (std::size_t i = 0; i < kPeakActivities.size(); ++i) {
    const auto activity = static_cast<std::size_t>(kPeakActivities.at(i));
    const auto& peaks = snapshot.numbers.peaks.at(i);
    std::cout << kActivityNames.at(activity) << ": " << counts.at(activity) << ", peaks " << peaks[0] << " and "
              << peaks[1] << " per s\n";
    EXPECT_LE(peaks[1], static_cast<double>(counts.at(activity)));
    EXPECT_LE(peaks[0], static_cast<double>(10 * counts.at(activity)));
    EXPECT_LT(counts.at(activity), 100U) << "other programs started processes: this test shows nothing";
  }
  workload->Continue();
  EXPECT_EQ(workload->Wait(), 0);
}

TEST_F(BootstrapLiveTest, DoesNotCountALeaderThatExitedBefore) {
  const std::string name = Name("beheaded");
  auto workload = StartWorkload({name, "leader_gone", "60", "wait"});
  workload->AwaitReady();
  Start();
  Population expected;
  const Snapshot before = AwaitPopulation(expected, 20s);
  EXPECT_EQ(before.numbers.processes, expected.processes);
  EXPECT_EQ(before.numbers.threads, expected.threads);
  workload->Continue();
  EXPECT_EQ(workload->Wait(), 60 << 8);
  const Snapshot after = AwaitExits(name, 1);
  EXPECT_EQ(CountsOf(after, name)[CountKind::kThreadsEnded], 0U);
  EXPECT_EQ(ExitCount(after, name, 60), 1U);
}

TEST_F(BootstrapLiveTest, MissesNoProcessForkedDuringBootstrap) {
  for (int round = 0; round < 5; ++round) {
    auto one = StartWorkload({Name("churn"), "churn", "400"});
    auto other = StartWorkload({Name("churn"), "churn", "400"});
    for (WorkloadProcess* const workload : {one.get(), other.get()}) {
      workload->AwaitReady();
      workload->Continue();
    }
    std::this_thread::sleep_for(100ms);
    Start();
    TakeSnapshot();
    for (WorkloadProcess* const workload : {one.get(), other.get()}) {
      EXPECT_EQ(workload->Wait(), 0);
    }
    Population expected;
    const Snapshot snapshot = AwaitPopulation(expected, 25s);  // a stale row may have to wait 10 s for its pass
    EXPECT_EQ(snapshot.numbers.total_lost(), 0U);
    EXPECT_EQ(snapshot.numbers.processes, expected.processes);
    EXPECT_EQ(snapshot.numbers.threads, expected.threads);
    EXPECT_EQ(CountsOf(snapshot, kUntrackedName)[CountKind::kForks], 0U);
    // Only processes forked during the bootstrap can be found again.
    EXPECT_LE(Found(snapshot, ProcessFoundReason::kReconciliation),
              Found(snapshot, ProcessFoundReason::kBootstrap) / 10);
    std::cout << "found: " << Found(snapshot, ProcessFoundReason::kBootstrap) << " by bootstrap, "
              << Found(snapshot, ProcessFoundReason::kReconciliation) << " later, "
              << Found(snapshot, ProcessFoundReason::kEvent) << " by an event\n";
  }
}

// Processes start and exit while most events are lost. Afterwards the process table equals /proc.
TEST_F(BootstrapLiveTest, ReconcilesTheTableAfterALoss) {
  auto doomed = StartWorkload({Name("doomed"), "keep", "200"});
  doomed->AwaitReady();
  Start({.receive_buffer_bytes = 16U << 10U}, {.drain_interval = 500ms, .proc_pass_interval = 1s});
  TakeSnapshot();
  const std::string name = Name("lasting");
  auto lasting = StartWorkload({name, "wait", "0", "3", "64"});
  lasting->AwaitReady();
  auto kept = StartWorkload({Name("kept"), "keep", "300"});
  kept->AwaitReady();
  doomed->Continue();
  EXPECT_EQ(doomed->Wait(), 0);
  Fork(2000);
  Snapshot snapshot = Await([](const Snapshot& it) { return it.numbers.total_lost() > 0; });
  ASSERT_GT(snapshot.numbers.total_lost(), 500U) << "little was lost: this test shows nothing";
  const std::uint64_t lost = AwaitReconciled().numbers.total_lost();
  Population expected;
  snapshot = AwaitPopulation(expected, 30s);
  EXPECT_NEAR(static_cast<double>(snapshot.numbers.processes), static_cast<double>(expected.processes),
              0.05 * static_cast<double>(expected.processes));
  EXPECT_NEAR(static_cast<double>(snapshot.numbers.threads), static_cast<double>(expected.threads),
              0.05 * static_cast<double>(expected.threads));
  const auto dropped = snapshot.numbers.dropped.at(static_cast<std::size_t>(ProcessDropReason::kGone));
  std::cout << snapshot.numbers.total_lost() << " events were lost; found "
            << Found(snapshot, ProcessFoundReason::kReconciliation) << " processes in /proc, dropped " << dropped
            << "; tracked " << snapshot.numbers.processes << " of " << expected.processes << "\n";
  EXPECT_GT(Found(snapshot, ProcessFoundReason::kReconciliation), 0U);
  EXPECT_GT(dropped, 0U);
  const Counts before = CountsOf(snapshot, name);
  lasting->Continue();
  EXPECT_EQ(lasting->Wait(), 64 << 8);
  const Snapshot after = AwaitExits(name, 4);
  if (after.numbers.total_lost() == lost) {
    EXPECT_EQ(CountsOf(after, name)[CountKind::kForks] - before[CountKind::kForks], 3U);
    EXPECT_EQ(ExitCount(after, name, 0), 3U);
    EXPECT_EQ(ExitCount(after, name, 64), 1U);
  }
  kept->Continue();
  EXPECT_EQ(kept->Wait(), 0);
  TakeSnapshot();
}

}  // namespace
}  // namespace procevent
