#include "core/base/stoppable_thread.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>

#include <array>
#include <atomic>
#include <string>

namespace procevent {
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
