#include "core/base/file_descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

#include "core/base/system.h"

namespace procevent {
namespace {

int NewFd() { return ::eventfd(0, EFD_CLOEXEC); }
bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST(OwnedFdTest, ClosesOnDestruction) {
  const int fd = NewFd();
  {
    const OwnedFd owner(fd);
    EXPECT_TRUE(IsOpen(fd));
  }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(OwnedFdTest, TransfersOwnershipOnMove) {
  const int fd = NewFd();
  OwnedFd from(fd);
  const OwnedFd to(std::move(from));
  EXPECT_EQ(to.get(), fd);
  EXPECT_FALSE(from.valid());  // NOLINT(bugprone-use-after-move): the state after a move is what is tested
  EXPECT_TRUE(IsOpen(fd));
}

TEST(OwnedFdTest, ClosesPreviousDescriptorOnAssignment) {
  const int before = NewFd();
  const int after = NewFd();
  OwnedFd owner(before);
  owner = OwnedFd(after);
  EXPECT_FALSE(IsOpen(before));
  EXPECT_TRUE(IsOpen(after));
}

TEST(OwnedFdTest, KeepsDescriptorOnSelfAssignment) {
  const int fd = NewFd();
  OwnedFd owner(fd);
  OwnedFd& same = owner;
  owner = std::move(same);
  EXPECT_EQ(owner.get(), fd);
  EXPECT_TRUE(IsOpen(fd));
}

TEST(OwnedFdTest, ResetClosesAndInvalidates) {
  const int fd = NewFd();
  OwnedFd owner(fd);
  owner.Reset();
  EXPECT_FALSE(owner.valid());
  EXPECT_FALSE(IsOpen(fd));
}

using namespace std::chrono_literals;

EventFd MakeEventFd() {
  auto event = EventFd::Make();
  EXPECT_TRUE(event.ok());
  return std::move(event).value();
}

TEST(EventFdTest, TimesOutWithoutSignal) { EXPECT_FALSE(MakeEventFd().WaitFor(1ms)); }
TEST(EventFdTest, ReturnsImmediatelyForNegativeTimeout) { EXPECT_FALSE(MakeEventFd().WaitFor(-5s)); }

TEST(EventFdTest, MergesSignalsBeforeTheWait) {
  const EventFd event = MakeEventFd();
  event.Signal();
  event.Signal();
  EXPECT_TRUE(event.WaitFor(0ms));
  EXPECT_FALSE(event.WaitFor(0ms));
}

TEST(EventFdTest, ClearConsumesSignal) {
  const EventFd event = MakeEventFd();
  event.Signal();
  event.Clear();
  EXPECT_FALSE(event.WaitFor(0ms));
}

TEST(EventFdTest, WakesAnotherThread) {
  const EventFd event = MakeEventFd();
  std::thread signaler([&event] { event.Signal(); });
  EXPECT_TRUE(event.WaitFor(60s));
  signaler.join();
}

std::uint64_t InAMinute() { return MonotonicNanos() + 60 * kNanosPerSecond; }

TEST(PollerTest, ReturnsTrueOnASignal) {
  const EventFd signal = MakeEventFd();
  Poller poller(std::array{signal.fd()});
  signal.Signal();
  EXPECT_TRUE(poller.Wait({}, InAMinute()));
}

TEST(PollerTest, ReturnsFalseOnTimeout) {
  const EventFd signal = MakeEventFd();
  Poller poller(std::array{signal.fd()});
  EXPECT_FALSE(poller.Wait({}, 0));
  const std::uint64_t until = MonotonicNanos() + 5 * kNanosPerMilli;
  EXPECT_FALSE(poller.Wait({}, until));
  EXPECT_GE(MonotonicNanos(), until);
}

TEST(PollerTest, ReturnsFalseWhenTheSourceIsReadable) {
  const EventFd signal = MakeEventFd();
  const EventFd source = MakeEventFd();
  Poller poller(std::array{signal.fd()});
  source.Signal();
  EXPECT_FALSE(poller.Wait(std::array{source.fd()}, InAMinute()));
}

TEST(PollerTest, IgnoresTheSourceWithoutItsDescriptor) {
  const EventFd signal = MakeEventFd();
  const EventFd source = MakeEventFd();
  Poller poller(std::array{signal.fd()});
  source.Signal();
  EXPECT_FALSE(poller.Wait(std::array{source.fd()}, InAMinute()));
  const std::uint64_t until = MonotonicNanos() + 5 * kNanosPerMilli;
  EXPECT_FALSE(poller.Wait({}, until));
  EXPECT_GE(MonotonicNanos(), until);
  EXPECT_FALSE(poller.Wait(std::array{source.fd()}, InAMinute()));
}

TEST(PollerTest, WaitsForSeveralSources) {
  const EventFd signal = MakeEventFd();
  const EventFd quiet = MakeEventFd();
  const EventFd source = MakeEventFd();
  const std::array sources{quiet.fd(), -1, source.fd()};
  Poller poller(std::array{signal.fd()});
  const std::uint64_t until = MonotonicNanos() + 5 * kNanosPerMilli;
  EXPECT_FALSE(poller.Wait(sources, until));
  EXPECT_GE(MonotonicNanos(), until);
  source.Signal();
  EXPECT_FALSE(poller.Wait(sources, InAMinute()));
  signal.Signal();
  EXPECT_TRUE(poller.Wait(sources, InAMinute())) << "a signal and a source at once";
  EXPECT_TRUE(poller.Wait(std::array{quiet.fd()}, InAMinute()));
}

TEST(PollerTest, AcceptsAnotherSourceAfterOneWasClosed) {
  const EventFd signal = MakeEventFd();
  Poller poller(std::array{signal.fd()});
  {
    const EventFd first = MakeEventFd();
    EXPECT_FALSE(poller.Wait(std::array{first.fd()}, 0));
  }
  const EventFd spare = MakeEventFd();  // takes the descriptor number of the first, so that the second has another
  const EventFd second = MakeEventFd();
  second.Signal();
  EXPECT_FALSE(poller.Wait(std::array{second.fd()}, InAMinute()));
}

}  // namespace
}  // namespace procevent
