// The ledger against its reference, on random streams of a simulated machine, with a simulated /proc: 10^6 events, and
// every number agrees all along.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "tests/core/ledger/ledger_pair.h"
#include "tests/core/ledger/simulated_host.h"

namespace procevent {
namespace {

enum class Losses { kNone, kBursts, kHalf };

struct Stream {
  std::string name;
  std::uint64_t events = 0;
  SimulatedHostOptions world = {};
  LedgerOptions ledger = {};
  Losses losses = Losses::kNone;
  double looking = 0.7;     // how often names are looked for after a batch
  double surveying = 0.02;  // and all of /proc
  std::uint64_t most_steps = 100;
  bool lose_while_looking = false;
};

// For longer runs: other streams of the same kinds.
std::uint64_t SeedOf(const Stream& stream) {
  const char* offset = std::getenv("PROCEVENT_REFERENCE_SEED");
  return stream.world.seed + (offset != nullptr ? std::strtoull(offset, nullptr, 10) : 0);
}
SimulatedHostOptions WorldOf(const Stream& stream) {
  SimulatedHostOptions options = stream.world;
  options.seed = SeedOf(stream);
  return options;
}

// The machine, the ledgers, and the reader's loop.
class Machine {
 public:
  explicit Machine(const Stream& stream)
      : stream_(stream),
        random_(SeedOf(stream)),
        world_(WorldOf(stream)),
        pair_(world_, stream.world.cpus, stream.ledger, SeedOf(stream)) {
    world_.SoundCanaries();
    pair_.Bootstrap();
  }

  // One turn of the reader's.
  void Turn() {
    ChangeLosses();
    for (std::uint64_t steps = 1 + random_() % stream_.most_steps; steps > 0; --steps) {
      world_.Step();
    }
    if (world_.HidesLosses()) {
      world_.SoundCanaries();
    }
    pair_.Drain();
    if (world_.HidesLosses()) {
      return;
    }
    if (!stream_.lose_while_looking) {
      StopLosses();
    }
    if (Chance(stream_.looking)) {
      pair_.LookForNames(256);
    }
    if (Chance(stream_.surveying)) {
      pair_.Survey();
    }
  }
  void StopLosses() {
    world_.LoseAtRandom(0);
    world_.LoseNext(0);
  }

  SimulatedHost& world() { return world_; }
  LedgerPair& pair() { return pair_; }
  bool Chance(double probability) { return std::bernoulli_distribution(probability)(random_); }

 private:
  void ChangeLosses() {
    ++turn_;
    if (stream_.losses == Losses::kBursts && Chance(0.05)) {
      world_.LoseNext(1 + random_() % 200);
    }
    if (stream_.losses == Losses::kHalf) {
      world_.LoseAtRandom(turn_ / 8 % 2 == 0 ? 0.5 : 0);
    }
  }

  const Stream& stream_;
  std::mt19937_64 random_;
  SimulatedHost world_;
  LedgerPair pair_;
  std::uint64_t turn_ = 0;
};

LedgerOptions SmallTables() {
  LedgerOptions options;
  options.process_limit = 90;
  options.comm_limit = 20;
  options.comm_retire_after = std::chrono::milliseconds(100);
  options.exit_code_by_comm = true;
  options.lifetime_by_comm = true;
  return options;
}

std::vector<Stream> Streams() {
  return {
      {.name = "WithoutLoss", .events = 200'000, .world = {.seed = 1}},
      {.name = "SmallTables", .events = 150'000, .world = {.seed = 2}, .ledger = SmallTables()},
      {.name = "Bursts", .events = 150'000, .world = {.seed = 3}, .losses = Losses::kBursts},
      {.name = "BurstsSmallTables",
       .events = 100'000,
       .world = {.seed = 4, .cpus = 1},
       .ledger = SmallTables(),
       .losses = Losses::kBursts},
      {.name = "HalfLost", .events = 150'000, .world = {.seed = 5}, .losses = Losses::kHalf},
      {.name = "HalfLostSmallTables",
       .events = 100'000,
       .world = {.seed = 6, .cpus = 8},
       .ledger = SmallTables(),
       .losses = Losses::kHalf,
       .lose_while_looking = true},
      {.name = "OfMinutes",
       .events = 100'000,
       .world = {.seed = 7, .gap_ns = 3'000'000, .slowness_ns = 9'000'000},
       .losses = Losses::kBursts,
       .most_steps = 10},
      {.name = "NobodyLooks",
       .events = 100'000,
       .world = {.seed = 8, .pids = 40'000, .processes = 10'000, .gap_ns = 5'000},
       .looking = 0.001,
       .surveying = 0.001},
  };
}

class LedgerReferenceTest : public ::testing::TestWithParam<Stream> {};

TEST_P(LedgerReferenceTest, AgreesOnEveryNumber) {
  constexpr std::uint64_t kBetweenChecks = 300;
  constexpr std::uint64_t kBetweenPeaks = 30;
  const Stream& stream = GetParam();
  Machine machine(stream);
  std::uint64_t next_check = 0;
  std::uint64_t checks = 0;
  while (machine.pair().booked() < stream.events / kSlowdown) {
    machine.Turn();
    ASSERT_FALSE(HasFatalFailure());
    if (machine.pair().booked() >= next_check) {
      next_check = machine.pair().booked() + kBetweenChecks;
      ASSERT_TRUE(machine.pair().Agree(checks++ % kBetweenPeaks == 0))
          << "after " << machine.pair().booked() << " events";
      ASSERT_TRUE(machine.pair().HoldInvariants()) << "after " << machine.pair().booked() << " events";
    }
  }
  machine.StopLosses();
  machine.world().SoundCanaries();
  machine.pair().Drain();
  ASSERT_TRUE(machine.pair().Agree(true));
  ASSERT_TRUE(machine.pair().HoldInvariants());
  EXPECT_EQ(machine.pair().booked() + machine.world().lost(), machine.world().generated());
  EXPECT_EQ(machine.pair().numbers().total_lost(), machine.world().lost());
  if (kSlowdown == 1 && stream.ledger.process_limit < stream.world.processes) {
    const LedgerSnapshot& numbers = machine.pair().numbers();
    const auto& retired = numbers.comms.rows[static_cast<std::size_t>(ReservedComm::kRetired)];
    EXPECT_GT(numbers.dropped[static_cast<std::size_t>(ProcessDropReason::kEvicted)], 0U);
    EXPECT_GT(numbers.comms.overflowed, 0U);
    EXPECT_GT(retired.counts[CountKind::kForks], 0U);
    EXPECT_GT(retired.lifetimes.count(), 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Streams, LedgerReferenceTest, ::testing::ValuesIn(Streams()),
                         [](const auto& stream) { return stream.param.name; });

class LedgerSurveyTest : public ::testing::TestWithParam<Stream> {};

std::vector<Stream> StreamsWithRoomForAll() {
  std::vector<Stream> streams = Streams();
  std::erase_if(streams, [](const Stream& stream) { return stream.ledger.process_limit < stream.world.processes * 2; });
  return streams;
}

TEST_P(LedgerSurveyTest, KnowsAgainWhoLivesOnceThereIsSilence) {
  const Stream& stream = GetParam();
  Machine machine(stream);
  while (machine.pair().booked() < stream.events / kSlowdown / 10) {
    machine.Turn();
    ASSERT_FALSE(HasFatalFailure());
  }
  machine.StopLosses();
  machine.pair().Reconcile();
  EXPECT_TRUE(machine.pair().Agree(true));
  EXPECT_TRUE(machine.pair().KnowTheTruth());
}

INSTANTIATE_TEST_SUITE_P(Streams, LedgerSurveyTest, ::testing::ValuesIn(StreamsWithRoomForAll()),
                         [](const auto& stream) { return stream.param.name; });

class LedgerTruthTest : public ::testing::TestWithParam<Stream> {};

std::vector<Stream> NamedStreams() {
  LedgerOptions names;
  names.comm_limit = 20'000;
  const auto with = [&](const char* name, std::uint64_t seed, Losses losses) {
    return Stream{
        .name = name, .events = 60'000, .world = {.seed = seed, .names = 0}, .ledger = names, .losses = losses};
  };
  std::vector<Stream> streams{with("WithoutLoss", 11, Losses::kNone), with("Bursts", 12, Losses::kBursts),
                              with("HalfLost", 13, Losses::kHalf)};
  streams.push_back(with("LossWhileLooking", 14, Losses::kHalf));
  streams.back().lose_while_looking = true;
  streams.push_back(with("Slow", 15, Losses::kNone));
  streams.back().world.gap_ns = 1'000'000;
  streams.back().world.slowness_ns = 9'900'000;
  streams.back().most_steps = 10;
  streams.push_back(with("FewNumbers", 16, Losses::kHalf));
  streams.back().world.processes = 10;
  streams.back().world.pids = 25;
  streams.back().world.cpus = 8;
  streams.back().world.migrations = 0.5;
  streams.back().world.gap_ns = 1'000'000;
  streams.push_back(streams.back());
  streams.back().name = "FewNumbersLossWhileLooking";
  streams.back().lose_while_looking = true;
  return streams;
}

// A lost EXEC before a COMM event, on a CPU whose next event has not come yet, makes the exec before it go by the name
// that the lost one's program gave itself: it is the process's, though of a later program. A look at /proc does not
// err so, if nothing is lost between the emptying of the queue and the look.
TEST_P(LedgerTruthTest, BooksNoExecUnderANameThatTheProcessDidNotBear) {
  const Stream& stream = GetParam();
  Machine machine(stream);
  std::uint64_t named = 0;
  while (machine.pair().booked() < stream.events / kSlowdown) {
    machine.Turn();
    ASSERT_FALSE(HasFatalFailure());
    for (const auto& [exec, name, how] : machine.pair().booked_execs()) {
      if (!name) {
        continue;
      }
      ++named;
      const bool may_be_later = how == "comm_event" ? stream.losses != Losses::kNone : stream.lose_while_looking;
      const SimulatedHost::Until until = may_be_later ? SimulatedHost::Until::kEnd : SimulatedHost::Until::kNextExec;
      ASSERT_TRUE(machine.world().Bore(exec.cpu, exec.sequence, *name, until)) << *name << " by " << how;
    }
    machine.pair().booked_execs().clear();
  }
  ASSERT_TRUE(machine.pair().Agree(true));
  const CommStatistics& comms = machine.pair().numbers().comms;
  EXPECT_EQ(comms.overflowed, 0U);  // each name in a row of its own
  EXPECT_GT(named * 10, machine.pair().numbers().events_of(EventKind::kExec));
}

INSTANTIATE_TEST_SUITE_P(Streams, LedgerTruthTest, ::testing::ValuesIn(NamedStreams()),
                         [](const auto& stream) { return stream.param.name; });

}  // namespace
}  // namespace procevent
