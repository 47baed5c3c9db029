#include "core/base/thread.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>

namespace procevent {
namespace {

TEST(LatestValueTest, ReturnsLatestValueOnce) {
  LatestValue<int> latest;
  EXPECT_EQ(latest.Consume(), nullptr);
  latest.Publish(std::make_unique<int>(1));
  latest.Publish(std::make_unique<int>(2));
  EXPECT_EQ(*latest.Consume(), 2);
  EXPECT_EQ(latest.Consume(), nullptr);
}

TEST(LatestValueTest, DestroysUnconsumedValue) {
  const auto kept = std::make_shared<int>(1);
  {
    LatestValue<std::shared_ptr<int>> latest;
    latest.Publish(std::make_unique<std::shared_ptr<int>>(kept));
    EXPECT_EQ(kept.use_count(), 2);
  }
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(LatestValueTest, DeliversCompleteValuesInOrder) {
  constexpr int kValues = 20'000;
  LatestValue<int> latest;
  std::atomic<bool> all_sent{false};
  std::jthread sender([&] {
    for (int value = 1; value <= kValues; ++value) {
      latest.Publish(std::make_unique<int>(value));
    }
    all_sent = true;
  });
  int last = 0;
  while (last < kValues) {
    const bool done = all_sent;
    if (const auto value = latest.Consume()) {
      ASSERT_GT(*value, last);
      last = *value;
    } else {
      ASSERT_FALSE(done) << "the last value was lost";
    }
  }
}

void SleepUntilStopped(const StoppableThread& thread) {
  pollfd stopped{thread.stop_fd(), POLLIN, 0};
  while (!thread.stopping()) {
    ::poll(&stopped, 1, -1);
  }
}

TEST(StoppableThreadTest, StopWakesAndJoinsThread) {
  std::atomic<bool> done{false};
  StoppableThread thread;
  thread.Start("pe-test", "start the test thread", [&] {
    SleepUntilStopped(thread);
    done = true;
  });
  EXPECT_FALSE(thread.stopping());
  thread.Stop();
  EXPECT_TRUE(thread.stopping());
  EXPECT_TRUE(done);
  thread.Stop();  // a second stop does nothing
}

TEST(StoppableThreadTest, SetsNameBeforeWork) {
  std::array<char, 16> name{};
  StoppableThread thread;
  thread.Start("pe-test", "start the test thread", [&] { ::prctl(PR_GET_NAME, name.data()); });
  thread.Stop();
  EXPECT_EQ(std::string(name.data()), "pe-test");
}

TEST(StoppableThreadTest, StopsOnDestruction) {
  std::atomic<bool> done{false};
  {
    StoppableThread thread;
    thread.Start("pe-test", "start the test thread", [&] {
      SleepUntilStopped(thread);
      done = true;
    });
  }
  EXPECT_TRUE(done);
}

TEST(StoppableThreadTest, StopWithoutStartDoesNothing) {
  StoppableThread thread;
  thread.Stop();
  EXPECT_FALSE(thread.stopping());
}

}  // namespace
}  // namespace procevent
