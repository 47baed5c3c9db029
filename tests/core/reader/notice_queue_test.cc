#include "core/reader/notice_queue.h"

#include <gtest/gtest.h>

#include <thread>

namespace procevent {
namespace {

EventFd MakeSignal() { return std::move(EventFd::Make()).value(); }

TEST(NoticeQueueTest, PopsInOrder) {
  NoticeQueue notices(MakeSignal());
  notices.Post({.count = 1});
  notices.Post({.count = 2});
  Notice notice;
  ASSERT_TRUE(notices.TryPop(notice));
  EXPECT_EQ(notice.count, 1U);
  ASSERT_TRUE(notices.TryPop(notice));
  EXPECT_EQ(notice.count, 2U);
  EXPECT_FALSE(notices.TryPop(notice));
}

void PostThreeMoreThanFit(NoticeQueue& notices) {
  for (std::uint64_t i = 0; i < NoticeQueue::kCapacity + 3; ++i) {
    notices.Post({.count = i});
  }
}

// Those posted first, in order.
void PopAsManyAsFit(NoticeQueue& notices) {
  Notice notice;
  for (std::uint64_t i = 0; i < NoticeQueue::kCapacity; ++i) {
    ASSERT_TRUE(notices.TryPop(notice));
    ASSERT_EQ(notice.count, i);
  }
}

TEST(NoticeQueueTest, CountsNoticesThatDoNotFitAndKeepsTheFirst) {
  NoticeQueue notices(MakeSignal());
  PostThreeMoreThanFit(notices);
  EXPECT_EQ(notices.dropped(), 3U);
  ASSERT_NO_FATAL_FAILURE(PopAsManyAsFit(notices));
  Notice notice;
  EXPECT_FALSE(notices.TryPop(notice));
  notices.Post({.count = 99});
  ASSERT_TRUE(notices.TryPop(notice));
  EXPECT_EQ(notice.count, 99U);
}

TEST(NoticeQueueTest, HasRoomForTheFailureOfTheThread) {
  NoticeQueue notices(MakeSignal());
  PostThreeMoreThanFit(notices);
  EXPECT_FALSE(notices.thread_failed());
  notices.Post({.kind = Notice::Kind::kThreadFailed});
  EXPECT_TRUE(notices.thread_failed());
  EXPECT_EQ(notices.dropped(), 3U);
  ASSERT_NO_FATAL_FAILURE(PopAsManyAsFit(notices));
  Notice notice;
  ASSERT_TRUE(notices.TryPop(notice));
  EXPECT_EQ(notice.kind, Notice::Kind::kThreadFailed);
  EXPECT_FALSE(notices.TryPop(notice));
}

TEST(NoticeQueueTest, PopsOrCountsEveryNoticeOfAnotherThread) {
  NoticeQueue notices(MakeSignal());
  constexpr std::uint64_t kPosts = 20'000;
  std::thread reader([&notices] {
    for (std::uint64_t i = 1; i <= kPosts; ++i) {
      notices.Post({.count = i, .buffer_bytes = i});
    }
  });
  std::uint64_t popped = 0;
  std::uint64_t last = 0;
  Notice notice;
  while (popped + notices.dropped() < kPosts) {
    if (notices.TryPop(notice)) {
      ASSERT_GT(notice.count, last);
      ASSERT_EQ(notice.count, notice.buffer_bytes);
      last = notice.count;
      ++popped;
    } else {
      std::this_thread::yield();
    }
  }
  reader.join();
  EXPECT_FALSE(notices.TryPop(notice));
}

}  // namespace
}  // namespace procevent
