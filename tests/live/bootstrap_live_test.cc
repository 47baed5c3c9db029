// Who lived before the reader listened, or was lost sight of: found in /proc, and followed from there.
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "process_tracker_fixture.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

class BootstrapLiveTest : public CensusFixture {
 protected:
  // A snapshot that says what /proc says, on a machine where processes come and go. Otherwise the last one.
  Snapshot AwaitPopulation(Population& living, std::chrono::seconds patience) {
    return Await(
        [&](const Snapshot& it) {
          living = LivingInProc();
          return Population{it.numbers.processes, it.numbers.threads} == living;
        },
        patience);
  }

  // One without a loss for longer than a doubt may have to wait for its look at /proc. Otherwise the last one.
  Snapshot AwaitCertainty() {
    std::uint64_t lost = 0;
    auto since = std::chrono::steady_clock::now();
    return Await(
        [&](const Snapshot& it) {
          if (it.numbers.lost_in_all() != lost) {
            lost = it.numbers.lost_in_all();
            since = std::chrono::steady_clock::now();
          }
          return std::chrono::steady_clock::now() - since > 12s;
        },
        60s);
  }

  static std::uint64_t Found(const Snapshot& snapshot, procevent::Found how) {
    return snapshot.numbers.found.at(static_cast<std::size_t>(how));
  }
};

TEST_F(BootstrapLiveTest, WhoLivesIsCounted) {
  Start();
  Population living;
  const Snapshot snapshot = AwaitPopulation(living, 20s);
  EXPECT_EQ(snapshot.numbers.processes, living.processes);
  EXPECT_EQ(snapshot.numbers.threads, living.threads);
  EXPECT_GT(Found(snapshot, Found::kBootstrap), 0U);
}

TEST_F(BootstrapLiveTest, ProcessesOfBeforeAreKnownByName) {
  const std::string name = Name("old");
  auto actor = Play({name, "wait", "6", "10", "59"});
  actor->AwaitReady();
  Start();
  const Snapshot before = Take();
  EXPECT_EQ(RowOf(before, name), nullptr);  // nothing is booked for it yet
  actor->GoOn();
  EXPECT_EQ(actor->Wait(), 59 << 8);
  const Snapshot after = AwaitEnds(name, 11);
  const Tally tally = TallyOf(after, name);
  EXPECT_EQ(tally[Count::kForks], 10U);
  EXPECT_EQ(tally[Count::kThreadsStarted], 0U);
  EXPECT_EQ(tally[Count::kThreadsEnded], 6U);
  EXPECT_EQ(tally[Count::kUnexeced], 10U);  // of the actor itself nobody knows
  EXPECT_EQ(Ended(after, name, 0), 10U);
  EXPECT_EQ(Ended(after, name, 59), 1U);
  EXPECT_EQ(RowOf(after, name)->lifetimes.count(), 10U);
}

TEST_F(BootstrapLiveTest, ALeaderThatWasGoneBeforeStaysGone) {
  const std::string name = Name("beheaded");
  auto actor = Play({name, "leader_gone", "60", "wait"});
  actor->AwaitReady();
  Start();
  Population living;
  const Snapshot before = AwaitPopulation(living, 20s);
  EXPECT_EQ(before.numbers.processes, living.processes);
  EXPECT_EQ(before.numbers.threads, living.threads);
  actor->GoOn();
  EXPECT_EQ(actor->Wait(), 60 << 8);
  const Snapshot after = AwaitEnds(name, 1);
  EXPECT_EQ(TallyOf(after, name)[Count::kThreadsEnded], 0U);
  EXPECT_EQ(Ended(after, name, 60), 1U);
}

TEST_F(BootstrapLiveTest, NobodyIsMissedWhoForksMeanwhile) {
  for (int round = 0; round < 5; ++round) {
    auto one = Play({Name("churn"), "churn", "400"});
    auto other = Play({Name("churn"), "churn", "400"});
    for (Actor* const actor : {one.get(), other.get()}) {
      actor->AwaitReady();
      actor->GoOn();
    }
    std::this_thread::sleep_for(100ms);
    Start();
    Take();
    for (Actor* const actor : {one.get(), other.get()}) {
      EXPECT_EQ(actor->Wait(), 0);
    }
    Population living;
    const Snapshot snapshot = AwaitPopulation(living, 25s);  // a doubt may have to wait 10 s for its turn
    EXPECT_EQ(snapshot.numbers.lost_in_all(), 0U);
    EXPECT_EQ(snapshot.numbers.processes, living.processes);
    EXPECT_EQ(snapshot.numbers.threads, living.threads);
    EXPECT_EQ(TallyOf(snapshot, kUntrackedName)[Count::kForks], 0U);
    // Found again are at most those who were born within the look.
    EXPECT_LE(Found(snapshot, Found::kReconciliation), Found(snapshot, Found::kBootstrap) / 10);
    std::cout << "found: " << Found(snapshot, Found::kBootstrap) << " by bootstrap, "
              << Found(snapshot, Found::kReconciliation) << " later, " << Found(snapshot, Found::kEvent)
              << " by an event\n";
  }
}

// Processes begin and end while most events are lost: afterwards the table is what /proc says.
TEST_F(BootstrapLiveTest, AfterALossTheTableIsReconciled) {
  auto doomed = Play({Name("doomed"), "keep", "200"});
  doomed->AwaitReady();
  Start({.receive_buffer_bytes = 16U << 10U}, {.drain_interval = 500ms});
  Take();
  const std::string name = Name("lasting");
  auto lasting = Play({name, "wait", "0", "3", "64"});
  lasting->AwaitReady();
  auto kept = Play({Name("kept"), "keep", "300"});
  kept->AwaitReady();
  doomed->GoOn();
  EXPECT_EQ(doomed->Wait(), 0);
  Fork(2000);
  Snapshot snapshot = Await([](const Snapshot& it) { return it.numbers.lost_in_all() > 0; });
  ASSERT_GT(snapshot.numbers.lost_in_all(), 500U) << "little was lost: this test shows nothing";
  const std::uint64_t certain = AwaitCertainty().numbers.lost_in_all();
  Population living;
  snapshot = AwaitPopulation(living, 30s);
  EXPECT_NEAR(static_cast<double>(snapshot.numbers.processes), static_cast<double>(living.processes),
              0.05 * static_cast<double>(living.processes));
  EXPECT_NEAR(static_cast<double>(snapshot.numbers.threads), static_cast<double>(living.threads),
              0.05 * static_cast<double>(living.threads));
  const auto dropped = snapshot.numbers.dropped.at(static_cast<std::size_t>(Dropped::kGone));
  std::cout << snapshot.numbers.lost_in_all() << " events were lost; found " << Found(snapshot, Found::kReconciliation)
            << " processes in /proc, dropped " << dropped << "; tracked " << snapshot.numbers.processes << " of "
            << living.processes << "\n";
  EXPECT_GT(Found(snapshot, Found::kReconciliation), 0U);
  EXPECT_GT(dropped, 0U);
  const Tally before = TallyOf(snapshot, name);
  lasting->GoOn();
  EXPECT_EQ(lasting->Wait(), 64 << 8);
  const Snapshot after = AwaitEnds(name, 4);
  if (after.numbers.lost_in_all() == certain) {
    EXPECT_EQ(TallyOf(after, name)[Count::kForks] - before[Count::kForks], 3U);
    EXPECT_EQ(Ended(after, name, 0), 3U);
    EXPECT_EQ(Ended(after, name, 64), 1U);
  }
  kept->GoOn();
  EXPECT_EQ(kept->Wait(), 0);
  Take();
}

}  // namespace
}  // namespace procevent
