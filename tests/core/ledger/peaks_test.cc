#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>

#include "core/ledger/ledger_snapshot.h"

namespace procevent {
namespace {

constexpr std::uint64_t kSlot = 10 * kNanosPerMilli;
constexpr std::uint64_t kStart = 3'000 * kNanosPerSecond;

void Note(Peaks& peaks, std::uint64_t when, int times, EventKind kind = EventKind::kFork) {
  for (int i = 0; i < times; ++i) {
    peaks.AddEvent(kind, when);
  }
}

double Rate(const Peaks& peaks, std::size_t window, std::size_t kind = 0) { return peaks.Rates()[kind][window]; }

TEST(PeaksTest, NothingIsZero) { EXPECT_EQ(Peaks().Rates(), PeakRates{}); }

TEST(PeaksTest, ABurstIsManyAndInASecondFewer) {
  Peaks peaks;
  Note(peaks, kStart, 50);
  EXPECT_EQ(Rate(peaks, 0), 500);
  EXPECT_EQ(Rate(peaks, 1), 50);
}

TEST(PeaksTest, KindsAreApart) {
  Peaks peaks;
  Note(peaks, kStart, 1, EventKind::kFork);
  Note(peaks, kStart, 2, EventKind::kExec);
  Note(peaks, kStart, 3, EventKind::kExit);
  for (const EventKind other : {EventKind::kAck, EventKind::kUid, EventKind::kGid, EventKind::kSid, EventKind::kPtrace,
                                EventKind::kComm, EventKind::kCoredump, EventKind::kUnknown}) {
    Note(peaks, kStart, 4, other);
  }
  EXPECT_EQ(peaks.Rates(), (PeakRates{{{10, 1}, {20, 2}, {30, 3}}}));
}

TEST(PeaksTest, AWindowIsTenOrAHundredWholeSlots) {
  Peaks peaks;
  Note(peaks, kStart, 1);
  Note(peaks, kStart + 10 * kSlot - 1, 1);
  EXPECT_EQ(Rate(peaks, 0), 20);
  Note(peaks, kStart + 100 * kSlot - 1, 1);
  EXPECT_EQ(Rate(peaks, 0), 20);
  EXPECT_EQ(Rate(peaks, 1), 3);

  Peaks apart;
  Note(apart, kStart, 1);
  Note(apart, kStart + 10 * kSlot, 1);
  EXPECT_EQ(Rate(apart, 0), 10);
  Note(apart, kStart + 100 * kSlot, 1);
  EXPECT_EQ(Rate(apart, 1), 2);
}

TEST(PeaksTest, AWindowIsForgottenWhenItsEndIsAMinuteAgo) {
  for (const auto& [window, slots] : {std::pair<std::size_t, std::uint64_t>{0, 10}, {1, 100}}) {
    Peaks peaks;
    Note(peaks, kStart, 10);
    const double highest = Rate(peaks, window);
    peaks.Advance(kStart + (6000 + slots - 2) * kSlot);
    EXPECT_EQ(Rate(peaks, window), highest) << slots;
    peaks.Advance(kStart + (6000 + slots - 1) * kSlot);
    EXPECT_EQ(Rate(peaks, window), 0) << slots;
  }
}

TEST(PeaksTest, WhatIsTooOldAddsNothingToWhatIsNew) {
  for (std::uint64_t slots = 5990; slots < 6250; ++slots) {
    Peaks peaks;
    Note(peaks, kStart, 10);
    Note(peaks, kStart + slots * kSlot, 10);
    EXPECT_EQ(peaks.Rates()[0], (std::array{100.0, 10.0})) << slots;
  }
}

TEST(PeaksTest, TimeDoesNotGoBack) {
  Peaks peaks;
  peaks.Advance(kStart);
  peaks.Advance(kStart - 50 * kNanosPerSecond);
  Note(peaks, kStart - 5 * kNanosPerSecond, 2);
  Note(peaks, kStart, 1);
  EXPECT_EQ(Rate(peaks, 0), 20) << "a late event is counted in its own slot";
  Note(peaks, kStart - 62 * kNanosPerSecond, 9);
  EXPECT_EQ(Rate(peaks, 0), 20) << "and one that is too late, in none";
}

TEST(PeaksTest, KnowsTheFirstSecondOfTheMachine) {
  Peaks peaks;
  Note(peaks, 0, 3);
  Note(peaks, kSlot, 1);
  EXPECT_EQ(Rate(peaks, 0), 40);
  EXPECT_EQ(Rate(peaks, 1), 4);
}

// All events that there were, and each window of the last 6000 slots counted by itself.
class SlowPeaks {
 public:
  void Note(std::size_t kind, std::uint64_t when) {
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
  using Counts = std::map<std::int64_t, int>;
  // A window that holds an event begins a highest one: shifting it to its first event loses nothing but the bounds.
  [[nodiscard]] int Highest(const Counts& counts, std::int64_t width) const {
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
  std::array<Counts, kPeakKinds.size()> counts_;
};

// Storms, rests and gaps; late events by some milliseconds, some by much more.
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

TEST(PeaksTest, AgreesWithTheSlowPeaks) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    Peaks peaks;
    SlowPeaks slow;
    std::uint64_t now = seed % 2 == 0 ? 0 : random() % (1'000'000 * kNanosPerSecond);
    for (int i = 0; i < 3'000; ++i) {
      now += Step(random);
      const std::uint64_t late = random() % (random() % 20 == 0 ? 70 * kNanosPerSecond : 20 * kNanosPerMilli);
      const std::uint64_t when = now - std::min(late, now);
      const std::size_t kind = random() % kPeakKinds.size();
      for (auto times = random() % 4 == 0 ? random() % 50 : 1; times > 0; --times) {
        peaks.AddEvent(kPeakKinds.at(kind), when);
        slow.Note(kind, when);
      }
      if (random() % 10 == 0) {
        peaks.Advance(now);
        slow.Advance(now);
      }
      if (i % 8 == 0) {
        ASSERT_EQ(peaks.Rates(), slow.Rates()) << "seed " << seed << ", step " << i;
      }
    }
  }
}

}  // namespace
}  // namespace procevent
