#include "exporter/http/scrape_coalescer.h"

#include <gtest/gtest.h>

#include <array>
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

std::shared_ptr<const ScrapeBody> GetBody(ScrapeCoalescer& coalescer, TextFormat format = TextFormat::kPlain) {
  return coalescer.Get(MonotonicNanos(), format);
}

std::string Get(ScrapeCoalescer& coalescer, TextFormat format = TextFormat::kPlain) {
  return ReadAll(GetBody(coalescer, format));
}

TEST(ScrapeCoalescerTest, GeneratesABodyForEachSingleRequest) {
  int generated = 0;
  ScrapeCoalescer coalescer([&generated](std::uint64_t asked_ns, TextFormat /*format*/, const TextSink& sink) {
    sink(std::to_string(++generated));
    return PageInfo{.complete_until_ns = asked_ns};
  });
  for (const char* const expected : {"1", "2", "3"}) {
    EXPECT_EQ(Get(coalescer), expected);
  }
}

TEST(ScrapeCoalescerTest, KeepsNoBodyWithoutWaitingRequests) {
  ScrapeCoalescer coalescer(GenerateText("text"));
  const std::weak_ptr<const ScrapeBody> kept = GetBody(coalescer);
  EXPECT_TRUE(kept.expired());
}

// Several threads request bodies in a loop. Each generation takes 1 ms and is complete up to its start.
TEST(ScrapeCoalescerTest, SharesBodiesThatAreNeverOlderThanTheRequest) {
  constexpr int kThreads = 8;
  constexpr int kRequests = 40;
  std::atomic<int> started{0};
  std::atomic<int> too_old{0};
  ScrapeCoalescer coalescer([&started](std::uint64_t /*asked_ns*/, TextFormat /*format*/, const TextSink& sink) {
    const std::uint64_t start_ns = MonotonicNanos();
    sink(std::to_string(++started));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return PageInfo{.complete_until_ns = start_ns};
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
  ScrapeCoalescer coalescer([&](std::uint64_t /*asked_ns*/, TextFormat /*format*/, const TextSink& sink) {
    sink(std::to_string(++started));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return PageInfo{.complete_until_ns = MonotonicNanos()};
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

// The generation of one format ends only after the generation of the other has begun.
TEST(ScrapeCoalescerTest, FormatsDoNotWaitForEachOther) {
  std::latch begun(2);
  ScrapeCoalescer coalescer([&begun](std::uint64_t asked_ns, TextFormat format, const TextSink& sink) {
    begun.arrive_and_wait();
    sink(format == TextFormat::kPlain ? "plain" : "OpenMetrics");
    return PageInfo{.complete_until_ns = asked_ns};
  });
  std::string plain;
  std::jthread thread([&] { plain = Get(coalescer, TextFormat::kPlain); });
  EXPECT_EQ(Get(coalescer, TextFormat::kOpenMetrics), "OpenMetrics");
  thread.join();
  EXPECT_EQ(plain, "plain");
}

// Several threads request both formats in a loop. Each generation takes 1 ms.
TEST(ScrapeCoalescerTest, SharesBodiesOfTheRequestedFormatOnly) {
  constexpr std::size_t kThreadsPerFormat = 4;
  constexpr int kRequests = 40;
  const std::string texts[] = {"plain", "OpenMetrics"};
  std::array<std::atomic<int>, kTextFormats> generated{};
  std::array<std::atomic<int>, kTextFormats> generating{};
  std::atomic<int> concurrent{0};
  std::atomic<int> wrong{0};
  ScrapeCoalescer coalescer([&](std::uint64_t /*asked_ns*/, TextFormat format, const TextSink& sink) {
    const auto index = static_cast<std::size_t>(format);
    concurrent += ++generating.at(index) > 1 ? 1 : 0;
    const std::uint64_t start_ns = MonotonicNanos();
    ++generated.at(index);
    sink(texts[index]);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    --generating.at(index);
    return PageInfo{.complete_until_ns = start_ns};
  });
  {
    std::latch ready(kThreadsPerFormat * kTextFormats);
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreadsPerFormat * kTextFormats; ++i) {
      threads.emplace_back([&, index = i % kTextFormats] {
        ready.arrive_and_wait();
        for (int request = 0; request < kRequests; ++request) {
          wrong += Get(coalescer, static_cast<TextFormat>(index)) == texts[index] ? 0 : 1;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(concurrent, 0) << "a format is generated once at a time";
  for (const auto& bodies : generated) {
    EXPECT_LT(bodies, static_cast<int>(kThreadsPerFormat) * kRequests * 3 / 4) << "too few bodies were shared";
  }
}

// Without an answer of the reader the old one serves all who wait, so that they are not delayed one after the other.
TEST(ScrapeCoalescerTest, GeneratesOnceForRequestsThatWaitInVain) {
  constexpr int kThreads = 8;
  SnapshotExchange exchange{Snapshot(2)};
  const ExporterState state{ReloadStatus(0)};
  MetricsCollector collector(exchange, state, 1);
  std::atomic<int> generated{0};
  ScrapeCoalescer coalescer([&](std::uint64_t asked_ns, TextFormat format, const TextSink& sink) {
    ++generated;
    return collector.WriteText(asked_ns, format, sink);
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
  ScrapeCoalescer coalescer([&started](std::uint64_t asked_ns, TextFormat /*format*/, const TextSink& sink) {
    const int number = ++started;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (number % 2 == 1) {
      throw std::runtime_error("generator failed");
    }
    sink("text");
    return PageInfo{.complete_until_ns = asked_ns};
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
  auto first = GetBody(coalescer);
  const auto second = GetBody(coalescer, TextFormat::kOpenMetrics);
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr) << "half of the limit was free";
  for (const TextFormat format : {TextFormat::kPlain, TextFormat::kOpenMetrics}) {
    EXPECT_EQ(GetBody(coalescer, format), nullptr) << "both formats count against the limit";
  }
  first.reset();
  EXPECT_NE(GetBody(coalescer), nullptr);
}

}  // namespace
}  // namespace procevent
