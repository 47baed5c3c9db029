#include "exporter/http/scrape_coalescer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/base/system.h"
#include "exporter/metrics/exporter_state.h"
#include "exporter/metrics/metrics_collector.h"
#include "tests/exporter/http/generate_text.h"

namespace procevent {
namespace {

std::string Get(ScrapeCoalescer& coalescer) { return ReadAll(coalescer.Get(MonotonicNanos())); }

TEST(ScrapeCoalescerTest, GeneratesABodyForEachSingleRequest) {
  int generated = 0;
  ScrapeCoalescer coalescer([&generated](std::uint64_t asked_ns, const TextSink& sink) {
    sink(std::to_string(++generated));
    return asked_ns;
  });
  for (const char* const expected : {"1", "2", "3"}) {
    EXPECT_EQ(Get(coalescer), expected);
  }
}

TEST(ScrapeCoalescerTest, KeepsNoBodyWithoutWaitingRequests) {
  ScrapeCoalescer coalescer(GenerateText("text"));
  const std::weak_ptr<const ScrapeBody> kept = coalescer.Get(MonotonicNanos());
  EXPECT_TRUE(kept.expired());
}

// Several threads request bodies in a loop. Each generation takes 1 ms and is complete up to its start.
TEST(ScrapeCoalescerTest, SharesBodiesThatAreNeverOlderThanTheRequest) {
  constexpr int kThreads = 8;
  constexpr int kRequests = 40;
  std::atomic<int> started{0};
  std::atomic<int> too_old{0};
  ScrapeCoalescer coalescer([&started](std::uint64_t /*asked_ns*/, const TextSink& sink) {
    const std::uint64_t start_ns = MonotonicNanos();
    sink(std::to_string(++started));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return start_ns;
  });
  {
    std::latch ready(kThreads);
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        ready.arrive_and_wait();
        for (int request = 0; request < kRequests; ++request) {
          const int before = started;
          too_old += std::stoi(Get(coalescer)) <= before ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(too_old, 0);
  EXPECT_LT(started, kThreads * kRequests / 2) << "too few bodies were shared";
}

// An answer that was begun before a request may still be complete up to the request.
TEST(ScrapeCoalescerTest, SharesABodyThatWasBegunBeforeTheRequest) {
  std::atomic<int> started{0};
  ScrapeCoalescer coalescer([&](std::uint64_t /*asked_ns*/, const TextSink& sink) {
    sink(std::to_string(++started));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return MonotonicNanos();
  });
  // A slow machine may let the second request wait too late. Then the test is repeated; CTest ends it.
  while (true) {
    const int before = started;
    std::string first;
    std::jthread thread([&] { first = Get(coalescer); });
    while (started == before) {
      std::this_thread::yield();
    }
    const std::string second = Get(coalescer);
    thread.join();
    if (first == second) {
      break;
    }
  }
}

// Without an answer of the reader the old one serves all who wait, so that they are not delayed one after the other.
TEST(ScrapeCoalescerTest, GeneratesOnceForRequestsThatWaitInVain) {
  constexpr int kThreads = 8;
  SnapshotExchange exchange{Snapshot(2)};
  const ExporterState state{ReloadStatus(0)};
  const MetricsCollector collector(exchange, state);
  std::atomic<int> generated{0};
  ScrapeCoalescer coalescer([&](std::uint64_t asked_ns, const TextSink& sink) {
    ++generated;
    return collector.WriteText(asked_ns, sink);
  });
  {
    std::latch ready(kThreads);
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        ready.arrive_and_wait();
        EXPECT_NE(Get(coalescer), "");
      });
    }
  }
  EXPECT_LE(generated, 2);
}

TEST(ScrapeCoalescerTest, ExceptionReachesOnlyTheGeneratingRequest) {
  constexpr int kThreads = 4;
  std::atomic<int> started{0};
  std::atomic<int> failed{0};
  std::atomic<int> served{0};
  ScrapeCoalescer coalescer([&started](std::uint64_t asked_ns, const TextSink& sink) {
    const int number = ++started;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (number % 2 == 1) {
      throw std::runtime_error("generator failed");
    }
    sink("text");
    return asked_ns;
  });
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int request = 0; request < 20; ++request) {
          try {
            served += Get(coalescer) == "text" ? 1 : 0;
          } catch (const std::runtime_error&) {
            ++failed;
          }
        }
      });
    }
  }
  EXPECT_EQ(served + failed, kThreads * 20);
  EXPECT_EQ(failed, (started + 1) / 2);
}

TEST(ScrapeCoalescerTest, GeneratesNoBodyWhileThoseInUseAreTooLarge) {
  std::mt19937 random(1);
  std::string incompressible(ScrapeCoalescer::kMaxBytesInUse / 2, '\0');
  for (char& c : incompressible) {
    c = static_cast<char>(random() % 256);
  }
  ScrapeCoalescer coalescer(GenerateText(incompressible));
  auto first = coalescer.Get(MonotonicNanos());
  const auto second = coalescer.Get(MonotonicNanos());
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr) << "half of the limit was free";
  EXPECT_EQ(coalescer.Get(MonotonicNanos()), nullptr);
  first.reset();
  EXPECT_NE(coalescer.Get(MonotonicNanos()), nullptr);
}

}  // namespace
}  // namespace procevent
