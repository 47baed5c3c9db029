#include "core/reader/drain_scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "core/base/file_descriptor.h"
#include "core/base/system.h"

namespace procevent {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

TEST(QueuePeakTest, IsTheFullest) {
  QueuePeak peak;
  peak.Note(10, 1000 * kSecond);
  peak.Note(30, 1001 * kSecond);
  peak.Note(20, 1002 * kSecond);
  EXPECT_EQ(peak.Peak(1003 * kSecond), 30U);
}

TEST(QueuePeakTest, ForgetsAfterAMinute) {
  QueuePeak peak;
  peak.Note(30, 1000 * kSecond);
  EXPECT_EQ(peak.Peak(1053 * kSecond), 30U);
  EXPECT_EQ(peak.Peak(1061 * kSecond), 0U);
}

TEST(QueuePeakTest, ALongSilenceForgetsAll) {
  QueuePeak peak;
  peak.Note(30, 1000 * kSecond);
  EXPECT_EQ(peak.Peak(100'000 * kSecond), 0U);
}

// Against a list of all notes: never less than the last 54 seconds' fullest, never more than the last 60's.
TEST(QueuePeakTest, AgreesWithAListOfAllNotes) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same every time
  QueuePeak peak;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> notes;
  std::uint64_t now = 500 * kSecond;
  for (int i = 0; i < 5000; ++i) {
    now += random() % (i % 50 == 0 ? 100 * kSecond : 3 * kSecond);
    const auto bytes = static_cast<std::uint32_t>(random() % 100000);
    peak.Note(bytes, now);
    notes.emplace_back(now, bytes);
    const auto fullest_since = [&](std::uint64_t seconds) {
      std::uint32_t most = 0;
      for (const auto& [at, value] : notes) {
        most = now - at <= seconds * kSecond ? std::max(most, value) : most;
      }
      return most;
    };
    ASSERT_GE(peak.Peak(now), fullest_since(53));
    ASSERT_LE(peak.Peak(now), fullest_since(60));
  }
}

}  // namespace

namespace {

constexpr std::uint64_t kMilli = 1'000'000;
constexpr std::uint64_t kInterval = 10 * kMilli;
constexpr std::uint64_t kStart = 1000 * kMilli;

TEST(RhythmTest, RestsAtFirst) { EXPECT_TRUE(Rhythm(kInterval).resting()); }

TEST(RhythmTest, AFewEventsDoNotDisturbTheRest) {
  Rhythm rhythm(kInterval);
  for (std::uint64_t i = 0; i < 100; ++i) {
    rhythm.Drained(1, true, kStart + i * kInterval);
    EXPECT_TRUE(rhythm.resting()) << i;
  }
}

TEST(RhythmTest, ManyAtOnceStartTheTimer) {
  Rhythm rhythm(kInterval);
  rhythm.Drained(5, true, kStart);
  EXPECT_FALSE(rhythm.resting());
  EXPECT_EQ(rhythm.due_ns(), kStart + kInterval);
}

TEST(RhythmTest, ManySingleWakeUpsStartTheTimer) {
  Rhythm rhythm(kInterval);
  for (std::uint64_t i = 0; i < 4; ++i) {
    rhythm.Drained(1, true, kStart + i * kMilli);
    EXPECT_TRUE(rhythm.resting()) << i;
  }
  rhythm.Drained(1, true, kStart + 4 * kMilli);
  EXPECT_FALSE(rhythm.resting());
}

TEST(RhythmTest, KeepsTheTimerWhileEventsFlow) {
  Rhythm rhythm(kInterval);
  for (std::uint64_t i = 0; i < 100; ++i) {
    rhythm.Drained(300, true, kStart + i * kInterval);
    EXPECT_FALSE(rhythm.resting()) << i;
  }
}

TEST(RhythmTest, RestsWhenTheFlowEbbs) {
  Rhythm rhythm(kInterval);
  rhythm.Drained(300, true, kStart);
  rhythm.Drained(2, true, kStart + kInterval);
  EXPECT_TRUE(rhythm.resting());
}

TEST(RhythmTest, GoesOnAtOnceWithWhatIsLeft) {
  Rhythm rhythm(kInterval);
  rhythm.Drained(0, false, kStart);
  EXPECT_FALSE(rhythm.resting());
  EXPECT_EQ(rhythm.due_ns(), kStart);
}

}  // namespace

namespace {

Wake MakeWake() { return std::move(Wake::Make()).value(); }
std::uint64_t InAMinute() { return MonotonicNanos() + 60 * kNanosPerSecond; }

TEST(WaiterTest, AWakeEndsTheWait) {
  const Wake wake = MakeWake();
  Waiter waiter(std::array{wake.fd()});
  wake.Ring();
  EXPECT_TRUE(waiter.Wait(-1, InAMinute()));
}

TEST(WaiterTest, TheTimeEndsTheWait) {
  const Wake wake = MakeWake();
  Waiter waiter(std::array{wake.fd()});
  EXPECT_FALSE(waiter.Wait(-1, 0));
  const std::uint64_t until = MonotonicNanos() + 5 * kNanosPerMilli;
  EXPECT_FALSE(waiter.Wait(-1, until));
  EXPECT_GE(MonotonicNanos(), until);
}

TEST(WaiterTest, TheSourceEndsTheWaitAndIsNoWake) {
  const Wake wake = MakeWake();
  const Wake source = MakeWake();
  Waiter waiter(std::array{wake.fd()});
  source.Ring();
  EXPECT_FALSE(waiter.Wait(source.fd(), InAMinute()));
}

TEST(WaiterTest, ASourceThatMustNotWakeUsDoesNot) {
  const Wake wake = MakeWake();
  const Wake source = MakeWake();
  Waiter waiter(std::array{wake.fd()});
  source.Ring();
  EXPECT_FALSE(waiter.Wait(source.fd(), InAMinute()));
  const std::uint64_t until = MonotonicNanos() + 5 * kNanosPerMilli;
  EXPECT_FALSE(waiter.Wait(-1, until));
  EXPECT_GE(MonotonicNanos(), until);
  EXPECT_FALSE(waiter.Wait(source.fd(), InAMinute()));
}

TEST(WaiterTest, AClosedSourceIsReplaced) {
  const Wake wake = MakeWake();
  Waiter waiter(std::array{wake.fd()});
  {
    const Wake first = MakeWake();
    EXPECT_FALSE(waiter.Wait(first.fd(), 0));
  }
  const Wake spare = MakeWake();  // takes the number of the first, so that the second has another
  const Wake second = MakeWake();
  second.Ring();
  EXPECT_FALSE(waiter.Wait(second.fd(), InAMinute()));
}

}  // namespace

}  // namespace procevent
