// Compares the processor with its reference on random streams of a simulated host with a simulated /proc. All counts
// must agree throughout 10^6 events.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/core/reference/processor_pair.h"
#include "tests/core/reference/simulated_host.h"

namespace procevent {
namespace {

enum class Losses { kNone, kBursts, kHalf };

struct Stream {
  std::string name;
  std::uint64_t events = 0;
  SimulatedHostOptions host = {};
  CountingOptions options = {};
  Losses losses = Losses::kNone;
  double read_probability = 0.7;   // that /proc is read for names after a batch
  double pass_probability = 0.02;  // that a pass over /proc follows
  std::uint64_t max_steps = 100;
  bool lose_during_reads = false;
};

// PROCEVENT_REFERENCE_SEED selects other streams of the same kinds, for longer runs.
std::uint64_t SeedOf(const Stream& stream) {
  const char* offset = std::getenv("PROCEVENT_REFERENCE_SEED");
  return stream.host.seed + (offset != nullptr ? std::strtoull(offset, nullptr, 10) : 0);
}
SimulatedHostOptions HostOptionsOf(const Stream& stream) {
  SimulatedHostOptions options = stream.host;
  options.seed = SeedOf(stream);
  return options;
}

// Runs the loop of the reader between the host and the pair.
class Simulation {
 public:
  // Writes the inputs to `capture` if it is not null.
  explicit Simulation(const Stream& stream, PairCapture* capture = nullptr)
      : stream_(stream),
        random_(SeedOf(stream)),
        host_(HostOptionsOf(stream)),
        pair_(host_, stream.host.cpus, stream.options, SeedOf(stream)) {
    if (capture != nullptr) {
      pair_.RecordTo(*capture);
    }
    host_.SendCanaries();
    pair_.Bootstrap();
  }

  // One iteration of the loop of the reader.
  void RunIteration() {
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
  ProcessorPair& pair() { return pair_; }
  bool Chance(double probability) { return std::bernoulli_distribution(probability)(random_); }

 private:
  void ChangeLosses() {
    ++iteration_;
    if (stream_.losses == Losses::kBursts && Chance(0.05)) {
      host_.LoseNext(1 + random_() % 200);
    }
    if (stream_.losses == Losses::kHalf) {
      host_.LoseAtRandom(iteration_ / 8 % 2 == 0 ? 0.5 : 0);
    }
  }

  const Stream& stream_;
  std::mt19937_64 random_;
  SimulatedHost host_;
  ProcessorPair pair_;
  std::uint64_t iteration_ = 0;
};

CountingOptions SmallTables() {
  CountingOptions options;
  options.process_limit = 90;
  options.group_limit = 20;
  options.group_retire_after = std::chrono::milliseconds(100);
  options.exit_code_by_group = true;
  options.lifetime_by_group = true;
  return options;
}

std::vector<Stream> Streams() {
  return {
      {.name = "WithoutLoss", .events = 200'000, .host = {.seed = 1}},
      {.name = "SmallTables", .events = 150'000, .host = {.seed = 2}, .options = SmallTables()},
      {.name = "Bursts", .events = 150'000, .host = {.seed = 3}, .losses = Losses::kBursts},
      {.name = "BurstsSmallTables",
       .events = 100'000,
       .host = {.seed = 4, .cpus = 1},
       .options = SmallTables(),
       .losses = Losses::kBursts},
      {.name = "HalfLost", .events = 150'000, .host = {.seed = 5}, .losses = Losses::kHalf},
      {.name = "HalfLostSmallTables",
       .events = 100'000,
       .host = {.seed = 6, .cpus = 8},
       .options = SmallTables(),
       .losses = Losses::kHalf,
       .lose_during_reads = true},
      {.name = "SpansMinutes",
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

// PROCEVENT_REFERENCE_CAPTURES is a folder where the inputs of each stream are kept, as NAME.pcap. Replays of two
// builds are compared on them: tests/e2e/compare_expositions.py.
std::unique_ptr<PairCapture> CaptureOf(const Stream& stream) {
  const char* folder = std::getenv("PROCEVENT_REFERENCE_CAPTURES");
  return folder == nullptr ? nullptr : std::make_unique<PairCapture>(std::string(folder) + "/" + stream.name + ".pcap");
}

class ReferenceTest : public ::testing::TestWithParam<Stream> {};

TEST_P(ReferenceTest, AgreesOnEveryNumber) {
  constexpr std::uint64_t kBetweenChecks = 300;
  constexpr std::uint64_t kBetweenPeaks = 30;
  const Stream& stream = GetParam();
  const std::unique_ptr<PairCapture> capture = CaptureOf(stream);
  Simulation simulation(stream, capture.get());
  std::uint64_t next_check = 0;
  std::uint64_t checks = 0;
  while (simulation.pair().applied() < stream.events / kSlowdown) {
    simulation.RunIteration();
    ASSERT_FALSE(HasFatalFailure());
    if (simulation.pair().applied() >= next_check) {
      next_check = simulation.pair().applied() + kBetweenChecks;
      ASSERT_TRUE(simulation.pair().Agree(checks++ % kBetweenPeaks == 0))
          << "after " << simulation.pair().applied() << " events";
      ASSERT_TRUE(simulation.pair().HoldInvariants()) << "after " << simulation.pair().applied() << " events";
    }
  }
  simulation.StopLosses();
  simulation.host().SendCanaries();
  simulation.pair().Drain();
  ASSERT_TRUE(simulation.pair().Agree(true));
  ASSERT_TRUE(simulation.pair().HoldInvariants());
  EXPECT_EQ(simulation.pair().applied() + simulation.host().lost(), simulation.host().generated());
  EXPECT_EQ(simulation.pair().snapshot().total_lost(), simulation.host().lost());
  EXPECT_TRUE(!capture || capture->Finish().ok());
  if (kSlowdown == 1 && stream.options.process_limit < stream.host.processes) {
    const Numbers& snapshot = simulation.pair().snapshot();
    EXPECT_GT(snapshot.dropped[static_cast<std::size_t>(ProcessDropReason::kEvicted)], 0U);
    EXPECT_GT(snapshot.groups.overflowed, 0U);
    EXPECT_GT(snapshot.groups.retired[CountKind::kForks], 0U);
    EXPECT_FALSE(simulation.pair().exit_reasons_complete()) << "no bound of exit reasons was reached";
  }
}

INSTANTIATE_TEST_SUITE_P(Streams, ReferenceTest, ::testing::ValuesIn(Streams()),
                         [](const auto& stream) { return stream.param.name; });

class ReferenceReconcileTest : public ::testing::TestWithParam<Stream> {};

std::vector<Stream> StreamsWithoutEviction() {
  std::vector<Stream> streams = Streams();
  std::erase_if(streams, [](const Stream& stream) { return stream.options.process_limit < stream.host.processes * 2; });
  return streams;
}

TEST_P(ReferenceReconcileTest, MatchesTheHostAfterAnIdleTime) {
  const Stream& stream = GetParam();
  Simulation simulation(stream);
  while (simulation.pair().applied() < stream.events / kSlowdown / 10) {
    simulation.RunIteration();
    ASSERT_FALSE(HasFatalFailure());
  }
  simulation.StopLosses();
  simulation.pair().Reconcile();
  EXPECT_TRUE(simulation.pair().Agree(true));
  EXPECT_TRUE(simulation.pair().MatchHost());
}

INSTANTIATE_TEST_SUITE_P(Streams, ReferenceReconcileTest, ::testing::ValuesIn(StreamsWithoutEviction()),
                         [](const auto& stream) { return stream.param.name; });

class ReferenceNameTest : public ::testing::TestWithParam<Stream> {};

std::vector<Stream> StreamsWithUniqueNames() {
  CountingOptions names;
  names.group_limit = 20'000;
  const auto with = [&](const char* name, std::uint64_t seed, Losses losses) {
    return Stream{
        .name = name, .events = 60'000, .host = {.seed = seed, .names = 0}, .options = names, .losses = losses};
  };
  std::vector<Stream> streams{with("WithoutLoss", 11, Losses::kNone), with("Bursts", 12, Losses::kBursts),
                              with("HalfLost", 13, Losses::kHalf)};
  streams.push_back(with("LossDuringReads", 14, Losses::kHalf));
  streams.back().lose_during_reads = true;
  streams.push_back(with("Slow", 15, Losses::kNone));
  streams.back().host.mean_gap_ns = 1'000'000;
  streams.back().host.max_delay_ns = 9'900'000;
  streams.back().max_steps = 10;
  streams.push_back(with("FewPids", 16, Losses::kHalf));
  streams.back().host.processes = 10;
  streams.back().host.pids = 25;
  streams.back().host.cpus = 8;
  streams.back().host.migration_probability = 0.5;
  streams.back().host.mean_gap_ns = 1'000'000;
  streams.push_back(streams.back());
  streams.back().name = "FewPidsLossDuringReads";
  streams.back().lose_during_reads = true;
  return streams;
}

// A COMM event may name an earlier exec than its own, see "Known limits" in core/tracker/name_resolver.h: the name is
// one that the process had, but in a later program. A name from /proc is that of the exec, provided that nothing is
// lost between the drain and the read.
TEST_P(ReferenceNameTest, RecordsExecsOnlyUnderNamesThatTheProcessHad) {
  const Stream& stream = GetParam();
  Simulation simulation(stream);
  std::uint64_t named = 0;
  while (simulation.pair().applied() < stream.events / kSlowdown) {
    simulation.RunIteration();
    ASSERT_FALSE(HasFatalFailure());
    for (const auto& [exec, name, source] : simulation.pair().recorded_execs()) {
      if (!name) {
        continue;
      }
      ++named;
      const bool may_be_later = source == "comm_event" ? stream.losses != Losses::kNone : stream.lose_during_reads;
      const SimulatedHost::Until until = may_be_later ? SimulatedHost::Until::kEnd : SimulatedHost::Until::kNextExec;
      ASSERT_TRUE(simulation.host().HadName(exec.cpu, exec.sequence, *name, until)) << *name << " by " << source;
    }
    simulation.pair().recorded_execs().clear();
  }
  ASSERT_TRUE(simulation.pair().Agree(true));
  const GroupTableState& groups = simulation.pair().snapshot().groups;
  EXPECT_EQ(groups.overflowed, 0U);  // each name has its own row
  EXPECT_GT(named * 10, simulation.pair().snapshot().events_of(EventKind::kExec));
}

INSTANTIATE_TEST_SUITE_P(Streams, ReferenceNameTest, ::testing::ValuesIn(StreamsWithUniqueNames()),
                         [](const auto& stream) { return stream.param.name; });

}  // namespace
}  // namespace procevent
