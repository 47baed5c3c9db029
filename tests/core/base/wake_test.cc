#include "core/base/wake.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace procevent {
namespace {

using namespace std::chrono_literals;

Wake Make() {
  auto wake = Wake::Make();
  EXPECT_TRUE(wake.ok());
  return std::move(wake).value();
}

TEST(WakeTest, TimesOutWithoutARing) { EXPECT_FALSE(Make().WaitFor(1ms)); }
TEST(WakeTest, ATimeInThePastIsNoTimeAtAll) { EXPECT_FALSE(Make().WaitFor(-5s)); }

TEST(WakeTest, RingsBeforeTheWaitAreOneRing) {
  const Wake wake = Make();
  wake.Ring();
  wake.Ring();
  EXPECT_TRUE(wake.WaitFor(0ms));
  EXPECT_FALSE(wake.WaitFor(0ms));
}

TEST(WakeTest, QuietForgetsARing) {
  const Wake wake = Make();
  wake.Ring();
  wake.Quiet();
  EXPECT_FALSE(wake.WaitFor(0ms));
}

TEST(WakeTest, WakesAnotherThread) {
  const Wake wake = Make();
  std::thread ringer([&wake] { wake.Ring(); });
  EXPECT_TRUE(wake.WaitFor(60s));
  ringer.join();
}

}  // namespace
}  // namespace procevent
