#include "core/protocol/sequence_tracker.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "core/protocol/event.h"

namespace procevent {
namespace {

struct Row {
  std::string_view name;
  std::uint32_t before;
  std::uint32_t now;
  bool repeated;
  std::uint32_t lost;
};

constexpr std::uint32_t kHorizon = 1U << 24U;

TEST(SequenceTrackerTest, AfterABaseline) {
  const std::vector<Row> rows{
      {"the next", 5, 6, false, 0},
      {"one lost", 5, 7, false, 1},
      {"a thousand lost", 5, 1006, false, 1000},
      {"the next, wrapped", UINT32_MAX, 0, false, 0},
      {"lost around the wrap", UINT32_MAX - 1, 2, false, 3},
      {"the same", 5, 5, true, 0},
      {"the one before", 5, 4, true, 0},
      {"before the wrap", 2, UINT32_MAX, true, 0},
      {"as far back as a repeat can be", kHorizon, 1, true, 0},
      {"farther back: the counter ran on and around", kHorizon, 0, false, UINT32_MAX - kHorizon},
      {"farther back, across the wrap", 0, 0U - kHorizon, false, UINT32_MAX - kHorizon},
      {"half around", 0, 0x80000000, false, 0x7fffffff},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    SequenceTracker sequence(1);
    const SequenceTracker::Arrival first = sequence.Observe(0, row.before);
    EXPECT_FALSE(first.duplicate);
    EXPECT_EQ(first.lost, 0U);
    const SequenceTracker::Arrival second = sequence.Observe(0, row.now);
    EXPECT_EQ(second.duplicate, row.repeated);
    EXPECT_EQ(second.lost, row.lost);
    // A repeat leaves the baseline where it was, everything else moves it.
    const std::uint32_t baseline = row.repeated ? row.before : row.now;
    const SequenceTracker::Arrival third = sequence.Observe(0, baseline + 1);
    EXPECT_FALSE(third.duplicate);
    EXPECT_EQ(third.lost, 0U);
  }
}

TEST(SequenceTrackerTest, ACpuSeenFirstSetsItsOwnBaseline) {
  SequenceTracker sequence(3);
  EXPECT_EQ(sequence.Observe(0, 1000).lost, 0U);
  EXPECT_EQ(sequence.Observe(2, 7).lost, 0U);
  EXPECT_EQ(sequence.Observe(1, 0).lost, 0U);
  EXPECT_EQ(sequence.Observe(2, 9).lost, 1U);
  EXPECT_EQ(sequence.Observe(0, 1001).lost, 0U);
  EXPECT_TRUE(sequence.Observe(1, 0).duplicate);
}

TEST(SequenceTrackerTest, CpusBeyondThePossibleOnesAreNotWatched) {
  SequenceTracker sequence(2);
  for (const std::uint32_t cpu : {2U, 3U, kNoCpu}) {
    for (const std::uint32_t number : {5U, 5U, 100U, 1U}) {
      const SequenceTracker::Arrival arrival = sequence.Observe(cpu, number);
      EXPECT_FALSE(arrival.duplicate);
      EXPECT_EQ(arrival.lost, 0U);
    }
  }
}

// The kernel's counters, each near its wrap, and sockets that lose events. Events bear their true, endless number too.
struct GeneratedEvent {
  std::uint32_t cpu;
  std::uint64_t number;
  [[nodiscard]] std::uint32_t on_the_wire() const { return static_cast<std::uint32_t>(number); }
};

class Kernel {
 public:
  static constexpr std::uint32_t kCpus = 5;

  explicit Kernel(std::uint64_t seed) : random_(seed) {
    for (std::uint64_t& number : next_) {
      number = UINT32_MAX - Below(300);
    }
  }

  std::uint64_t Below(std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(random_);
  }
  GeneratedEvent Make(std::uint32_t cpu) { return {cpu, next_[cpu]++}; }
  GeneratedEvent MakeAnywhere() { return Make(static_cast<std::uint32_t>(Below(kCpus))); }

 private:
  std::mt19937_64 random_;
  std::array<std::uint64_t, kCpus> next_{};
};

// Obvious, because nothing wraps: the highest number of each CPU so far.
class ReferenceSequenceTracker {
 public:
  SequenceTracker::Arrival Note(const GeneratedEvent& event) {
    std::optional<std::uint64_t>& last = last_[event.cpu];
    SequenceTracker::Arrival arrival;
    if (last.has_value() && event.number <= *last) {
      arrival.duplicate = true;
      return arrival;
    }
    arrival.lost = last.has_value() ? static_cast<std::uint32_t>(event.number - *last - 1) : 0;
    last = event.number;
    return arrival;
  }

 private:
  std::array<std::optional<std::uint64_t>, Kernel::kCpus> last_{};
};

// What the reader hears over a life of several sockets: at each changeover the fresh socket's queue begins before the
// old one's ends. Each socket loses events of its own.
std::vector<GeneratedEvent> Heard(Kernel& kernel) {
  std::vector<GeneratedEvent> heard;
  for (std::uint32_t cpu = 0; cpu < Kernel::kCpus; ++cpu) {
    heard.push_back(kernel.Make(cpu));
  }
  std::vector<GeneratedEvent> fresh;
  for (std::uint64_t sockets = kernel.Below(4) + 1; sockets > 0; --sockets) {
    heard.insert(heard.end(), fresh.begin(), fresh.end());
    fresh.clear();
    const std::uint64_t alone = kernel.Below(300);
    const std::uint64_t both = alone + kernel.Below(100);
    for (std::uint64_t i = 0; i < both; ++i) {
      const GeneratedEvent event = kernel.MakeAnywhere();
      if (kernel.Below(10) != 0) {
        heard.push_back(event);
      }
      if (i >= alone && kernel.Below(10) != 0) {
        fresh.push_back(event);
      }
    }
  }
  heard.insert(heard.end(), fresh.begin(), fresh.end());
  for (std::uint32_t cpu = 0; cpu < Kernel::kCpus; ++cpu) {
    heard.push_back(kernel.Make(cpu));  // until a CPU's next event what it lost last is not seen
  }
  return heard;
}

TEST(SequenceTrackerTest, MadeIsBookedPlusLost) {
  std::uint64_t repeated = 0;
  std::uint64_t all_lost = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Kernel kernel(seed);
    const std::vector<GeneratedEvent> heard = Heard(kernel);
    SequenceTracker sequence(Kernel::kCpus);
    ReferenceSequenceTracker slow;
    std::array<std::uint64_t, Kernel::kCpus> booked_and_lost{};
    for (const GeneratedEvent& event : heard) {
      const SequenceTracker::Arrival arrival = sequence.Observe(event.cpu, event.on_the_wire());
      const SequenceTracker::Arrival expected = slow.Note(event);
      ASSERT_EQ(arrival.duplicate, expected.duplicate) << "seed " << seed << " number " << event.number;
      ASSERT_EQ(arrival.lost, expected.lost) << "seed " << seed << " number " << event.number;
      booked_and_lost[event.cpu] += arrival.duplicate ? 0 : 1 + arrival.lost;
      repeated += arrival.duplicate ? 1 : 0;
      all_lost += arrival.lost;
    }
    for (std::size_t cpu = 0; cpu < Kernel::kCpus; ++cpu) {
      const std::uint64_t made = heard[heard.size() - Kernel::kCpus + cpu].number - heard[cpu].number + 1;
      ASSERT_EQ(booked_and_lost[cpu], made) << "seed " << seed << " cpu " << cpu;
    }
  }
  EXPECT_GT(repeated, 1000U) << "too few to say anything";
  EXPECT_GT(all_lost, 1000U) << "too few to say anything";
}

}  // namespace
}  // namespace procevent
