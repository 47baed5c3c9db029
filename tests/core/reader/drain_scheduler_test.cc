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

TEST(QueuePeakTest, ReturnsTheHighestUsage) {
  QueuePeak peak;
  peak.RecordUsage(10, 1000 * kSecond);
  peak.RecordUsage(30, 1001 * kSecond);
  peak.RecordUsage(20, 1002 * kSecond);
  EXPECT_EQ(peak.PeakBytes(1003 * kSecond), 30U);
}

TEST(QueuePeakTest, ForgetsUsageAfterAMinute) {
  QueuePeak peak;
  peak.RecordUsage(30, 1000 * kSecond);
  EXPECT_EQ(peak.PeakBytes(1053 * kSecond), 30U);
  EXPECT_EQ(peak.PeakBytes(1061 * kSecond), 0U);
}

TEST(QueuePeakTest, ForgetsEverythingAfterALongPause) {
  QueuePeak peak;
  peak.RecordUsage(30, 1000 * kSecond);
  EXPECT_EQ(peak.PeakBytes(100'000 * kSecond), 0U);
}

// Against a list of all records: never below the peak of the last 54 seconds, never above that of the last 60.
TEST(QueuePeakTest, AgreesWithAListOfAllRecords) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same every time
  QueuePeak peak;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> records;
  std::uint64_t now = 500 * kSecond;
  for (int i = 0; i < 5000; ++i) {
    now += random() % (i % 50 == 0 ? 100 * kSecond : 3 * kSecond);
    const auto bytes = static_cast<std::uint32_t>(random() % 100000);
    peak.RecordUsage(bytes, now);
    records.emplace_back(now, bytes);
    const auto peak_since = [&](std::uint64_t seconds) {
      std::uint32_t highest = 0;
      for (const auto& [at, value] : records) {
        highest = now - at <= seconds * kSecond ? std::max(highest, value) : highest;
      }
      return highest;
    };
    ASSERT_GE(peak.PeakBytes(now), peak_since(53));
    ASSERT_LE(peak.PeakBytes(now), peak_since(60));
  }
}

constexpr std::uint64_t kMilli = 1'000'000;
constexpr std::uint64_t kInterval = 10 * kMilli;
constexpr std::uint64_t kStart = 1000 * kMilli;

TEST(DrainSchedulerTest, IsIdleAtFirst) { EXPECT_TRUE(DrainScheduler(kInterval).idle()); }

TEST(DrainSchedulerTest, StaysIdleWithFewEvents) {
  DrainScheduler scheduler(kInterval);
  for (std::uint64_t i = 0; i < 100; ++i) {
    scheduler.RecordDrain(1, true, kStart + i * kInterval);
    EXPECT_TRUE(scheduler.idle()) << i;
  }
}

TEST(DrainSchedulerTest, StartsTheTimerAfterManyDatagramsAtOnce) {
  DrainScheduler scheduler(kInterval);
  scheduler.RecordDrain(5, true, kStart);
  EXPECT_FALSE(scheduler.idle());
  EXPECT_EQ(scheduler.next_drain_ns(), kStart + kInterval);
}

TEST(DrainSchedulerTest, StartsTheTimerAfterManySingleWakeUps) {
  DrainScheduler scheduler(kInterval);
  for (std::uint64_t i = 0; i < 4; ++i) {
    scheduler.RecordDrain(1, true, kStart + i * kMilli);
    EXPECT_TRUE(scheduler.idle()) << i;
  }
  scheduler.RecordDrain(1, true, kStart + 4 * kMilli);
  EXPECT_FALSE(scheduler.idle());
}

TEST(DrainSchedulerTest, KeepsTheTimerWhileEventsFlow) {
  DrainScheduler scheduler(kInterval);
  for (std::uint64_t i = 0; i < 100; ++i) {
    scheduler.RecordDrain(300, true, kStart + i * kInterval);
    EXPECT_FALSE(scheduler.idle()) << i;
  }
}

TEST(DrainSchedulerTest, IsIdleAgainAfterTheLoad) {
  DrainScheduler scheduler(kInterval);
  scheduler.RecordDrain(300, true, kStart);
  scheduler.RecordDrain(2, true, kStart + kInterval);
  EXPECT_TRUE(scheduler.idle());
}

TEST(DrainSchedulerTest, DrainsAgainAtOnceIfTheQueueIsNotEmpty) {
  DrainScheduler scheduler(kInterval);
  scheduler.RecordDrain(0, false, kStart);
  EXPECT_FALSE(scheduler.idle());
  EXPECT_EQ(scheduler.next_drain_ns(), kStart);
}

EventFd MakeSignal() { return std::move(EventFd::Make()).value(); }
std::uint64_t InAMinute() { return MonotonicNanos() + 60 * kNanosPerSecond; }

TEST(PollerTest, ReturnsTrueOnASignal) {
  const EventFd signal = MakeSignal();
  Poller poller(std::array{signal.fd()});
  signal.Signal();
  EXPECT_TRUE(poller.Wait(-1, InAMinute()));
}

TEST(PollerTest, ReturnsFalseOnTimeout) {
  const EventFd signal = MakeSignal();
  Poller poller(std::array{signal.fd()});
  EXPECT_FALSE(poller.Wait(-1, 0));
  const std::uint64_t until = MonotonicNanos() + 5 * kNanosPerMilli;
  EXPECT_FALSE(poller.Wait(-1, until));
  EXPECT_GE(MonotonicNanos(), until);
}

TEST(PollerTest, ReturnsFalseWhenTheSourceIsReadable) {
  const EventFd signal = MakeSignal();
  const EventFd source = MakeSignal();
  Poller poller(std::array{signal.fd()});
  source.Signal();
  EXPECT_FALSE(poller.Wait(source.fd(), InAMinute()));
}

TEST(PollerTest, IgnoresTheSourceWithoutItsDescriptor) {
  const EventFd signal = MakeSignal();
  const EventFd source = MakeSignal();
  Poller poller(std::array{signal.fd()});
  source.Signal();
  EXPECT_FALSE(poller.Wait(source.fd(), InAMinute()));
  const std::uint64_t until = MonotonicNanos() + 5 * kNanosPerMilli;
  EXPECT_FALSE(poller.Wait(-1, until));
  EXPECT_GE(MonotonicNanos(), until);
  EXPECT_FALSE(poller.Wait(source.fd(), InAMinute()));
}

TEST(PollerTest, AcceptsAnotherSourceAfterOneWasClosed) {
  const EventFd signal = MakeSignal();
  Poller poller(std::array{signal.fd()});
  {
    const EventFd first = MakeSignal();
    EXPECT_FALSE(poller.Wait(first.fd(), 0));
  }
  const EventFd spare = MakeSignal();  // takes the descriptor number of the first, so that the second has another
  const EventFd second = MakeSignal();
  second.Signal();
  EXPECT_FALSE(poller.Wait(second.fd(), InAMinute()));
}

}  // namespace
}  // namespace procevent
