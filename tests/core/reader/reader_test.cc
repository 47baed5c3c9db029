#include "core/reader/reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "core/sources/connector/subscription_error.h"
#include "reader_fixture.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

TEST_F(ReaderTest, CountsEventsBeforeTheScrape) {
  Start();
  for (std::uint64_t forks = 1; forks <= 1000; ++forks) {
    proc_.SetForks(forks);
    kernel_.SendEvent(kFork);
    kernel_.SendEvent(ExecBody{{2, 2}});
  }
  const Snapshot snapshot = TakeSnapshot();
  EXPECT_EQ(snapshot.numbers.events_of(EventKind::kFork), 1000U);
  EXPECT_EQ(snapshot.numbers.events_of(EventKind::kExec), 1000U);
  EXPECT_EQ(snapshot.numbers.total_lost(), 0U);
  EXPECT_EQ(snapshot.kernel_forks, 1000U);
  EXPECT_EQ(snapshot.forks_unseen, 0U);
  EXPECT_TRUE(snapshot.subscribed);
}

TEST_F(ReaderTest, CallsTheStartFunctionBeforeSubscribing) {
  Reader reader(MakeFakeSources(kernel_), ReaderOptions{}, 2, EventCoverage::kAll, CountingOptions{}, proc_.get());
  std::thread::id thread;
  int subscribe_calls = -1;
  reader.Start([&] {
    thread = std::this_thread::get_id();
    subscribe_calls = kernel_.subscribe_calls();
  });
  EXPECT_NE(thread, std::thread::id());
  EXPECT_NE(thread, std::this_thread::get_id());
  EXPECT_EQ(subscribe_calls, 0) << "it had subscribed before";
  EXPECT_EQ(kernel_.subscribe_calls(), 1);
}

TEST_F(ReaderTest, WaitsForForksThatAreCountedButNotYetQueued) {
  Start();
  constexpr std::uint64_t kScrapes = 50;
  std::uint64_t complete = 0;
  for (std::uint64_t forks = 1; forks <= kScrapes; ++forks) {
    proc_.SetForks(forks);
    std::atomic<bool> answered{false};
    std::thread late([this, &answered] {
      while (!reader_->exchange().IsRequested() && !answered) {
        std::this_thread::yield();
      }
      std::this_thread::sleep_for(1ms);
      kernel_.SendEvent(kFork);
    });
    const Snapshot snapshot = TakeSnapshot();
    answered = true;
    late.join();
    complete += snapshot.numbers.events_of(EventKind::kFork) == *snapshot.kernel_forks ? 1U : 0U;
  }
  EXPECT_GE(complete, 1U) << "a slow machine may miss some";
}

TEST_F(ReaderTest, FillsTheSnapshotAtTheKernelsForkCount) {
  Start();
  for (std::uint64_t forks = 1; forks <= 200; ++forks) {
    proc_.SetForks(forks);
    kernel_.SendEvent(kFork);
    const Snapshot snapshot = TakeSnapshot();
    ASSERT_EQ(snapshot.kernel_forks, forks);
    ASSERT_EQ(snapshot.numbers.events_of(EventKind::kFork), forks);
  }
}

TEST_F(ReaderTest, AnswersAScrapeIfAForkNeverArrives) {
  Start();
  proc_.SetForks(5);
  const Snapshot snapshot = TakeSnapshot();
  EXPECT_TRUE(snapshot.forks_audited);
  EXPECT_EQ(snapshot.kernel_forks, std::nullopt) << "it would not match the fork events";
  EXPECT_EQ(snapshot.numbers.events_of(EventKind::kFork), 0U);
}

// Processes of many groups that exit with several statuses each.
class ManyGroupsTest : public ReaderTest {
 protected:
  static constexpr std::uint64_t kGroups = 700;
  static constexpr std::uint64_t kStatuses = 3;

  // Returns when the reader has counted the exits.
  void SendExits() {
    for (std::int32_t group = 0; group < static_cast<std::int32_t>(kGroups); ++group) {
      const Task child{1000 + group, 1000 + group};
      CommBody name{.task = child};
      std::ranges::copy("group " + std::to_string(group), name.comm.begin());
      for (std::uint32_t status = 1; status <= kStatuses; ++status) {
        kernel_.SendEvent(ForkBody{{1, 1}, child});
        kernel_.SendEvent(name);
        kernel_.SendEvent(ExitBody{.task = child, .wait_status = status << 8U, .parent_signal = 17, .parent = {1, 1}});
      }
    }
    exits_ += kGroups * kStatuses;
    TakeSnapshotUntil([this](const Snapshot& s) { return s.numbers.events_of(EventKind::kExit) == exits_; });
  }

 private:
  std::uint64_t exits_ = 0;
};

// A larger limit of groups has room for more pairs of group and exit status.
TEST_F(ManyGroupsTest, HasFinalNumbersOfTheConfiguredSize) {
  Start(EventCoverage::kAll, {.group_limit = kGroups});
  SendExits();
  reader_->Stop();
  EXPECT_EQ(reader_->FinalNumbers().exit_reasons.pairs().size(), kGroups * kStatuses);
}

TEST_F(ManyGroupsTest, IncreasesTheGroupLimitWhileRunning) {
  Start(EventCoverage::kAll, {.group_limit = 10});
  SendExits();
  EXPECT_EQ(TakeSnapshot().numbers.groups.rows_in_use, 10U);
  reader_->Reload({.group_limit = kGroups});
  TakeSnapshotUntil([](const Snapshot& s) { return s.numbers.groups.limit == kGroups; });
  SendExits();
  for (int each_buffer = 0; each_buffer < 2; ++each_buffer) {
    const Snapshot snapshot = TakeSnapshot();
    EXPECT_EQ(snapshot.numbers.groups.rows_in_use, kGroups);
    EXPECT_GE(snapshot.numbers.exit_reasons.pairs().size(), kGroups * kStatuses) << "and those of the overflow row";
  }
  reader_->Stop();
  EXPECT_GE(reader_->FinalNumbers().exit_reasons.pairs().size(), kGroups * kStatuses);
}

TEST_F(ReaderTest, AnswersOtherScrapesWhileTheGroupLimitIncreases) {
  Start(EventCoverage::kAll, {.group_limit = 10});
  std::atomic<bool> done{false};
  std::thread scraper([this, &done] {
    std::uint64_t limit = 0;
    while (!done) {
      const Snapshot snapshot = TakeSnapshot();
      EXPECT_GE(snapshot.numbers.groups.limit, limit);
      limit = snapshot.numbers.groups.limit;
      EXPECT_EQ(snapshot.numbers.groups.rows.size(), kReservedGroups + limit);
    }
  });
  for (std::size_t limit = 11; limit < 100; ++limit) {
    reader_->Reload({.group_limit = limit});
    TakeSnapshotUntil([limit](const Snapshot& s) { return s.numbers.groups.limit == limit; });
  }
  done = true;
  scraper.join();
}

TEST_F(ReaderTest, CountsLossesOfEachCpu) {
  Start();
  TakeSnapshot();  // the first CPU probe is finished: each CPU has a base
  kernel_.Lose(7, 0);
  kernel_.Lose(9, 1);
  // No event follows on either CPU: the drops make the reader probe the CPUs.
  const Snapshot snapshot = TakeSnapshotUntil([](const Snapshot& s) { return s.numbers.total_lost() >= 16; });
  EXPECT_EQ(snapshot.numbers.lost.at(0), 7U);
  EXPECT_EQ(snapshot.numbers.lost.at(1), 9U);
  EXPECT_EQ(snapshot.socket_drops, 16U);
}

TEST_F(ReaderTest, PostsANoticeAboutLosses) {
  Start();
  TakeSnapshot();  // the first CPU probe is finished: each CPU has a base
  kernel_.Lose(7, 0);
  const auto notice = AwaitNotice(Notice::Kind::kEventsLost);
  ASSERT_TRUE(notice.has_value());
  EXPECT_EQ(notice->count, 7U);
  EXPECT_EQ(notice->buffer_bytes, 1U << 19U);
}

TEST_F(ReaderTest, PostsANoticeAboutDropsWithANarrowedMask) {
  Start(EventCoverage::kPartial);
  kernel_.Lose(7, 0);
  const auto notice = AwaitNotice(Notice::Kind::kEventsLost);
  ASSERT_TRUE(notice.has_value());
  EXPECT_EQ(notice->count, 7U);
}

TEST_F(ReaderTest, IncludesDropsBeforeTheScrapeInTheLosses) {
  Start();
  TakeSnapshot();  // the first CPU probe is finished
  for (std::uint64_t drops = 1; drops <= 20; ++drops) {
    kernel_.Lose(1, 1);
    const Snapshot snapshot = TakeSnapshot();
    ASSERT_EQ(snapshot.socket_drops, drops);
    ASSERT_EQ(snapshot.numbers.total_lost(), drops);
  }
}

TEST_F(ReaderTest, AppliesNewNameGroupsWhileRunning) {
  Start();
  kernel_.SendEvent(CommBody{{1, 1}, {'w', '-', '1'}});
  kernel_.SendEvent(kFork);
  EXPECT_EQ(ForksBy(TakeSnapshot(), "w-1"), 1U);
  reader_->Reload({.name_groups = {{.match = "w-.*", .name = "workers"}}});
  std::uint64_t forks = 1;
  const Snapshot snapshot = TakeSnapshotUntil([&](const Snapshot& it) {
    if (ForksBy(it, "workers") > 0) {
      return true;
    }
    kernel_.SendEvent(kFork);
    ++forks;
    return false;
  });
  EXPECT_EQ(ForksBy(snapshot, "w-1") + ForksBy(snapshot, "workers"), forks);
}

TEST_F(ReaderTest, DoesNotCountGapsAsLossesWithANarrowedMask) {
  Start(EventCoverage::kPartial);
  kernel_.Lose(7);
  kernel_.SendEvent(kFork);
  const Snapshot snapshot = TakeSnapshot();
  EXPECT_FALSE(snapshot.loss_exact);
  EXPECT_EQ(snapshot.numbers.total_lost(), 0U);
  EXPECT_EQ(snapshot.kernel_forks, std::nullopt);
  EXPECT_EQ(snapshot.numbers.events_of(EventKind::kFork), 1U);
}

TEST_F(ReaderTest, RejectsDatagramsThatAreNotTheKernels) {
  Start();
  kernel_.Send(EncodeEvent(Event{}), 4711);
  kernel_.Send(Bytes(DatagramBatch::kSlotBytes + 1));
  kernel_.Send(Bytes(7));
  const Snapshot snapshot = TakeSnapshot();
  EXPECT_EQ(Rejected(snapshot, Rejection::kForeignSender), 1U);
  EXPECT_EQ(Rejected(snapshot, Rejection::kOversized), 1U);
  EXPECT_EQ(Rejected(snapshot, Rejection::kTruncatedNetlinkHeader), 1U);
  EXPECT_EQ(snapshot.numbers.events_of(EventKind::kAck), 0U);
}

TEST_F(ReaderTest, PostsANoticeAboutASmallBuffer) {
  Start();
  const auto notice = AwaitNotice(Notice::Kind::kSmallBuffer);
  ASSERT_TRUE(notice.has_value());
  EXPECT_EQ(notice->count, 1U << 19U);
  EXPECT_EQ(notice->buffer_bytes, 1U << 20U);
}

TEST_F(ReaderTest, ClosesTheSourceOnStop) {
  Start();
  reader_->Stop();
  EXPECT_TRUE(kernel_.closed());
  reader_->Stop();
  Snapshot snapshot(2);
  EXPECT_NE(reader_->exchange().CopySnapshot(snapshot, 1ms), SnapshotExchange::Freshness::kFresh);
}

TEST_F(ReaderTest, DoesNotSpinAfterAScrapeGaveUp) {
  Start();
  TakeSnapshot();
  proc_.SetForks(1000);  // no scrape can be answered at once: these forks never arrive
  Snapshot snapshot(2);
  for (int i = 0; i < 10; ++i) {
    EXPECT_NE(reader_->exchange().CopySnapshot(snapshot, 5ms), SnapshotExchange::Freshness::kNone);
  }
  const int before = kernel_.receive_calls();
  std::this_thread::sleep_for(1s);
  EXPECT_LT(kernel_.receive_calls() - before, 300) << "ten canaries a second take a few turns each";
}

TEST_F(ReaderTest, SleepsWhileIdle) {
  reader_ =
      std::make_unique<Reader>(MakeFakeSources(kernel_), ReaderOptions{.drain_interval = 1ms, .canary_interval = 3600s},
                               2, EventCoverage::kAll, CountingOptions{}, proc_.get());
  reader_->Start();
  TakeSnapshot();
  // The first canaries are 100, 200, 400, ... ms apart: at most four in a second, and each takes a few turns. A
  // spinning reader has thousands.
  const int before = kernel_.receive_calls();
  std::this_thread::sleep_for(1s);
  EXPECT_LT(kernel_.receive_calls() - before, 50);
}

}  // namespace
}  // namespace procevent
