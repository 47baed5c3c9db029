#include <gtest/gtest.h>

#include <array>
#include <compare>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/reader/exchange.h"

namespace procevent {
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
