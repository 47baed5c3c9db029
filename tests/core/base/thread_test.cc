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

TEST(LatestValueTest, GivesTheNewestOnce) {
  LatestValue<int> box;
  EXPECT_EQ(box.Consume(), nullptr);
  box.Publish(std::make_unique<int>(1));
  box.Publish(std::make_unique<int>(2));
  EXPECT_EQ(*box.Consume(), 2);
  EXPECT_EQ(box.Consume(), nullptr);
}

TEST(LatestValueTest, WhatNobodyTakesIsThrownAway) {
  const auto kept = std::make_shared<int>(1);
  {
    LatestValue<std::shared_ptr<int>> box;
    box.Publish(std::make_unique<std::shared_ptr<int>>(kept));
    EXPECT_EQ(kept.use_count(), 2);
  }
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(LatestValueTest, WhatIsTakenIsWholeAndNeverOlder) {
  constexpr int kThings = 20'000;
  LatestValue<int> box;
  std::atomic<bool> sent{false};
  std::jthread sender([&] {
    for (int thing = 1; thing <= kThings; ++thing) {
      box.Publish(std::make_unique<int>(thing));
    }
    sent = true;
  });
  int last = 0;
  while (last < kThings) {
    const bool all = sent;
    if (const auto thing = box.Consume()) {
      ASSERT_GT(*thing, last);
      last = *thing;
    } else {
      ASSERT_FALSE(all) << "the last one got lost";
    }
  }
}

}  // namespace

namespace {

void SleepUntilStopped(const StoppableThread& thread) {
  pollfd stopped{thread.stop_fd(), POLLIN, 0};
  while (!thread.stopping()) {
    ::poll(&stopped, 1, -1);
  }
}

TEST(StoppableThread, IsWokenToStopAndWaitedFor) {
  std::atomic<bool> done{false};
  StoppableThread thread;
  thread.Start("pe-test", "start the test's thread", [&] {
    SleepUntilStopped(thread);
    done = true;
  });
  EXPECT_FALSE(thread.stopping());
  thread.Stop();
  EXPECT_TRUE(thread.stopping());
  EXPECT_TRUE(done);
  thread.Stop();  // a second time changes nothing
}

TEST(StoppableThread, HasItsNameBeforeItWorks) {
  std::array<char, 16> name{};
  StoppableThread thread;
  thread.Start("pe-test", "start the test's thread", [&] { ::prctl(PR_GET_NAME, name.data()); });
  thread.Stop();
  EXPECT_EQ(std::string(name.data()), "pe-test");
}

TEST(StoppableThread, IsStoppedByItsEnd) {
  std::atomic<bool> done{false};
  {
    StoppableThread thread;
    thread.Start("pe-test", "start the test's thread", [&] {
      SleepUntilStopped(thread);
      done = true;
    });
  }
  EXPECT_TRUE(done);
}

TEST(StoppableThread, ThatNeverStartedNeedsNoStop) {
  StoppableThread thread;
  thread.Stop();
  EXPECT_FALSE(thread.stopping());
}

}  // namespace

}  // namespace procevent
