#include "core/protocol/sequence_tracker.h"

#include <gtest/gtest.h>

#include <limits>
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
  bool duplicate;
  std::uint32_t lost;
};

constexpr std::uint32_t kWindow = 1U << 24U;

TEST(SequenceTrackerTest, DetectsLossAndDuplicatesAfterBaseline) {
  const std::vector<Row> rows{
      {"next", 5, 6, false, 0},
      {"one lost", 5, 7, false, 1},
      {"a thousand lost", 5, 1006, false, 1000},
      {"next, wrapped around", UINT32_MAX, 0, false, 0},
      {"lost across the wrap", UINT32_MAX - 1, 2, false, 3},
      {"same", 5, 5, true, 0},
      {"previous", 5, 4, true, 0},
      {"previous across the wrap", 2, UINT32_MAX, true, 0},
      {"oldest possible duplicate", kWindow, 1, true, 0},
      {"older than the window: the counter wrapped", kWindow, 0, false, UINT32_MAX - kWindow},
      {"older than the window, across the wrap", 0, 0U - kWindow, false, UINT32_MAX - kWindow},
      {"half of the range", 0, 0x80000000, false, 0x7fffffff},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    SequenceTracker tracker(1);
    const SequenceTracker::Arrival first = tracker.Observe(0, row.before);
    EXPECT_FALSE(first.duplicate);
    EXPECT_EQ(first.lost, 0U);
    const SequenceTracker::Arrival second = tracker.Observe(0, row.now);
    EXPECT_EQ(second.duplicate, row.duplicate);
    EXPECT_EQ(second.lost, row.lost);
    // A duplicate keeps the baseline, any other event moves it.
    const std::uint32_t baseline = row.duplicate ? row.before : row.now;
    const SequenceTracker::Arrival third = tracker.Observe(0, baseline + 1);
    EXPECT_FALSE(third.duplicate);
    EXPECT_EQ(third.lost, 0U);
  }
}

TEST(SequenceTrackerTest, SetsBaselinePerCpu) {
  SequenceTracker tracker(3);
  EXPECT_EQ(tracker.Observe(0, 1000).lost, 0U);
  EXPECT_EQ(tracker.Observe(2, 7).lost, 0U);
  EXPECT_EQ(tracker.Observe(1, 0).lost, 0U);
  EXPECT_EQ(tracker.Observe(2, 9).lost, 1U);
  EXPECT_EQ(tracker.Observe(0, 1001).lost, 0U);
  EXPECT_TRUE(tracker.Observe(1, 0).duplicate);
}

TEST(SequenceTrackerTest, IgnoresCpusOutOfRange) {
  SequenceTracker tracker(2);
  for (const std::uint32_t cpu : {2U, 3U, kNoCpu}) {
    for (const std::uint32_t number : {5U, 5U, 100U, 1U}) {
      const SequenceTracker::Arrival arrival = tracker.Observe(cpu, number);
      EXPECT_FALSE(arrival.duplicate);
      EXPECT_EQ(arrival.lost, 0U);
    }
  }
}

// An event with its true 64-bit number, of which the wire carries the low 32 bits.
struct GeneratedEvent {
  std::uint32_t cpu;
  std::uint64_t number;
  [[nodiscard]] std::uint32_t wire_number() const { return static_cast<std::uint32_t>(number); }
};

// Numbers events per CPU as the kernel does, starting shortly before the counters wrap around.
class FakeKernel {
 public:
  static constexpr std::uint32_t kCpus = 5;

  explicit FakeKernel(std::uint64_t seed) : random_(seed) {
    for (std::uint64_t& number : next_) {
      number = UINT32_MAX - Below(300);
    }
  }

  std::uint64_t Below(std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(random_);
  }
  GeneratedEvent Generate(std::uint32_t cpu) { return {cpu, next_[cpu]++}; }
  GeneratedEvent GenerateOnRandomCpu() { return Generate(static_cast<std::uint32_t>(Below(kCpus))); }

 private:
  std::mt19937_64 random_;
  std::array<std::uint64_t, kCpus> next_{};
};

// Keeps the highest 64-bit number of each CPU. Simple, because these numbers never wrap around.
class ReferenceSequenceTracker {
 public:
  SequenceTracker::Arrival Observe(const GeneratedEvent& event) {
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
  std::array<std::optional<std::uint64_t>, FakeKernel::kCpus> last_{};
};

// Events that the reader receives from several consecutive sockets. At each resubscription the queue of the new socket
// overlaps the queue of the previous one. Each socket loses other events.
std::vector<GeneratedEvent> ReceiveFromSockets(FakeKernel& kernel) {
  std::vector<GeneratedEvent> received;
  for (std::uint32_t cpu = 0; cpu < FakeKernel::kCpus; ++cpu) {
    received.push_back(kernel.Generate(cpu));
  }
  std::vector<GeneratedEvent> next_socket;
  for (std::uint64_t sockets = kernel.Below(4) + 1; sockets > 0; --sockets) {
    received.insert(received.end(), next_socket.begin(), next_socket.end());
    next_socket.clear();
    const std::uint64_t overlap_start = kernel.Below(300);
    const std::uint64_t overlap_end = overlap_start + kernel.Below(100);
    for (std::uint64_t i = 0; i < overlap_end; ++i) {
      const GeneratedEvent event = kernel.GenerateOnRandomCpu();
      if (kernel.Below(10) != 0) {
        received.push_back(event);
      }
      if (i >= overlap_start && kernel.Below(10) != 0) {
        next_socket.push_back(event);
      }
    }
  }
  received.insert(received.end(), next_socket.begin(), next_socket.end());
  for (std::uint32_t cpu = 0; cpu < FakeKernel::kCpus; ++cpu) {
    received.push_back(kernel.Generate(cpu));  // the next event of a CPU reveals its latest losses
  }
  return received;
}

TEST(SequenceTrackerTest, GeneratedEqualsReceivedPlusLost) {
  std::uint64_t duplicates = 0;
  std::uint64_t total_lost = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    FakeKernel kernel(seed);
    const std::vector<GeneratedEvent> received = ReceiveFromSockets(kernel);
    SequenceTracker tracker(FakeKernel::kCpus);
    ReferenceSequenceTracker reference;
    std::array<std::uint64_t, FakeKernel::kCpus> received_and_lost{};
    for (const GeneratedEvent& event : received) {
      const SequenceTracker::Arrival arrival = tracker.Observe(event.cpu, event.wire_number());
      const SequenceTracker::Arrival expected = reference.Observe(event);
      ASSERT_EQ(arrival.duplicate, expected.duplicate) << "seed " << seed << " number " << event.number;
      ASSERT_EQ(arrival.lost, expected.lost) << "seed " << seed << " number " << event.number;
      received_and_lost[event.cpu] += arrival.duplicate ? 0 : 1 + arrival.lost;
      duplicates += arrival.duplicate ? 1 : 0;
      total_lost += arrival.lost;
    }
    for (std::size_t cpu = 0; cpu < FakeKernel::kCpus; ++cpu) {
      const std::uint64_t generated =
          received[received.size() - FakeKernel::kCpus + cpu].number - received[cpu].number + 1;
      ASSERT_EQ(received_and_lost[cpu], generated) << "seed " << seed << " cpu " << cpu;
    }
  }
  EXPECT_GT(duplicates, 1000U) << "too few samples";
  EXPECT_GT(total_lost, 1000U) << "too few samples";
}

TEST(SequenceTrackerTest, LossesAreVisibleUntilTheOldestLastEventOfACpu) {
  SequenceTracker tracker(3);
  EXPECT_EQ(tracker.losses_visible_until_ns(), std::numeric_limits<std::uint64_t>::max()) << "no CPU has a baseline";
  tracker.Observe(0, 10, 100);
  tracker.Observe(2, 20, 90);
  EXPECT_EQ(tracker.losses_visible_until_ns(), 90U);
  tracker.Observe(2, 25, 120);
  EXPECT_EQ(tracker.losses_visible_until_ns(), 100U);
  tracker.Observe(0, 10, 200);
  EXPECT_EQ(tracker.losses_visible_until_ns(), 100U) << "a duplicate shows nothing";
}

}  // namespace
}  // namespace procevent
