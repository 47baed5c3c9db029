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
  SimulatedHostOptions host = {};
  LedgerOptions ledger = {};
  Losses losses = Losses::kNone;
  double read_probability = 0.7;   // reason often names are looked for after a batch
  double pass_probability = 0.02;  // and all of /proc
  std::uint64_t max_steps = 100;
  bool lose_during_reads = false;
};

// For longer runs: other streams of the same kinds.
std::uint64_t SeedOf(const Stream& stream) {
  const char* offset = std::getenv("PROCEVENT_REFERENCE_SEED");
  return stream.host.seed + (offset != nullptr ? std::strtoull(offset, nullptr, 10) : 0);
}
SimulatedHostOptions HostOptionsOf(const Stream& stream) {
  SimulatedHostOptions options = stream.host;
  options.seed = SeedOf(stream);
  return options;
}

// The machine, the ledgers, and the reader's loop.
class Machine {
 public:
  explicit Machine(const Stream& stream)
      : stream_(stream),
        random_(SeedOf(stream)),
        host_(HostOptionsOf(stream)),
        pair_(host_, stream.host.cpus, stream.ledger, SeedOf(stream)) {
    host_.SendCanaries();
    pair_.Bootstrap();
  }

  // One turn of the reader's.
  void RunTurn() {
    ChangeLosses();
    for (std::uint64_t steps = 1 + random_() % stream_.max_steps; steps > 0; --steps) {
      host_.Step();
    }
    if (host_.HasHiddenLosses()) {
      host_.SendCanaries();
    }
    pair_.Drain();
    if (host_.HasHiddenLosses()) {
      return;
    }
    if (!stream_.lose_during_reads) {
      StopLosses();
    }
    if (Chance(stream_.read_probability)) {
      pair_.ReadNames(256);
    }
    if (Chance(stream_.pass_probability)) {
      pair_.RunPass();
    }
  }
  void StopLosses() {
    host_.LoseAtRandom(0);
    host_.LoseNext(0);
  }

  SimulatedHost& host() { return host_; }
  LedgerPair& pair() { return pair_; }
  bool Chance(double probability) { return std::bernoulli_distribution(probability)(random_); }

 private:
  void ChangeLosses() {
    ++turn_;
    if (stream_.losses == Losses::kBursts && Chance(0.05)) {
      host_.LoseNext(1 + random_() % 200);
    }
    if (stream_.losses == Losses::kHalf) {
      host_.LoseAtRandom(turn_ / 8 % 2 == 0 ? 0.5 : 0);
    }
  }

  const Stream& stream_;
  std::mt19937_64 random_;
  SimulatedHost host_;
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
      {.name = "WithoutLoss", .events = 200'000, .host = {.seed = 1}},
      {.name = "SmallTables", .events = 150'000, .host = {.seed = 2}, .ledger = SmallTables()},
      {.name = "Bursts", .events = 150'000, .host = {.seed = 3}, .losses = Losses::kBursts},
      {.name = "BurstsSmallTables",
       .events = 100'000,
       .host = {.seed = 4, .cpus = 1},
       .ledger = SmallTables(),
       .losses = Losses::kBursts},
      {.name = "HalfLost", .events = 150'000, .host = {.seed = 5}, .losses = Losses::kHalf},
      {.name = "HalfLostSmallTables",
       .events = 100'000,
       .host = {.seed = 6, .cpus = 8},
       .ledger = SmallTables(),
       .losses = Losses::kHalf,
       .lose_during_reads = true},
      {.name = "OfMinutes",
       .events = 100'000,
       .host = {.seed = 7, .mean_gap_ns = 3'000'000, .max_delay_ns = 9'000'000},
       .losses = Losses::kBursts,
       .max_steps = 10},
      {.name = "RareReads",
       .events = 100'000,
       .host = {.seed = 8, .pids = 40'000, .processes = 10'000, .mean_gap_ns = 5'000},
       .read_probability = 0.001,
       .pass_probability = 0.001},
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
  while (machine.pair().applied() < stream.events / kSlowdown) {
    machine.RunTurn();
    ASSERT_FALSE(HasFatalFailure());
    if (machine.pair().applied() >= next_check) {
      next_check = machine.pair().applied() + kBetweenChecks;
      ASSERT_TRUE(machine.pair().Agree(checks++ % kBetweenPeaks == 0))
          << "after " << machine.pair().applied() << " events";
      ASSERT_TRUE(machine.pair().HoldInvariants()) << "after " << machine.pair().applied() << " events";
    }
  }
  machine.StopLosses();
  machine.host().SendCanaries();
  machine.pair().Drain();
  ASSERT_TRUE(machine.pair().Agree(true));
  ASSERT_TRUE(machine.pair().HoldInvariants());
  EXPECT_EQ(machine.pair().applied() + machine.host().lost(), machine.host().generated());
  EXPECT_EQ(machine.pair().numbers().total_lost(), machine.host().lost());
  if (kSlowdown == 1 && stream.ledger.process_limit < stream.host.processes) {
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

class LedgerReconcileTest : public ::testing::TestWithParam<Stream> {};

std::vector<Stream> StreamsWithoutEviction() {
  std::vector<Stream> streams = Streams();
  std::erase_if(streams, [](const Stream& stream) { return stream.ledger.process_limit < stream.host.processes * 2; });
  return streams;
}

TEST_P(LedgerReconcileTest, KnowsAgainWhoLivesOnceThereIsSilence) {
  const Stream& stream = GetParam();
  Machine machine(stream);
  while (machine.pair().applied() < stream.events / kSlowdown / 10) {
    machine.RunTurn();
    ASSERT_FALSE(HasFatalFailure());
  }
  machine.StopLosses();
  machine.pair().Reconcile();
  EXPECT_TRUE(machine.pair().Agree(true));
  EXPECT_TRUE(machine.pair().MatchHost());
}

INSTANTIATE_TEST_SUITE_P(Streams, LedgerReconcileTest, ::testing::ValuesIn(StreamsWithoutEviction()),
                         [](const auto& stream) { return stream.param.name; });

class LedgerTruthTest : public ::testing::TestWithParam<Stream> {};

std::vector<Stream> NamedStreams() {
  LedgerOptions names;
  names.comm_limit = 20'000;
  const auto with = [&](const char* name, std::uint64_t seed, Losses losses) {
    return Stream{
        .name = name, .events = 60'000, .host = {.seed = seed, .names = 0}, .ledger = names, .losses = losses};
  };
  std::vector<Stream> streams{with("WithoutLoss", 11, Losses::kNone), with("Bursts", 12, Losses::kBursts),
                              with("HalfLost", 13, Losses::kHalf)};
  streams.push_back(with("LossDuringReads", 14, Losses::kHalf));
  streams.back().lose_during_reads = true;
  streams.push_back(with("Slow", 15, Losses::kNone));
  streams.back().host.mean_gap_ns = 1'000'000;
  streams.back().host.max_delay_ns = 9'900'000;
  streams.back().max_steps = 10;
  streams.push_back(with("FewNumbers", 16, Losses::kHalf));
  streams.back().host.processes = 10;
  streams.back().host.pids = 25;
  streams.back().host.cpus = 8;
  streams.back().host.migration_probability = 0.5;
  streams.back().host.mean_gap_ns = 1'000'000;
  streams.push_back(streams.back());
  streams.back().name = "FewNumbersLossDuringReads";
  streams.back().lose_during_reads = true;
  return streams;
}

// A lost EXEC before a COMM event, on a CPU whose next event has not come yet, makes the exec before it go by the name
// that the lost one's program gave itself: it is the process's, though of a later program. A look at /proc does not
// err so, if nothing is lost between the emptying of the queue and the look.
TEST_P(LedgerTruthTest, BooksNoExecUnderANameThatTheProcessDidNotBear) {
  const Stream& stream = GetParam();
  Machine machine(stream);
  std::uint64_t named = 0;
  while (machine.pair().applied() < stream.events / kSlowdown) {
    machine.RunTurn();
    ASSERT_FALSE(HasFatalFailure());
    for (const auto& [exec, name, reason] : machine.pair().recorded_execs()) {
      if (!name) {
        continue;
      }
      ++named;
      const bool may_be_later = reason == "comm_event" ? stream.losses != Losses::kNone : stream.lose_during_reads;
      const SimulatedHost::Until until = may_be_later ? SimulatedHost::Until::kEnd : SimulatedHost::Until::kNextExec;
      ASSERT_TRUE(machine.host().HadName(exec.cpu, exec.sequence, *name, until)) << *name << " by " << reason;
    }
    machine.pair().recorded_execs().clear();
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
