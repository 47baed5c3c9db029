#include "core/base/file_descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <chrono>
#include <thread>
#include <utility>

namespace procevent {

namespace {

int NewFd() { return ::eventfd(0, EFD_CLOEXEC); }
bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST(OwnedFdTest, ClosesAtTheEnd) {
  const int fd = NewFd();
  {
    const OwnedFd owner(fd);
    EXPECT_TRUE(IsOpen(fd));
  }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(OwnedFdTest, MovingHandsItOver) {
  const int fd = NewFd();
  OwnedFd from(fd);
  const OwnedFd to(std::move(from));
  EXPECT_EQ(to.get(), fd);
  EXPECT_FALSE(from.valid());  // NOLINT(bugprone-use-after-move): the state after a move is what is tested
  EXPECT_TRUE(IsOpen(fd));
}

TEST(OwnedFdTest, AssigningClosesTheOneBefore) {
  const int before = NewFd();
  const int after = NewFd();
  OwnedFd owner(before);
  owner = OwnedFd(after);
  EXPECT_FALSE(IsOpen(before));
  EXPECT_TRUE(IsOpen(after));
}

TEST(OwnedFdTest, AssigningToItselfKeepsIt) {
  const int fd = NewFd();
  OwnedFd owner(fd);
  OwnedFd& same = owner;
  owner = std::move(same);
  EXPECT_EQ(owner.get(), fd);
  EXPECT_TRUE(IsOpen(fd));
}

TEST(OwnedFdTest, ResetClosesAndEmpties) {
  const int fd = NewFd();
  OwnedFd owner(fd);
  owner.Reset();
  EXPECT_FALSE(owner.valid());
  EXPECT_FALSE(IsOpen(fd));
}

}  // namespace

namespace {

using namespace std::chrono_literals;

EventFd Make() {
  auto wake = EventFd::Make();
  EXPECT_TRUE(wake.ok());
  return std::move(wake).value();
}

TEST(EventFdTest, TimesOutWithoutARing) { EXPECT_FALSE(Make().WaitFor(1ms)); }
TEST(EventFdTest, ATimeInThePastIsNoTimeAtAll) { EXPECT_FALSE(Make().WaitFor(-5s)); }

TEST(EventFdTest, RingsBeforeTheWaitAreOneRing) {
  const EventFd wake = Make();
  wake.Signal();
  wake.Signal();
  EXPECT_TRUE(wake.WaitFor(0ms));
  EXPECT_FALSE(wake.WaitFor(0ms));
}

TEST(EventFdTest, QuietForgetsARing) {
  const EventFd wake = Make();
  wake.Signal();
  wake.Clear();
  EXPECT_FALSE(wake.WaitFor(0ms));
}

TEST(EventFdTest, WakesAnotherThread) {
  const EventFd wake = Make();
  std::thread ringer([&wake] { wake.Signal(); });
  EXPECT_TRUE(wake.WaitFor(60s));
  ringer.join();
}

}  // namespace

}  // namespace procevent
