// What a recording says, replayed, is what the recorder counted: to the last number.
#include <chrono>
#include <random>
#include <string>
#include <thread>

#include "core/base/system.h"
#include "core/reader/replayer.h"
#include "core/sources/capture/capture_writer.h"
#include "core/sources/connector/connector_source.h"
#include "process_tracker_fixture.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

class RecordLiveTest : public CensusFixture {
 protected:
  // What the recorder counted while `act` ran, and its capture tells of it.
  struct Both {
    Numbers recorded;
    Numbers replayed;
  };
  Both RecordWhile(const std::function<void(Reader&)>& act, const ConnectorOptions& connector = {},
                   const ReaderOptions& options = {}) {
    const std::string path = directory_ / "live.pcap";
    CaptureWriter writer(path);
    Reader reader(std::make_unique<ConnectorSource>(connector), options, PossibleCpus(), Hearing::kAll, ledger_options_,
                  Proc(), &writer);
    reader.Start();
    act(reader);
    reader.Stop();
    EXPECT_TRUE(writer.Finish());
    Replayer replayer(StoredCapture(path), {.file = path, .speed = 0, .loop = false}, ledger_options_);
    replayer.Start();
    Notice notice;
    while (!replayer.notices().Take(notice)) {
      std::this_thread::sleep_for(1ms);
    }
    EXPECT_EQ(notice.kind, Notice::Kind::kReplayed);
    Snapshot snapshot(PossibleCpus(), ledger_options_);
    EXPECT_EQ(replayer.exchange().Take(snapshot, 60s), Exchange::Age::kFresh);
    ExpectSums(snapshot.numbers);
    return {reader.Counted(), snapshot.numbers};
  }

  void AwaitWhile(Reader& reader, std::chrono::seconds patience, const std::function<bool(const Numbers&)>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    Snapshot snapshot(PossibleCpus(), ledger_options_);
    do {
      ASSERT_EQ(reader.exchange().Take(snapshot, 60s), Exchange::Age::kFresh);
      std::this_thread::sleep_for(20ms);
    } while (condition(snapshot.numbers) && std::chrono::steady_clock::now() < deadline);
  }

  static std::uint64_t LookedAtAgain(const Numbers& numbers) {
    return numbers.found.at(static_cast<std::size_t>(Found::kReconciliation)) +
           numbers.dropped.at(static_cast<std::size_t>(Dropped::kGone));
  }

  static void ExpectTheSame(const Both& both) {
    const Numbers& recorded = both.recorded;
    const Numbers& replayed = both.replayed;
    EXPECT_EQ(static_cast<const StreamNumbers&>(recorded), static_cast<const StreamNumbers&>(replayed));
    EXPECT_EQ(recorded.pending, replayed.pending);
    EXPECT_EQ(recorded.attributions, replayed.attributions);
    EXPECT_EQ(recorded.processes, replayed.processes);
    EXPECT_EQ(recorded.threads, replayed.threads);
    EXPECT_EQ(recorded.found, replayed.found);
    EXPECT_EQ(recorded.dropped, replayed.dropped);
    EXPECT_EQ(recorded.ends, replayed.ends);
    EXPECT_EQ(recorded.comms.overflowed, replayed.comms.overflowed);
    ASSERT_EQ(recorded.comms.rows.size(), replayed.comms.rows.size());
    for (std::size_t id = 0; id < recorded.comms.rows.size(); ++id) {
      const CommRow& row = recorded.comms.rows[id];
      const CommRow& same = replayed.comms.rows[id];
      EXPECT_EQ(row.taken, same.taken);
      EXPECT_EQ(row.label.view(), same.label.view());
      EXPECT_EQ(row.tally, same.tally) << row.label.view();
      EXPECT_EQ(row.exit_codes, same.exit_codes) << row.label.view();
      EXPECT_EQ(row.lifetimes, same.lifetimes) << row.label.view();
    }
  }
};

TEST_F(RecordLiveTest, AStormReplayedIsTheStormRecorded) {
  const std::string name = Name("rec");
  const std::string program = Name("prog");
  const Both both = RecordWhile([&](Reader& /*reader*/) {
    PlayOut({name, "storm", program});
    Fork(2000);
    std::this_thread::sleep_for(300ms);
  });
  EXPECT_GT(both.recorded.events_of(EventKind::kFork), 3000U);
  EXPECT_EQ(both.recorded.lost_in_all(), 0U);
  ExpectTheSame(both);
}

// At the full seconds of the same clock, whenever who is used was used.
TEST_F(RecordLiveTest, WhoIdlesRetiresInTheReplayAsHeDid) {
  ledger_options_.comm_retire_after = 1s;
  const Both both = RecordWhile([&](Reader& /*reader*/) {
    std::mt19937 random(1);
    for (int round = 0; round < 30; ++round) {
      PlayOut({Name("idle" + std::to_string(random() % 4)), "exit", "0"});
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 600));
    }
    while (MonotonicNanos() % kNanosPerSecond > kNanosPerSecond / 4) {
      std::this_thread::sleep_for(1ms);
    }
    PlayOut({Name("idle"), "exit", "0"});
  });
  ExpectTheSame(both);
}

// Losses, and all that is looked at again because of them.
TEST_F(RecordLiveTest, WhatWasLostIsLostInTheReplay) {
  const Both both = RecordWhile(
      [&](Reader& reader) {
        auto kept = Play({Name("kept"), "keep", "100"});
        kept->AwaitReady();
        AwaitWhile(reader, 30s, [&](const Numbers& numbers) {
          Fork(1000);
          return numbers.lost_in_all() <= 100;
        });
        AwaitWhile(reader, 30s, [](const Numbers& numbers) { return LookedAtAgain(numbers) == 0; });
        kept->GoOn();
        kept->Wait();
        std::this_thread::sleep_for(700ms);
      },
      {.receive_buffer_bytes = 16U << 10U}, {.drain_interval = 500ms});
  EXPECT_GT(both.recorded.lost_in_all(), 100U) << "little was lost: this test shows nothing";
  EXPECT_GT(LookedAtAgain(both.recorded), 0U);
  ExpectTheSame(both);
}

}  // namespace
}  // namespace procevent
