#include "core/reader/waiter.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>

#include "core/base/clock.h"
#include "core/base/wake.h"

namespace procevent {
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
