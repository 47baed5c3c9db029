#include "core/reader/snapshot_exchange.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "core/base/system.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

// Writes `value` to many fields of a snapshot, so that a torn snapshot shows.
void Fill(Snapshot& snapshot, std::uint64_t complete_until_ns, std::uint64_t value) {
  snapshot.complete_until_ns = complete_until_ns;
  snapshot.numbers.events.fill(value);
  for (auto& lost : snapshot.numbers.lost) {
    lost = value;
  }
  snapshot.socket_drops = value;
}

bool IsConsistent(const Snapshot& snapshot) {
  const std::uint64_t value = snapshot.socket_drops;
  for (const auto events : snapshot.numbers.events) {
    if (events != value) {
      return false;
    }
  }
  for (const auto lost : snapshot.numbers.lost) {
    if (lost != value) {
      return false;
    }
  }
  return true;
}

// Answers requests as fast as possible, and counts the answers.
class AnsweringThread {
 public:
  explicit AnsweringThread(SnapshotExchange& exchange) : thread_([this, &exchange] { Run(exchange); }) {}
  AnsweringThread(const AnsweringThread&) = delete;
  AnsweringThread& operator=(const AnsweringThread&) = delete;
  ~AnsweringThread() { Stop(); }
  void Stop() {
    stopping_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
  }
  [[nodiscard]] std::uint64_t answers() const { return answers_; }

 private:
  void Run(SnapshotExchange& exchange) {
    while (!stopping_) {
      if (!exchange.IsRequested()) {
        std::this_thread::yield();
        continue;
      }
      const std::uint64_t requested_ns = MonotonicNanos();
      if (Snapshot* snapshot = exchange.BeginFill()) {
        Fill(*snapshot, requested_ns, ++answers_);
        exchange.FinishFill();
      }
    }
  }
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> answers_{0};
  std::thread thread_;
};

TEST(SnapshotExchangeTest, ReturnsNoneIfTheReaderNeverAnswered) {
  SnapshotExchange exchange{Snapshot(2)};
  Snapshot out(2);
  EXPECT_EQ(exchange.CopySnapshot(out, 10ms), SnapshotExchange::Freshness::kNone);
  EXPECT_EQ(out.complete_until_ns, 0U);
  EXPECT_FALSE(exchange.IsRequested()) << "the request was not cancelled";
}

TEST(SnapshotExchangeTest, ReturnsAFreshSnapshot) {
  SnapshotExchange exchange{Snapshot(2)};
  Snapshot out(2);
  const AnsweringThread reader(exchange);
  const std::uint64_t before = MonotonicNanos();
  ASSERT_EQ(exchange.CopySnapshot(out, 60s), SnapshotExchange::Freshness::kFresh);
  EXPECT_GT(out.complete_until_ns, before);
  EXPECT_TRUE(IsConsistent(out));
}

TEST(SnapshotExchangeTest, ReturnsTheLastSnapshotAfterTheReaderStopped) {
  SnapshotExchange exchange{Snapshot(2)};
  Snapshot first(2);
  {
    const AnsweringThread reader(exchange);
    ASSERT_EQ(exchange.CopySnapshot(first, 60s), SnapshotExchange::Freshness::kFresh);
  }
  Snapshot second(2);
  EXPECT_EQ(exchange.CopySnapshot(second, 10ms), SnapshotExchange::Freshness::kStale);
  EXPECT_EQ(second.complete_until_ns, first.complete_until_ns);
  EXPECT_EQ(second.numbers, first.numbers);
}

// Begins to fill for a scraper, and returns when the scraper has given up.
Snapshot* BeginFillForAScraperThatGivesUp(SnapshotExchange& exchange) {
  std::atomic<bool> begun{false};
  std::thread scraper([&exchange, &begun] {
    Snapshot mine(2);
    while (!begun) {
      EXPECT_EQ(exchange.CopySnapshot(mine, 50ms), SnapshotExchange::Freshness::kNone);
    }
  });
  Snapshot* snapshot = nullptr;
  while (snapshot == nullptr) {
    snapshot = exchange.BeginFill();
  }
  begun = true;
  scraper.join();
  return snapshot;
}

TEST(SnapshotExchangeTest, ReturnsALateAnswerAsStale) {
  SnapshotExchange exchange{Snapshot(2)};
  Snapshot* const snapshot = BeginFillForAScraperThatGivesUp(exchange);
  Fill(*snapshot, MonotonicNanos(), 7);
  exchange.FinishFill();
  Snapshot out(2);
  ASSERT_EQ(exchange.CopySnapshot(out, 50ms), SnapshotExchange::Freshness::kStale);
  EXPECT_EQ(out.socket_drops, 7U);
}

TEST(SnapshotExchangeTest, ReturnsNoneWhileTheReaderIsStuckFilling) {
  SnapshotExchange exchange{Snapshot(2)};
  ASSERT_NE(BeginFillForAScraperThatGivesUp(exchange), nullptr);
  Snapshot out(2);
  EXPECT_EQ(exchange.CopySnapshot(out, 1ms), SnapshotExchange::Freshness::kNone);
  EXPECT_EQ(exchange.CopySnapshot(out, 1ms), SnapshotExchange::Freshness::kNone);
  exchange.FinishFill();
}

TEST(SnapshotExchangeTest, SharesAnAnswerAmongWaitingScrapers) {
  SnapshotExchange exchange{Snapshot(2)};
  constexpr int kScrapers = 8;
  std::atomic<int> arrived{0};
  std::vector<std::thread> scrapers;
  for (int i = 0; i < kScrapers; ++i) {
    scrapers.emplace_back([&exchange, &arrived] {
      ++arrived;
      Snapshot mine(2);
      EXPECT_EQ(exchange.CopySnapshot(mine, 60s), SnapshotExchange::Freshness::kFresh);
      EXPECT_TRUE(IsConsistent(mine));
    });
  }
  while (arrived < kScrapers || !exchange.IsRequested()) {
    std::this_thread::yield();
  }
  std::uint64_t answers = 0;
  {
    AnsweringThread reader(exchange);
    for (auto& scraper : scrapers) {
      scraper.join();
    }
    reader.Stop();
    answers = reader.answers();
  }
  EXPECT_LE(answers, static_cast<std::uint64_t>(kScrapers));
  EXPECT_GE(answers, 1U);
}

// An answer serves every scraper that asked until the moment up to which it is complete, and no other.
TEST(SnapshotExchangeTest, AnAnswerServesScrapersThatAskedUntilItIsComplete) {
  SnapshotExchange exchange{Snapshot(2)};
  const auto asked_ns = MonotonicNanos();
  std::jthread reader([&exchange, asked_ns] {
    while (!exchange.IsRequested()) {
      std::this_thread::yield();
    }
    EXPECT_EQ(exchange.asked_ns(), asked_ns);
    Fill(*exchange.BeginFill(), asked_ns + 1000, 7);
    exchange.FinishFill();
  });
  const auto ignore = [](const Snapshot&, SnapshotExchange::Freshness) {};
  ASSERT_EQ(exchange.VisitSnapshot(asked_ns, 60s, ignore), SnapshotExchange::Freshness::kFresh);
  reader.join();
  const auto no_wait = 0ms;
  EXPECT_EQ(exchange.VisitSnapshot(asked_ns + 1000, no_wait, ignore), SnapshotExchange::Freshness::kFresh);
  EXPECT_EQ(exchange.VisitSnapshot(asked_ns + 1001, no_wait, ignore), SnapshotExchange::Freshness::kStale);
}

TEST(SnapshotExchangeTest, AwaitStatusWakesTheReaderAndWaitsForItsNextStatus) {
  SnapshotExchange exchange{Snapshot(2)};
  exchange.PublishStatus({.published_ns = MonotonicNanos()});
  EXPECT_FALSE(exchange.AwaitStatus(5ms)) << "the status is older than the call";
  exchange.ClearRequestSignal();
  const std::jthread reader([&exchange] {
    pollfd request{exchange.request_fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&request, 1, -1), 1);
    exchange.PublishStatus({.published_ns = MonotonicNanos()});
  });
  EXPECT_TRUE(exchange.AwaitStatus(60s));
}

TEST(SnapshotExchangeTest, GivesEightScrapersConsistentFreshAndGrowingSnapshots) {
  SnapshotExchange exchange{Snapshot(4)};
  AnsweringThread reader(exchange);
  std::vector<std::thread> scrapers;
  for (int i = 0; i < 8; ++i) {
    scrapers.emplace_back([&exchange] {
      Snapshot mine(4);
      std::uint64_t last = 0;
      for (int scrape = 0; scrape < 500; ++scrape) {
        const std::uint64_t before = MonotonicNanos();
        ASSERT_EQ(exchange.CopySnapshot(mine, 60s), SnapshotExchange::Freshness::kFresh);
        ASSERT_GT(mine.complete_until_ns, before);
        ASSERT_TRUE(IsConsistent(mine));
        ASSERT_GE(mine.socket_drops, last);
        last = mine.socket_drops;
      }
    });
  }
  for (auto& scraper : scrapers) {
    scraper.join();
  }
  reader.Stop();
}

TEST(SnapshotExchangeTest, AnswersOtherScrapersWhenSomeGiveUp) {
  SnapshotExchange exchange{Snapshot(2)};
  const AnsweringThread reader(exchange);
  std::vector<std::thread> scrapers;
  for (int i = 0; i < 4; ++i) {
    scrapers.emplace_back([&exchange, i] {
      Snapshot mine(2);
      for (int scrape = 0; scrape < 300; ++scrape) {
        const auto freshness = exchange.CopySnapshot(mine, i % 2 == 0 ? 0ms : 60000ms);
        if (i % 2 == 1) {
          ASSERT_EQ(freshness, SnapshotExchange::Freshness::kFresh);
        }
        ASSERT_TRUE(freshness == SnapshotExchange::Freshness::kNone || IsConsistent(mine));
      }
    });
  }
  for (auto& scraper : scrapers) {
    scraper.join();
  }
}

}  // namespace
}  // namespace procevent
