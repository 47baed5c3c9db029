#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "core/base/system.h"
#include "core/protocol/encoder.h"
#include "core/reader/reader.h"
#include "live_fixture.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

class ReaderLiveTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) {
      Start();
    }
  }

  void Start(const ConnectorOptions& connector = {}, const ReaderOptions& options = {}) {
    reader_ = std::make_unique<Reader>(MakeReaderSources(connector), options, PossibleCpus(), EventCoverage::kAll);
    reader_->Start();
  }

  Snapshot TakeSnapshot() {
    Snapshot snapshot(PossibleCpus());
    EXPECT_EQ(reader_->exchange().CopySnapshot(snapshot, 60s), SnapshotExchange::Freshness::kFresh);
    return snapshot;
  }

  static void ExpectAuditHolds(const Snapshot& snapshot) {
    ASSERT_TRUE(snapshot.kernel_forks.has_value());
    const std::uint64_t forks = snapshot.numbers.events_of(EventKind::kFork);
    EXPECT_GE(*snapshot.kernel_forks, forks);
    EXPECT_LE(*snapshot.kernel_forks - forks, snapshot.numbers.total_lost() + snapshot.forks_unseen);
  }

  // Any process can do this from Linux 6.6 on: each round takes one from the kernel's count of subscribers.
  static void UnsubscribeOthersAsNobody(int rounds) {
    RunInChild([rounds] {
      if (::setgid(65534) != 0 || ::setuid(65534) != 0) {
        return std::string("cannot become nobody");
      }
      auto socket = OpenOrDie();
      const Bytes invalid = EncodeRequest(ConnectorOperation::kInvalidOperation, 1);
      const Bytes ignore = EncodeRequest(ConnectorOperation::kIgnore, 2);
      for (int i = 0; i < rounds; ++i) {
        [[maybe_unused]] const auto one = ::write(socket.fd(), invalid.data(), invalid.size());
        [[maybe_unused]] const auto two = ::write(socket.fd(), ignore.data(), ignore.size());
      }
      return std::string();
    });
  }

  std::unique_ptr<Reader> reader_;
};

TEST_F(ReaderLiveTest, CountsEveryForkOfAStorm) {
  const Snapshot before = TakeSnapshot();
  Fork(3000);
  const Snapshot after = TakeSnapshot();
  EXPECT_TRUE(after.subscribed);
  EXPECT_EQ(after.numbers.total_lost(), 0U);
  EXPECT_GE(after.numbers.events_of(EventKind::kFork) - before.numbers.events_of(EventKind::kFork), 3000U);
  ExpectAuditHolds(before);
  ExpectAuditHolds(after);
}

TEST_F(ReaderLiveTest, AuditHoldsWithManyLosses) {
  reader_->Stop();
  Start({.receive_buffer_bytes = 16U << 10U}, {.drain_interval = 500ms});
  const pid_t storm = ForkInBackground(3000);
  for (int i = 0; i < 20; ++i) {
    ExpectAuditHolds(TakeSnapshot());
    std::this_thread::sleep_for(10ms);
  }
  WaitFor(storm);
  Snapshot snapshot = TakeSnapshot();
  const auto deadline = std::chrono::steady_clock::now() + 60s;  // the last losses show within a second
  while (snapshot.numbers.total_lost() < snapshot.socket_drops && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(50ms);
    snapshot = TakeSnapshot();
  }
  ExpectAuditHolds(snapshot);
  EXPECT_GT(snapshot.numbers.total_lost(), 0U) << "nothing was lost: this test shows nothing";
  EXPECT_GE(snapshot.numbers.total_lost(), snapshot.socket_drops);
}

TEST_F(ReaderLiveTest, GivesEightScrapersConsistentGrowingNumbersInAStorm) {
  const pid_t storm = ForkInBackground(5000);
  std::atomic<bool> over{false};
  std::vector<std::thread> scrapers;
  for (int i = 0; i < 8; ++i) {
    scrapers.emplace_back([this, &over] {
      std::uint64_t last = 0;
      while (!over) {
        const Snapshot snapshot = TakeSnapshot();
        ExpectAuditHolds(snapshot);
        EXPECT_GE(snapshot.numbers.events_of(EventKind::kFork), last);
        last = snapshot.numbers.events_of(EventKind::kFork);
      }
    });
  }
  WaitFor(storm);
  over = true;
  for (auto& scraper : scrapers) {
    scraper.join();
  }
  EXPECT_GE(TakeSnapshot().numbers.events_of(EventKind::kFork), 5000U);
}

TEST_F(ReaderLiveTest, ResubscribesAfterAnotherProgramEndedTheSubscription) {
  const Snapshot before = TakeSnapshot();
  UnsubscribeOthersAsNobody(200);
  const auto restarts = [](const Snapshot& snapshot) {
    return snapshot.restarts.at(static_cast<std::size_t>(RestartReason::kCanaryMissing));
  };
  const auto deadline = std::chrono::steady_clock::now() + 10s;  // the required bound
  Snapshot after = TakeSnapshot();
  while ((restarts(after) == restarts(before) || !after.subscribed) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(50ms);
    after = TakeSnapshot();
  }
  ASSERT_GT(restarts(after), restarts(before));
  ASSERT_TRUE(after.subscribed);
  EXPECT_GT(after.unsubscribed_ns, before.unsubscribed_ns);
  Fork(100);
  const Snapshot resubscribed = TakeSnapshot();
  EXPECT_GE(resubscribed.numbers.events_of(EventKind::kFork) - after.numbers.events_of(EventKind::kFork), 100U);
  EXPECT_EQ(resubscribed.numbers.total_lost(), 0U);
}

}  // namespace
}  // namespace procevent
