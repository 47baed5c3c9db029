#include "core/reader/snapshot_exchange.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/base/system.h"

namespace procevent {

namespace {

using namespace std::chrono_literals;

// Writes `value` all over a snapshot, so that a torn one shows.
void Fill(Snapshot& snapshot, std::uint64_t taken_ns, std::uint64_t value) {
  snapshot.taken_ns = taken_ns;
  snapshot.ledger.events.fill(value);
  for (auto& lost : snapshot.ledger.lost) {
    lost = value;
  }
  snapshot.socket_drops = value;
}

bool IsOfOnePiece(const Snapshot& snapshot) {
  const std::uint64_t value = snapshot.socket_drops;
  for (const auto events : snapshot.ledger.events) {
    if (events != value) {
      return false;
    }
  }
  for (const auto lost : snapshot.ledger.lost) {
    if (lost != value) {
      return false;
    }
  }
  return true;
}

// A reader that answers as fast as it can, and counts how often.
class AnsweringThread {
 public:
  explicit AnsweringThread(SnapshotExchange& exchange) : thread_([this, &exchange] { Run(exchange); }) {}
  AnsweringThread(const AnsweringThread&) = delete;
  AnsweringThread& operator=(const AnsweringThread&) = delete;
  ~AnsweringThread() { Stop(); }
  void Stop() {
    stopping_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
  }
  [[nodiscard]] std::uint64_t answers() const { return answers_; }

 private:
  void Run(SnapshotExchange& exchange) {
    while (!stopping_) {
      if (!exchange.IsRequested()) {
        std::this_thread::yield();
        continue;
      }
      const std::uint64_t since = MonotonicNanos();
      if (Snapshot* snapshot = exchange.BeginFill()) {
        Fill(*snapshot, since, ++answers_);
        exchange.FinishFill();
      }
    }
  }
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> answers_{0};
  std::thread thread_;
};

TEST(SnapshotExchangeTest, AReaderThatNeverAnsweredGivesNothing) {
  SnapshotExchange exchange{Snapshot(2)};
  Snapshot out(2);
  EXPECT_EQ(exchange.CopySnapshot(out, 10ms), SnapshotExchange::Freshness::kNone);
  EXPECT_EQ(out.taken_ns, 0U);
  EXPECT_FALSE(exchange.IsRequested()) << "the request was not taken back";
}

TEST(SnapshotExchangeTest, AnAnswerIsFresh) {
  SnapshotExchange exchange{Snapshot(2)};
  Snapshot out(2);
  const AnsweringThread reader(exchange);
  const std::uint64_t before = MonotonicNanos();
  ASSERT_EQ(exchange.CopySnapshot(out, 60s), SnapshotExchange::Freshness::kFresh);
  EXPECT_GT(out.taken_ns, before);
  EXPECT_TRUE(IsOfOnePiece(out));
}

TEST(SnapshotExchangeTest, AReaderThatStoppedLeavesItsLastWholeSnapshot) {
  SnapshotExchange exchange{Snapshot(2)};
  Snapshot first(2);
  {
    const AnsweringThread reader(exchange);
    ASSERT_EQ(exchange.CopySnapshot(first, 60s), SnapshotExchange::Freshness::kFresh);
  }
  Snapshot second(2);
  EXPECT_EQ(exchange.CopySnapshot(second, 10ms), SnapshotExchange::Freshness::kStale);
  EXPECT_EQ(second.taken_ns, first.taken_ns);
  EXPECT_EQ(second.ledger, first.ledger);
}

// Begins to fill for a scraper, and returns when that one has given up.
Snapshot* BeginForSomebodyWhoGivesUp(SnapshotExchange& exchange) {
  std::atomic<bool> begun{false};
  std::thread scraper([&exchange, &begun] {
    Snapshot mine(2);
    while (!begun) {
      EXPECT_EQ(exchange.CopySnapshot(mine, 50ms), SnapshotExchange::Freshness::kNone);
    }
  });
  Snapshot* snapshot = nullptr;
  while (snapshot == nullptr) {
    snapshot = exchange.BeginFill();
  }
  begun = true;
  scraper.join();
  return snapshot;
}

TEST(SnapshotExchangeTest, AnAnswerThatCameTooLateIsTheLastWholeOneAndNoFreshOne) {
  SnapshotExchange exchange{Snapshot(2)};
  Snapshot* const snapshot = BeginForSomebodyWhoGivesUp(exchange);
  Fill(*snapshot, MonotonicNanos(), 7);
  exchange.FinishFill();
  Snapshot out(2);
  ASSERT_EQ(exchange.CopySnapshot(out, 2s), SnapshotExchange::Freshness::kStale);
  EXPECT_EQ(out.socket_drops, 7U);
}

TEST(SnapshotExchangeTest, AReaderStuckWhileFillingHurtsNobody) {
  SnapshotExchange exchange{Snapshot(2)};
  ASSERT_NE(BeginForSomebodyWhoGivesUp(exchange), nullptr);
  Snapshot out(2);
  EXPECT_EQ(exchange.CopySnapshot(out, 1ms), SnapshotExchange::Freshness::kNone);
  EXPECT_EQ(exchange.CopySnapshot(out, 1ms), SnapshotExchange::Freshness::kNone);
  exchange.FinishFill();
}

TEST(SnapshotExchangeTest, ScrapersWhoWaitTogetherShareAnAnswer) {
  SnapshotExchange exchange{Snapshot(2)};
  constexpr int kScrapers = 8;
  std::atomic<int> arrived{0};
  std::vector<std::thread> scrapers;
  for (int i = 0; i < kScrapers; ++i) {
    scrapers.emplace_back([&exchange, &arrived] {
      ++arrived;
      Snapshot mine(2);
      EXPECT_EQ(exchange.CopySnapshot(mine, 60s), SnapshotExchange::Freshness::kFresh);
      EXPECT_TRUE(IsOfOnePiece(mine));
    });
  }
  while (arrived < kScrapers || !exchange.IsRequested()) {
    std::this_thread::yield();
  }
  std::uint64_t answers = 0;
  {
    AnsweringThread reader(exchange);
    for (auto& scraper : scrapers) {
      scraper.join();
    }
    reader.Stop();
    answers = reader.answers();
  }
  EXPECT_LE(answers, static_cast<std::uint64_t>(kScrapers));
  EXPECT_GE(answers, 1U);
}

TEST(SnapshotExchangeTest, EightScrapersSeeOnlyWholeFreshAndGrowingSnapshots) {
  SnapshotExchange exchange{Snapshot(4)};
  AnsweringThread reader(exchange);
  std::vector<std::thread> scrapers;
  for (int i = 0; i < 8; ++i) {
    scrapers.emplace_back([&exchange] {
      Snapshot mine(4);
      std::uint64_t last = 0;
      for (int scrape = 0; scrape < 500; ++scrape) {
        const std::uint64_t before = MonotonicNanos();
        ASSERT_EQ(exchange.CopySnapshot(mine, 60s), SnapshotExchange::Freshness::kFresh);
        ASSERT_GT(mine.taken_ns, before);
        ASSERT_TRUE(IsOfOnePiece(mine));
        ASSERT_GE(mine.socket_drops, last);
        last = mine.socket_drops;
      }
    });
  }
  for (auto& scraper : scrapers) {
    scraper.join();
  }
  reader.Stop();
}

TEST(SnapshotExchangeTest, ScrapersThatGiveUpDisturbNoOthers) {
  SnapshotExchange exchange{Snapshot(2)};
  const AnsweringThread reader(exchange);
  std::vector<std::thread> scrapers;
  for (int i = 0; i < 4; ++i) {
    scrapers.emplace_back([&exchange, i] {
      Snapshot mine(2);
      for (int scrape = 0; scrape < 300; ++scrape) {
        const auto age = exchange.CopySnapshot(mine, i % 2 == 0 ? 0ms : 60000ms);
        if (i % 2 == 1) {
          ASSERT_EQ(age, SnapshotExchange::Freshness::kFresh);
        }
        ASSERT_TRUE(age == SnapshotExchange::Freshness::kNone || IsOfOnePiece(mine));
      }
    });
  }
  for (auto& scraper : scrapers) {
    scraper.join();
  }
}

}  // namespace

namespace {

using SnapshotProducer = SnapshotExchangeState::Phase;

void BringTo(SnapshotExchangeState& state, SnapshotProducer stage) {
  if (stage >= SnapshotProducer::kRequested) {
    ASSERT_TRUE(state.TryRequest());
  }
  if (stage >= SnapshotProducer::kFilling) {
    ASSERT_TRUE(state.BeginFill());
  }
  if (stage == SnapshotProducer::kFilled) {
    state.FinishFill();
  }
}

// Both sides as machines that make one step at a time, as SnapshotExchange does, and every state that any order of
// their steps leads to. The steps on the atomic are the real ones.
struct ProcessSimulator {
  enum class Scraper : std::uint8_t {
    kLook,
    kFlip,
    kCollect,
    kAsk,
    kWait,
    kLookAgain,
    kFlipAgain,
    kCollectAgain,
    kRead
  };

  SnapshotProducer stage = SnapshotProducer::kIdle;
  Scraper scraper = Scraper::kLook;
  unsigned whole = 0;
  bool filling = false;  // the reader, into `filled`
  unsigned filled = 1;
  std::array<bool, 2> finished{true, true};

  auto operator<=>(const ProcessSimulator&) const = default;
};

template <typename Step>
bool Try(ProcessSimulator& world, Step step) {
  SnapshotExchangeState state;
  BringTo(state, world.stage);
  const bool done = step(state);
  world.stage = state.phase();
  return done;
}

ProcessSimulator ScraperStep(ProcessSimulator world, bool gives_up) {
  using At = ProcessSimulator::Scraper;
  switch (world.scraper) {
    case At::kLook:  // for an answer that came after the scraper before had gone
      world.scraper = world.stage == SnapshotProducer::kFilled ? At::kFlip : At::kAsk;
      break;
    case At::kFlip:
    case At::kFlipAgain:
      world.whole = 1 - world.whole;
      world.scraper = world.scraper == At::kFlip ? At::kCollect : At::kCollectAgain;
      break;
    case At::kCollect:
    case At::kCollectAgain:
      EXPECT_TRUE(Try(world, [](SnapshotExchangeState& state) { return state.AcceptAnswer(); }));
      world.scraper = world.scraper == At::kCollect ? At::kAsk : At::kRead;
      break;
    case At::kAsk:
      Try(world, [](SnapshotExchangeState& state) { return state.TryRequest(); });
      world.scraper = At::kWait;
      break;
    case At::kWait:
      if (gives_up || world.stage == SnapshotProducer::kFilled) {
        const bool taken_back = Try(world, [](SnapshotExchangeState& state) { return state.CancelRequest(); });
        world.scraper = taken_back ? At::kRead : At::kLookAgain;
      }
      break;
    case At::kLookAgain:
      world.scraper = world.stage == SnapshotProducer::kFilled ? At::kFlipAgain : At::kRead;
      break;
    case At::kRead:
      EXPECT_FALSE(world.filling && world.whole == world.filled) << "reads what is being written";
      EXPECT_TRUE(world.finished.at(world.whole)) << "reads what was never finished";
      world.scraper = At::kLook;
      break;
  }
  return world;
}

ProcessSimulator ReaderStep(ProcessSimulator world) {
  if (world.filling) {
    EXPECT_EQ(world.filled, 1 - world.whole) << "the buffer changed hands while it was written";
    world.finished.at(world.filled) = true;
    world.filling = false;
    Try(world, [](SnapshotExchangeState& state) {
      state.FinishFill();
      return true;
    });
  } else if (Try(world, [](SnapshotExchangeState& state) { return state.IsRequested() && state.BeginFill(); })) {
    world.filling = true;
    world.filled = 1 - world.whole;
    world.finished.at(world.filled) = false;
  }
  return world;
}

TEST(SnapshotExchangeStateTest, NoOrderOfStepsTearsASnapshot) {
  std::set<ProcessSimulator> seen{ProcessSimulator{}};
  std::vector<ProcessSimulator> open{ProcessSimulator{}};
  std::set<SnapshotProducer> stages;
  while (!open.empty() && !testing::Test::HasFailure()) {
    const ProcessSimulator world = open.back();
    open.pop_back();
    stages.insert(world.stage);
    for (const ProcessSimulator& next : {ScraperStep(world, false), ScraperStep(world, true), ReaderStep(world)}) {
      if (seen.insert(next).second) {
        open.push_back(next);
      }
    }
  }
  EXPECT_EQ(stages.size(), 4U);
  EXPECT_GE(seen.size(), 30U) << "the machines hardly moved: this test shows nothing";
}

// Each step against the table of what it may start from.
TEST(SnapshotExchangeStateTest, EachStepStartsFromOneStageOnly) {
  struct Row {
    std::string name;
    bool (*step)(SnapshotExchangeState&);
    SnapshotProducer from;
    SnapshotProducer to;
  };
  const std::array<Row, 4> rows{{{"Ask", [](SnapshotExchangeState& state) { return state.TryRequest(); },
                                  SnapshotProducer::kIdle, SnapshotProducer::kRequested},
                                 {"TakeBack", [](SnapshotExchangeState& state) { return state.CancelRequest(); },
                                  SnapshotProducer::kRequested, SnapshotProducer::kIdle},
                                 {"Begin", [](SnapshotExchangeState& state) { return state.BeginFill(); },
                                  SnapshotProducer::kRequested, SnapshotProducer::kFilling},
                                 {"Collect", [](SnapshotExchangeState& state) { return state.AcceptAnswer(); },
                                  SnapshotProducer::kFilled, SnapshotProducer::kIdle}}};
  for (const Row& row : rows) {
    for (const SnapshotProducer stage : {SnapshotProducer::kIdle, SnapshotProducer::kRequested,
                                         SnapshotProducer::kFilling, SnapshotProducer::kFilled}) {
      SnapshotExchangeState state;
      BringTo(state, stage);
      EXPECT_EQ(row.step(state), stage == row.from) << row.name << " from " << static_cast<int>(stage);
      EXPECT_EQ(state.phase(), stage == row.from ? row.to : stage) << row.name;
    }
  }
}

}  // namespace

}  // namespace procevent
