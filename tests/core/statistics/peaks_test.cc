#include "core/statistics/peaks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>

namespace procevent {
namespace {

constexpr std::uint64_t kSlot = 10 * kNanosPerMilli;
constexpr std::uint64_t kStart = 3'000 * kNanosPerSecond;

void AddEvents(Peaks& peaks, std::uint64_t when, int times, CountKind what = CountKind::kForks) {
  for (int i = 0; i < times; ++i) {
    peaks.OnEvent({.what = what, .when_ns = when});
  }
}

constexpr std::array kKinds{CountKind::kForks, CountKind::kExecs, CountKind::kKilled};  // one for each peak

double Rate(const Peaks& peaks, std::size_t window, std::size_t kind = 0) { return peaks.Rates()[kind][window]; }

TEST(PeaksTest, StartsAtZero) { EXPECT_EQ(Peaks().Rates(), PeakRates{}); }

TEST(PeaksTest, RatesABurstHigherInTheShortWindow) {
  Peaks peaks;
  AddEvents(peaks, kStart, 50);
  EXPECT_EQ(Rate(peaks, 0), 500);
  EXPECT_EQ(Rate(peaks, 1), 50);
}

TEST(PeaksTest, CountsActivitiesSeparately) {
  Peaks peaks;
  for (std::size_t kind = 0; kind < kCountKinds; ++kind) {
    AddEvents(peaks, kStart, 1 << kind, static_cast<CountKind>(kind));
  }
  const auto times = [](CountKind kind) { return static_cast<double>(1U << static_cast<unsigned>(kind)); };
  const double exits = times(CountKind::kSucceeded) + times(CountKind::kFailed) + times(CountKind::kKilled);
  const double forks = times(CountKind::kForks);
  const double execs = times(CountKind::kExecs);
  EXPECT_EQ(peaks.Rates(), (PeakRates{{{10 * forks, forks}, {10 * execs, execs}, {10 * exits, exits}}}));
}

TEST(PeaksTest, SpansTenOrAHundredSlots) {
  Peaks peaks;
  AddEvents(peaks, kStart, 1);
  AddEvents(peaks, kStart + 10 * kSlot - 1, 1);
  EXPECT_EQ(Rate(peaks, 0), 20);
  AddEvents(peaks, kStart + 100 * kSlot - 1, 1);
  EXPECT_EQ(Rate(peaks, 0), 20);
  EXPECT_EQ(Rate(peaks, 1), 3);

  Peaks apart;
  AddEvents(apart, kStart, 1);
  AddEvents(apart, kStart + 10 * kSlot, 1);
  EXPECT_EQ(Rate(apart, 0), 10);
  AddEvents(apart, kStart + 100 * kSlot, 1);
  EXPECT_EQ(Rate(apart, 1), 2);
}

TEST(PeaksTest, ExpiresWindowsThatEndedAMinuteAgo) {
  for (const auto& [window, slots] : {std::pair<std::size_t, std::uint64_t>{0, 10}, {1, 100}}) {
    Peaks peaks;
    AddEvents(peaks, kStart, 10);
    const double highest = Rate(peaks, window);
    peaks.Advance(kStart + (6000 + slots - 2) * kSlot);
    EXPECT_EQ(Rate(peaks, window), highest) << slots;
    peaks.Advance(kStart + (6000 + slots - 1) * kSlot);
    EXPECT_EQ(Rate(peaks, window), 0) << slots;
  }
}

TEST(PeaksTest, AddsNoExpiredEventsToNewOnes) {
  for (std::uint64_t slots = 5990; slots < 6250; ++slots) {
    Peaks peaks;
    AddEvents(peaks, kStart, 10);
    AddEvents(peaks, kStart + slots * kSlot, 10);
    EXPECT_EQ(peaks.Rates()[0], (std::array{100.0, 10.0})) << slots;
  }
}

TEST(PeaksTest, CountsLateEventsInTheirOwnSlot) {
  Peaks peaks;
  peaks.Advance(kStart);
  peaks.Advance(kStart - 50 * kNanosPerSecond);
  AddEvents(peaks, kStart - 5 * kNanosPerSecond, 2);
  AddEvents(peaks, kStart, 1);
  EXPECT_EQ(Rate(peaks, 0), 20) << "a late event is counted in its own slot";
  AddEvents(peaks, kStart - 62 * kNanosPerSecond, 9);
  EXPECT_EQ(Rate(peaks, 0), 20) << "an event older than all slots is not counted";
}

TEST(PeaksTest, CountsEventsInTheFirstSecondAfterBoot) {
  Peaks peaks;
  AddEvents(peaks, 0, 3);
  AddEvents(peaks, kSlot, 1);
  EXPECT_EQ(Rate(peaks, 0), 40);
  EXPECT_EQ(Rate(peaks, 1), 4);
}

// The slow and obvious counterpart of Peaks: keeps all events, and counts each window of the last 6000 slots on
// its own.
class ReferencePeaks {
 public:
  void AddEvent(std::size_t kind, std::uint64_t when) {
    ++counts_.at(kind)[static_cast<std::int64_t>(when / kSlot)];
    Advance(when);
  }
  void Advance(std::uint64_t now) { newest_ = std::max(newest_, static_cast<std::int64_t>(now / kSlot)); }

  [[nodiscard]] PeakRates Rates() const {
    PeakRates rates{};
    for (std::size_t kind = 0; kind < counts_.size(); ++kind) {
      rates[kind] = {10.0 * Highest(counts_.at(kind), 10), 1.0 * Highest(counts_.at(kind), 100)};
    }
    return rates;
  }

 private:
  using SlotCounts = std::map<std::int64_t, int>;
  // Only windows that begin with an event are counted: moving any other one to its first event loses no event. At the
  // newest and the oldest slot the window is moved back to the bounds.
  [[nodiscard]] int Highest(const SlotCounts& counts, std::int64_t width) const {
    int highest = 0;
    for (auto event = counts.lower_bound(newest_ - 6200); event != counts.end(); ++event) {
      const std::int64_t last = std::clamp(event->first + width - 1, newest_ - 5999, newest_);
      int sum = 0;
      for (auto in = counts.lower_bound(last - width + 1); in != counts.end() && in->first <= last; ++in) {
        sum += in->second;
      }
      highest = std::max(highest, sum);
    }
    return highest;
  }

  std::int64_t newest_ = 0;
  std::array<SlotCounts, kPeakActivities.size()> counts_;
};

// Returns the time to the next event: storms, pauses and gaps of more than a minute.
std::uint64_t Step(std::mt19937_64& random) {
  switch (random() % 40) {
    case 0:
      return random() % (200 * kNanosPerSecond);
    case 1:
      return 59 * kNanosPerSecond + random() % (3 * kNanosPerSecond);
    case 2:
    case 3:
    case 4:
      return random() % (2 * kNanosPerSecond);
    default:
      return random() % (30 * kNanosPerMilli);
  }
}

TEST(PeaksTest, AgreesWithTheReference) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    Peaks peaks;
    ReferencePeaks reference;
    std::uint64_t now = seed % 2 == 0 ? 0 : random() % (1'000'000 * kNanosPerSecond);
    for (int i = 0; i < 3'000; ++i) {
      now += Step(random);
      const std::uint64_t late = random() % (random() % 20 == 0 ? 70 * kNanosPerSecond : 20 * kNanosPerMilli);
      const std::uint64_t when = now - std::min(late, now);
      const std::size_t kind = random() % kPeakActivities.size();
      for (auto times = random() % 4 == 0 ? random() % 50 : 1; times > 0; --times) {
        peaks.OnEvent({.what = kKinds.at(kind), .when_ns = when});
        reference.AddEvent(kind, when);
      }
      if (random() % 10 == 0) {
        peaks.Advance(now);
        reference.Advance(now);
      }
      if (i % 8 == 0) {
        ASSERT_EQ(peaks.Rates(), reference.Rates()) << "seed " << seed << ", step " << i;
      }
    }
  }
}

}  // namespace
}  // namespace procevent
