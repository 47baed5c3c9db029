// What a recording says, replayed, is what the recorder counted: to the last number.
#include <chrono>
#include <string>
#include <thread>

#include "census_fixture.h"
#include "core/base/cpus.h"
#include "core/reader/replayer.h"
#include "core/source/capture_writer.h"
#include "core/source/connector_source.h"

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
    Replayer replayer({.file = path, .speed = 0, .loop = false}, ledger_options_);
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
    EXPECT_EQ(recorded.ends.signals, replayed.ends.signals);
    EXPECT_EQ(recorded.comms.rows.size(), replayed.comms.rows.size());
    for (const CommRow& row : recorded.comms.rows) {
      const auto same = std::ranges::find_if(
          replayed.comms.rows, [&](const CommRow& other) { return other.label.view() == row.label.view(); });
      ASSERT_NE(same, replayed.comms.rows.end()) << row.label.view();
      EXPECT_EQ(row.tally, same->tally) << row.label.view();
      EXPECT_EQ(row.lifetimes.sum(), same->lifetimes.sum()) << row.label.view();
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
