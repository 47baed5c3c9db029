// Tests the steps on the shared state of a SnapshotExchange, in every order.
#include <gtest/gtest.h>

#include <array>
#include <compare>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/reader/snapshot_exchange.h"

namespace procevent {
namespace {

using Phase = SnapshotExchangeState::Phase;

void BringTo(SnapshotExchangeState& state, Phase phase) {
  if (phase >= Phase::kRequested) {
    ASSERT_TRUE(state.TryRequest());
  }
  if (phase >= Phase::kFilling) {
    ASSERT_TRUE(state.BeginFill());
  }
  if (phase == Phase::kFilled) {
    state.FinishFill();
  }
}

// A model of the exchange: scraper and reader each make one step at a time, as SnapshotExchange does. The steps on the
// atomic are the real ones. The test visits every state that any order of steps leads to.
struct ExchangeModel {
  enum class Scraper : std::uint8_t {
    kCheckLateAnswer,
    kSwapLate,
    kAcceptLate,
    kRequest,
    kWait,
    kCheckAnswer,
    kSwap,
    kAccept,
    kRead
  };

  Phase phase = Phase::kIdle;
  Scraper scraper = Scraper::kCheckLateAnswer;
  unsigned complete = 0;
  bool filling = false;  // the reader, into `filled`
  unsigned filled = 1;
  std::array<bool, 2> finished{true, true};

  auto operator<=>(const ExchangeModel&) const = default;
};

template <typename Step>
bool Try(ExchangeModel& model, Step step) {
  SnapshotExchangeState state;
  BringTo(state, model.phase);
  const bool done = step(state);
  model.phase = state.phase();
  return done;
}

ExchangeModel ScraperStep(ExchangeModel model, bool gives_up) {
  using At = ExchangeModel::Scraper;
  switch (model.scraper) {
    case At::kCheckLateAnswer:  // an answer that came after the previous scraper gave up
      model.scraper = model.phase == Phase::kFilled ? At::kSwapLate : At::kRequest;
      break;
    case At::kSwapLate:
    case At::kSwap:
      model.complete = 1 - model.complete;
      model.scraper = model.scraper == At::kSwapLate ? At::kAcceptLate : At::kAccept;
      break;
    case At::kAcceptLate:
    case At::kAccept:
      EXPECT_TRUE(Try(model, [](SnapshotExchangeState& state) { return state.AcceptAnswer(); }));
      model.scraper = model.scraper == At::kAcceptLate ? At::kRequest : At::kRead;
      break;
    case At::kRequest:
      Try(model, [](SnapshotExchangeState& state) { return state.TryRequest(); });
      model.scraper = At::kWait;
      break;
    case At::kWait:
      if (gives_up || model.phase == Phase::kFilled) {
        const bool cancelled = Try(model, [](SnapshotExchangeState& state) { return state.CancelRequest(); });
        model.scraper = cancelled ? At::kRead : At::kCheckAnswer;
      }
      break;
    case At::kCheckAnswer:
      model.scraper = model.phase == Phase::kFilled ? At::kSwap : At::kRead;
      break;
    case At::kRead:
      EXPECT_FALSE(model.filling && model.complete == model.filled) << "reads what is being written";
      EXPECT_TRUE(model.finished.at(model.complete)) << "reads what was never finished";
      model.scraper = At::kCheckLateAnswer;
      break;
  }
  return model;
}

ExchangeModel ReaderStep(ExchangeModel model) {
  if (model.filling) {
    EXPECT_EQ(model.filled, 1 - model.complete) << "the buffer changed hands while it was written";
    model.finished.at(model.filled) = true;
    model.filling = false;
    Try(model, [](SnapshotExchangeState& state) {
      state.FinishFill();
      return true;
    });
  } else if (Try(model, [](SnapshotExchangeState& state) { return state.IsRequested() && state.BeginFill(); })) {
    model.filling = true;
    model.filled = 1 - model.complete;
    model.finished.at(model.filled) = false;
  }
  return model;
}

TEST(SnapshotExchangeStateTest, NeverTearsASnapshotInAnyOrderOfSteps) {
  std::set<ExchangeModel> visited{ExchangeModel{}};
  std::vector<ExchangeModel> open{ExchangeModel{}};
  std::set<Phase> phases;
  while (!open.empty() && !testing::Test::HasFailure()) {
    const ExchangeModel model = open.back();
    open.pop_back();
    phases.insert(model.phase);
    for (const ExchangeModel& next : {ScraperStep(model, false), ScraperStep(model, true), ReaderStep(model)}) {
      if (visited.insert(next).second) {
        open.push_back(next);
      }
    }
  }
  EXPECT_EQ(phases.size(), 4U);
  EXPECT_GE(visited.size(), 30U) << "few states were visited: this test shows nothing";
}

// Each step against the table of what it may start from.
TEST(SnapshotExchangeStateTest, AllowsEachStepFromOnePhaseOnly) {
  struct Row {
    std::string name;
    bool (*step)(SnapshotExchangeState&);
    Phase from;
    Phase to;
  };
  const std::array<Row, 4> rows{
      {{"TryRequest", [](SnapshotExchangeState& state) { return state.TryRequest(); }, Phase::kIdle, Phase::kRequested},
       {"CancelRequest", [](SnapshotExchangeState& state) { return state.CancelRequest(); }, Phase::kRequested,
        Phase::kIdle},
       {"BeginFill", [](SnapshotExchangeState& state) { return state.BeginFill(); }, Phase::kRequested,
        Phase::kFilling},
       {"AcceptAnswer", [](SnapshotExchangeState& state) { return state.AcceptAnswer(); }, Phase::kFilled,
        Phase::kIdle}}};
  for (const Row& row : rows) {
    for (const Phase phase : {Phase::kIdle, Phase::kRequested, Phase::kFilling, Phase::kFilled}) {
      SnapshotExchangeState state;
      BringTo(state, phase);
      EXPECT_EQ(row.step(state), phase == row.from) << row.name << " from " << static_cast<int>(phase);
      EXPECT_EQ(state.phase(), phase == row.from ? row.to : phase) << row.name;
    }
  }
}

}  // namespace
}  // namespace procevent
