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
  snapshot.numbers.events.fill(value);
  for (auto& lost : snapshot.numbers.lost) {
    lost = value;
  }
  snapshot.socket_drops = value;
}

bool IsOfOnePiece(const Snapshot& snapshot) {
  const std::uint64_t value = snapshot.socket_drops;
  for (const auto events : snapshot.numbers.events) {
    if (events != value) {
      return false;
    }
  }
  for (const auto lost : snapshot.numbers.lost) {
    if (lost != value) {
      return false;
    }
  }
  return true;
}

// A reader that answers as fast as it can, and counts how often.
class AnsweringThread {
 public:
  explicit AnsweringThread(Exchange& exchange) : thread_([this, &exchange] { Run(exchange); }) {}
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
  void Run(Exchange& exchange) {
    while (!stopping_) {
      if (!exchange.Asked()) {
        std::this_thread::yield();
        continue;
      }
      const std::uint64_t since = MonotonicNanos();
      if (Snapshot* snapshot = exchange.Begin()) {
        Fill(*snapshot, since, ++answers_);
        exchange.Finish();
      }
    }
  }
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> answers_{0};
  std::thread thread_;
};

TEST(ExchangeTest, AReaderThatNeverAnsweredGivesNothing) {
  Exchange exchange{Snapshot(2)};
  Snapshot out(2);
  EXPECT_EQ(exchange.Take(out, 10ms), Exchange::Age::kNone);
  EXPECT_EQ(out.taken_ns, 0U);
  EXPECT_FALSE(exchange.Asked()) << "the request was not taken back";
}

TEST(ExchangeTest, AnAnswerIsFresh) {
  Exchange exchange{Snapshot(2)};
  Snapshot out(2);
  const AnsweringThread reader(exchange);
  const std::uint64_t before = MonotonicNanos();
  ASSERT_EQ(exchange.Take(out, 60s), Exchange::Age::kFresh);
  EXPECT_GT(out.taken_ns, before);
  EXPECT_TRUE(IsOfOnePiece(out));
}

TEST(ExchangeTest, AReaderThatStoppedLeavesItsLastWholeSnapshot) {
  Exchange exchange{Snapshot(2)};
  Snapshot first(2);
  {
    const AnsweringThread reader(exchange);
    ASSERT_EQ(exchange.Take(first, 60s), Exchange::Age::kFresh);
  }
  Snapshot second(2);
  EXPECT_EQ(exchange.Take(second, 10ms), Exchange::Age::kStale);
  EXPECT_EQ(second.taken_ns, first.taken_ns);
  EXPECT_EQ(second.numbers, first.numbers);
}

// Begins to fill for a scraper, and returns when that one has given up.
Snapshot* BeginForSomebodyWhoGivesUp(Exchange& exchange) {
  std::atomic<bool> begun{false};
  std::thread scraper([&exchange, &begun] {
    Snapshot mine(2);
    while (!begun) {
      EXPECT_EQ(exchange.Take(mine, 50ms), Exchange::Age::kNone);
    }
  });
  Snapshot* snapshot = nullptr;
  while (snapshot == nullptr) {
    snapshot = exchange.Begin();
  }
  begun = true;
  scraper.join();
  return snapshot;
}

TEST(ExchangeTest, AnAnswerThatCameTooLateIsTheLastWholeOneAndNoFreshOne) {
  Exchange exchange{Snapshot(2)};
  Snapshot* const snapshot = BeginForSomebodyWhoGivesUp(exchange);
  Fill(*snapshot, MonotonicNanos(), 7);
  exchange.Finish();
  Snapshot out(2);
  ASSERT_EQ(exchange.Take(out, 2s), Exchange::Age::kStale);
  EXPECT_EQ(out.socket_drops, 7U);
}

TEST(ExchangeTest, AReaderStuckWhileFillingHurtsNobody) {
  Exchange exchange{Snapshot(2)};
  ASSERT_NE(BeginForSomebodyWhoGivesUp(exchange), nullptr);
  Snapshot out(2);
  EXPECT_EQ(exchange.Take(out, 1ms), Exchange::Age::kNone);
  EXPECT_EQ(exchange.Take(out, 1ms), Exchange::Age::kNone);
  exchange.Finish();
}

TEST(ExchangeTest, ScrapersWhoWaitTogetherShareAnAnswer) {
  Exchange exchange{Snapshot(2)};
  constexpr int kScrapers = 8;
  std::atomic<int> arrived{0};
  std::vector<std::thread> scrapers;
  for (int i = 0; i < kScrapers; ++i) {
    scrapers.emplace_back([&exchange, &arrived] {
      ++arrived;
      Snapshot mine(2);
      EXPECT_EQ(exchange.Take(mine, 60s), Exchange::Age::kFresh);
      EXPECT_TRUE(IsOfOnePiece(mine));
    });
  }
  while (arrived < kScrapers || !exchange.Asked()) {
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

TEST(ExchangeTest, EightScrapersSeeOnlyWholeFreshAndGrowingSnapshots) {
  Exchange exchange{Snapshot(4)};
  AnsweringThread reader(exchange);
  std::vector<std::thread> scrapers;
  for (int i = 0; i < 8; ++i) {
    scrapers.emplace_back([&exchange] {
      Snapshot mine(4);
      std::uint64_t last = 0;
      for (int scrape = 0; scrape < 500; ++scrape) {
        const std::uint64_t before = MonotonicNanos();
        ASSERT_EQ(exchange.Take(mine, 60s), Exchange::Age::kFresh);
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

TEST(ExchangeTest, ScrapersThatGiveUpDisturbNoOthers) {
  Exchange exchange{Snapshot(2)};
  const AnsweringThread reader(exchange);
  std::vector<std::thread> scrapers;
  for (int i = 0; i < 4; ++i) {
    scrapers.emplace_back([&exchange, i] {
      Snapshot mine(2);
      for (int scrape = 0; scrape < 300; ++scrape) {
        const auto age = exchange.Take(mine, i % 2 == 0 ? 0ms : 60000ms);
        if (i % 2 == 1) {
          ASSERT_EQ(age, Exchange::Age::kFresh);
        }
        ASSERT_TRUE(age == Exchange::Age::kNone || IsOfOnePiece(mine));
      }
    });
  }
  for (auto& scraper : scrapers) {
    scraper.join();
  }
}

}  // namespace

namespace {

using Stage = ExchangeState::Stage;

void BringTo(ExchangeState& state, Stage stage) {
  if (stage >= Stage::kAsked) {
    ASSERT_TRUE(state.Ask());
  }
  if (stage >= Stage::kFilling) {
    ASSERT_TRUE(state.Begin());
  }
  if (stage == Stage::kFilled) {
    state.Finish();
  }
}

// Both sides as machines that make one step at a time, as Exchange does, and every state that any order of their
// steps leads to. The steps on the atomic are the real ones.
struct World {
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

  Stage stage = Stage::kIdle;
  Scraper scraper = Scraper::kLook;
  unsigned whole = 0;
  bool filling = false;  // the reader, into `filled`
  unsigned filled = 1;
  std::array<bool, 2> finished{true, true};

  auto operator<=>(const World&) const = default;
};

template <typename Step>
bool Try(World& world, Step step) {
  ExchangeState state;
  BringTo(state, world.stage);
  const bool done = step(state);
  world.stage = state.stage();
  return done;
}

World ScraperStep(World world, bool gives_up) {
  using At = World::Scraper;
  switch (world.scraper) {
    case At::kLook:  // for an answer that came after the scraper before had gone
      world.scraper = world.stage == Stage::kFilled ? At::kFlip : At::kAsk;
      break;
    case At::kFlip:
    case At::kFlipAgain:
      world.whole = 1 - world.whole;
      world.scraper = world.scraper == At::kFlip ? At::kCollect : At::kCollectAgain;
      break;
    case At::kCollect:
    case At::kCollectAgain:
      EXPECT_TRUE(Try(world, [](ExchangeState& state) { return state.Collect(); }));
      world.scraper = world.scraper == At::kCollect ? At::kAsk : At::kRead;
      break;
    case At::kAsk:
      Try(world, [](ExchangeState& state) { return state.Ask(); });
      world.scraper = At::kWait;
      break;
    case At::kWait:
      if (gives_up || world.stage == Stage::kFilled) {
        const bool taken_back = Try(world, [](ExchangeState& state) { return state.TakeBack(); });
        world.scraper = taken_back ? At::kRead : At::kLookAgain;
      }
      break;
    case At::kLookAgain:
      world.scraper = world.stage == Stage::kFilled ? At::kFlipAgain : At::kRead;
      break;
    case At::kRead:
      EXPECT_FALSE(world.filling && world.whole == world.filled) << "reads what is being written";
      EXPECT_TRUE(world.finished.at(world.whole)) << "reads what was never finished";
      world.scraper = At::kLook;
      break;
  }
  return world;
}

World ReaderStep(World world) {
  if (world.filling) {
    EXPECT_EQ(world.filled, 1 - world.whole) << "the buffer changed hands while it was written";
    world.finished.at(world.filled) = true;
    world.filling = false;
    Try(world, [](ExchangeState& state) {
      state.Finish();
      return true;
    });
  } else if (Try(world, [](ExchangeState& state) { return state.Asked() && state.Begin(); })) {
    world.filling = true;
    world.filled = 1 - world.whole;
    world.finished.at(world.filled) = false;
  }
  return world;
}

TEST(ExchangeStateTest, NoOrderOfStepsTearsASnapshot) {
  std::set<World> seen{World{}};
  std::vector<World> open{World{}};
  std::set<Stage> stages;
  while (!open.empty() && !testing::Test::HasFailure()) {
    const World world = open.back();
    open.pop_back();
    stages.insert(world.stage);
    for (const World& next : {ScraperStep(world, false), ScraperStep(world, true), ReaderStep(world)}) {
      if (seen.insert(next).second) {
        open.push_back(next);
      }
    }
  }
  EXPECT_EQ(stages.size(), 4U);
  EXPECT_GE(seen.size(), 30U) << "the machines hardly moved: this test shows nothing";
}

// Each step against the table of what it may start from.
TEST(ExchangeStateTest, EachStepStartsFromOneStageOnly) {
  struct Row {
    std::string name;
    bool (*step)(ExchangeState&);
    Stage from;
    Stage to;
  };
  const std::array<Row, 4> rows{
      {{"Ask", [](ExchangeState& state) { return state.Ask(); }, Stage::kIdle, Stage::kAsked},
       {"TakeBack", [](ExchangeState& state) { return state.TakeBack(); }, Stage::kAsked, Stage::kIdle},
       {"Begin", [](ExchangeState& state) { return state.Begin(); }, Stage::kAsked, Stage::kFilling},
       {"Collect", [](ExchangeState& state) { return state.Collect(); }, Stage::kFilled, Stage::kIdle}}};
  for (const Row& row : rows) {
    for (const Stage stage : {Stage::kIdle, Stage::kAsked, Stage::kFilling, Stage::kFilled}) {
      ExchangeState state;
      BringTo(state, stage);
      EXPECT_EQ(row.step(state), stage == row.from) << row.name << " from " << static_cast<int>(stage);
      EXPECT_EQ(state.stage(), stage == row.from ? row.to : stage) << row.name;
    }
  }
}

}  // namespace

}  // namespace procevent
