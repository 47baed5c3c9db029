// A replay of a recording gives exactly the numbers that the recorder counted.
#include <chrono>
#include <random>
#include <string>
#include <thread>

#include "core/base/fatal_error.h"
#include "core/base/system.h"
#include "core/reader/replayer.h"
#include "core/sources/capture/capture_writer.h"
#include "process_tracker_fixture.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

class RecordLiveTest : public ProcessTrackerFixture {
 protected:
  struct Pair {
    Numbers recorded;
    Numbers replayed;
  };
  // Records while `act` runs, and replays the capture.
  Pair RecordWhile(const std::function<void(Reader&)>& act, const ConnectorOptions& connector = {},
                   const ReaderOptions& options = {}) {
    const std::string path = directory_ / "live.pcap";
    CaptureWriter writer(path);
    Reader reader(MakeReaderSources(connector), options, PossibleCpus(), EventCoverage::kAll, counting_options_,
                  ProcFs(), &writer);
    reader.Start();
    act(reader);
    reader.Stop();
    EXPECT_TRUE(writer.Finish());
    Replayer replayer(ValueOrThrow(StoredCapture::Open(path)), {.file = path, .speed = 0, .loop = false},
                      counting_options_);
    replayer.Start();
    Notice notice;
    while (!replayer.notices().TryPop(notice)) {
      std::this_thread::sleep_for(1ms);
    }
    EXPECT_EQ(notice.kind, Notice::Kind::kReplayFinished);
    Snapshot snapshot(PossibleCpus(), counting_options_);
    EXPECT_EQ(replayer.exchange().CopySnapshot(snapshot, 60s), SnapshotExchange::Freshness::kFresh);
    ExpectSums(snapshot.numbers);
    return {reader.FinalNumbers(), snapshot.numbers};
  }

  // Scrapes while the condition holds, until the timeout.
  void ScrapeWhile(Reader& reader, std::chrono::seconds patience,
                   const std::function<bool(const Numbers&)>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    Snapshot snapshot(PossibleCpus(), counting_options_);
    do {
      ASSERT_EQ(reader.exchange().CopySnapshot(snapshot, 60s), SnapshotExchange::Freshness::kFresh);
      std::this_thread::sleep_for(20ms);
    } while (condition(snapshot.numbers) && std::chrono::steady_clock::now() < deadline);
  }

  static std::uint64_t CountReconciled(const Numbers& numbers) {
    return numbers.found.at(static_cast<std::size_t>(ProcessFoundReason::kReconciliation)) +
           numbers.dropped.at(static_cast<std::size_t>(ProcessDropReason::kGone));
  }

  static void ExpectEqual(const Pair& numbers) {
    const Numbers& recorded = numbers.recorded;
    const Numbers& replayed = numbers.replayed;
    EXPECT_EQ(static_cast<const StreamStatistics&>(recorded), static_cast<const StreamStatistics&>(replayed));
    EXPECT_EQ(recorded.pending, replayed.pending);
    EXPECT_EQ(recorded.attributions, replayed.attributions);
    EXPECT_EQ(recorded.processes, replayed.processes);
    EXPECT_EQ(recorded.threads, replayed.threads);
    EXPECT_EQ(recorded.found, replayed.found);
    EXPECT_EQ(recorded.dropped, replayed.dropped);
    EXPECT_EQ(recorded.exits, replayed.exits);
    EXPECT_EQ(recorded.groups.overflowed, replayed.groups.overflowed);
    ASSERT_EQ(recorded.groups.rows.size(), replayed.groups.rows.size());
    for (std::size_t id = 0; id < recorded.groups.rows.size(); ++id) {
      const GroupRow& row = recorded.groups.rows[id];
      const GroupRow& same = replayed.groups.rows[id];
      EXPECT_EQ(row.in_use(), same.in_use());
      EXPECT_EQ(row.labels[0].view(), same.labels[0].view());
      EXPECT_EQ(row.counts, same.counts) << row.labels[0].view();
      EXPECT_EQ(row.exit_codes, same.exit_codes) << row.labels[0].view();
      EXPECT_EQ(row.lifetimes, same.lifetimes) << row.labels[0].view();
    }
  }
};

TEST_F(RecordLiveTest, ReplayOfAStormEqualsItsRecording) {
  const std::string name = Name("rec");
  const std::string program = Name("prog");
  const Pair numbers = RecordWhile([&](Reader& /*reader*/) {
    RunWorkload({name, "storm", program});
    Fork(2000);
    std::this_thread::sleep_for(300ms);
  });
  EXPECT_GT(numbers.recorded.events_of(EventKind::kFork), 3000U);
  EXPECT_EQ(numbers.recorded.total_lost(), 0U);
  ExpectEqual(numbers);
}

// Names retire at full seconds of the recorded clock.
TEST_F(RecordLiveTest, ReplayRetiresTheSameIdleNames) {
  counting_options_.group_retire_after = 1s;
  const Pair numbers = RecordWhile([&](Reader& /*reader*/) {
    std::mt19937 random(1);
    for (int round = 0; round < 16; ++round) {
      RunWorkload({Name("idle" + std::to_string(random() % 4)), "exit", "0"});
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 600));
    }
    while (MonotonicNanos() % kNanosPerSecond > kNanosPerSecond / 4) {
      std::this_thread::sleep_for(1ms);
    }
    RunWorkload({Name("idle"), "exit", "0"});
  });
  EXPECT_FALSE(numbers.recorded.groups.retired.empty()) << "no name was retired, so nothing is compared";
  ExpectEqual(numbers);
}

// Losses, and the processes that are read from /proc again because of them.
TEST_F(RecordLiveTest, ReplayHasTheSameLosses) {
  const Pair numbers = RecordWhile(
      [&](Reader& reader) {
        auto kept = StartWorkload({Name("kept"), "keep", "100"});
        kept->AwaitReady();
        ScrapeWhile(reader, 30s, [&](const Numbers& snapshot) {
          Fork(1000);
          return snapshot.total_lost() <= 100;
        });
        ScrapeWhile(reader, 30s, [](const Numbers& snapshot) { return CountReconciled(snapshot) == 0; });
        kept->Continue();
        kept->Wait();
        std::this_thread::sleep_for(700ms);
      },
      {.receive_buffer_bytes = 16U << 10U}, {.drain_interval = 500ms, .proc_pass_interval = 1s});
  EXPECT_GT(numbers.recorded.total_lost(), 100U) << "little was lost: this test shows nothing";
  EXPECT_GT(CountReconciled(numbers.recorded), 0U);
  ExpectEqual(numbers);
}

}  // namespace
}  // namespace procevent
