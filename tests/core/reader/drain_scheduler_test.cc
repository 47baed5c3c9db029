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
  peak.RecordUsage(10, 1000 * kSecond);
  peak.RecordUsage(30, 1001 * kSecond);
  peak.RecordUsage(20, 1002 * kSecond);
  EXPECT_EQ(peak.PeakBytes(1003 * kSecond), 30U);
}

TEST(QueuePeakTest, ForgetsAfterAMinute) {
  QueuePeak peak;
  peak.RecordUsage(30, 1000 * kSecond);
  EXPECT_EQ(peak.PeakBytes(1053 * kSecond), 30U);
  EXPECT_EQ(peak.PeakBytes(1061 * kSecond), 0U);
}

TEST(QueuePeakTest, ALongSilenceForgetsAll) {
  QueuePeak peak;
  peak.RecordUsage(30, 1000 * kSecond);
  EXPECT_EQ(peak.PeakBytes(100'000 * kSecond), 0U);
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
    peak.RecordUsage(bytes, now);
    notes.emplace_back(now, bytes);
    const auto fullest_since = [&](std::uint64_t seconds) {
      std::uint32_t most = 0;
      for (const auto& [at, value] : notes) {
        most = now - at <= seconds * kSecond ? std::max(most, value) : most;
      }
      return most;
    };
    ASSERT_GE(peak.PeakBytes(now), fullest_since(53));
    ASSERT_LE(peak.PeakBytes(now), fullest_since(60));
  }
}

}  // namespace

namespace {

constexpr std::uint64_t kMilli = 1'000'000;
constexpr std::uint64_t kInterval = 10 * kMilli;
constexpr std::uint64_t kStart = 1000 * kMilli;

TEST(DrainSchedulerTest, RestsAtFirst) { EXPECT_TRUE(DrainScheduler(kInterval).idle()); }

TEST(DrainSchedulerTest, AFewEventsDoNotDisturbTheRest) {
  DrainScheduler rhythm(kInterval);
  for (std::uint64_t i = 0; i < 100; ++i) {
    rhythm.RecordDrain(1, true, kStart + i * kInterval);
    EXPECT_TRUE(rhythm.idle()) << i;
  }
}

TEST(DrainSchedulerTest, ManyAtOnceStartTheTimer) {
  DrainScheduler rhythm(kInterval);
  rhythm.RecordDrain(5, true, kStart);
  EXPECT_FALSE(rhythm.idle());
  EXPECT_EQ(rhythm.next_drain_ns(), kStart + kInterval);
}

TEST(DrainSchedulerTest, ManySingleWakeUpsStartTheTimer) {
  DrainScheduler rhythm(kInterval);
  for (std::uint64_t i = 0; i < 4; ++i) {
    rhythm.RecordDrain(1, true, kStart + i * kMilli);
    EXPECT_TRUE(rhythm.idle()) << i;
  }
  rhythm.RecordDrain(1, true, kStart + 4 * kMilli);
  EXPECT_FALSE(rhythm.idle());
}

TEST(DrainSchedulerTest, KeepsTheTimerWhileEventsFlow) {
  DrainScheduler rhythm(kInterval);
  for (std::uint64_t i = 0; i < 100; ++i) {
    rhythm.RecordDrain(300, true, kStart + i * kInterval);
    EXPECT_FALSE(rhythm.idle()) << i;
  }
}

TEST(DrainSchedulerTest, RestsWhenTheFlowEbbs) {
  DrainScheduler rhythm(kInterval);
  rhythm.RecordDrain(300, true, kStart);
  rhythm.RecordDrain(2, true, kStart + kInterval);
  EXPECT_TRUE(rhythm.idle());
}

TEST(DrainSchedulerTest, GoesOnAtOnceWithWhatIsLeft) {
  DrainScheduler rhythm(kInterval);
  rhythm.RecordDrain(0, false, kStart);
  EXPECT_FALSE(rhythm.idle());
  EXPECT_EQ(rhythm.next_drain_ns(), kStart);
}

}  // namespace

namespace {

EventFd MakeWake() { return std::move(EventFd::Make()).value(); }
std::uint64_t InAMinute() { return MonotonicNanos() + 60 * kNanosPerSecond; }

TEST(PollerTest, AWakeEndsTheWait) {
  const EventFd wake = MakeWake();
  Poller waiter(std::array{wake.fd()});
  wake.Signal();
  EXPECT_TRUE(waiter.Wait(-1, InAMinute()));
}

TEST(PollerTest, TheTimeEndsTheWait) {
  const EventFd wake = MakeWake();
  Poller waiter(std::array{wake.fd()});
  EXPECT_FALSE(waiter.Wait(-1, 0));
  const std::uint64_t until = MonotonicNanos() + 5 * kNanosPerMilli;
  EXPECT_FALSE(waiter.Wait(-1, until));
  EXPECT_GE(MonotonicNanos(), until);
}

TEST(PollerTest, TheSourceEndsTheWaitAndIsNoWake) {
  const EventFd wake = MakeWake();
  const EventFd source = MakeWake();
  Poller waiter(std::array{wake.fd()});
  source.Signal();
  EXPECT_FALSE(waiter.Wait(source.fd(), InAMinute()));
}

TEST(PollerTest, ASourceThatMustNotWakeUsDoesNot) {
  const EventFd wake = MakeWake();
  const EventFd source = MakeWake();
  Poller waiter(std::array{wake.fd()});
  source.Signal();
  EXPECT_FALSE(waiter.Wait(source.fd(), InAMinute()));
  const std::uint64_t until = MonotonicNanos() + 5 * kNanosPerMilli;
  EXPECT_FALSE(waiter.Wait(-1, until));
  EXPECT_GE(MonotonicNanos(), until);
  EXPECT_FALSE(waiter.Wait(source.fd(), InAMinute()));
}

TEST(PollerTest, AClosedSourceIsReplaced) {
  const EventFd wake = MakeWake();
  Poller waiter(std::array{wake.fd()});
  {
    const EventFd first = MakeWake();
    EXPECT_FALSE(waiter.Wait(first.fd(), 0));
  }
  const EventFd spare = MakeWake();  // takes the number of the first, so that the second has another
  const EventFd second = MakeWake();
  second.Signal();
  EXPECT_FALSE(waiter.Wait(second.fd(), InAMinute()));
}

}  // namespace

}  // namespace procevent
