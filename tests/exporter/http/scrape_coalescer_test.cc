#include "exporter/http/scrape_coalescer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/exporter/http/gunzip.h"

namespace procevent {

namespace {

constexpr std::chrono::seconds kTimeout(1);

TEST(ScrapeCoalescerTest, GeneratesABodyForEachSingleRequest) {
  int generated = 0;
  ScrapeCoalescer coalescer([&generated](auto) { return std::to_string(++generated); });
  for (const char* const expected : {"1", "2", "3"}) {
    EXPECT_EQ(coalescer.Get(kTimeout)->text(), expected);
  }
}

TEST(ScrapeCoalescerTest, KeepsNoBodyWithoutWaitingRequests) {
  ScrapeCoalescer coalescer([](auto) { return std::string("text"); });
  const std::weak_ptr<const ScrapeBody> kept = coalescer.Get(kTimeout);
  EXPECT_TRUE(kept.expired());
}

TEST(ScrapeCoalescerTest, CompressesOnlyOnce) {
  ScrapeCoalescer coalescer([](auto) { return std::string("text"); });
  const auto body = coalescer.Get(kTimeout);
  EXPECT_EQ(Gunzip(body->gzipped().value()), "text");
  EXPECT_EQ(&body->gzipped(), &body->gzipped());
}

// Several threads request bodies in a loop, and each generation takes 1 ms.
TEST(ScrapeCoalescerTest, SharesBodiesThatAreNeverOlderThanTheRequest) {
  constexpr int kThreads = 8;
  constexpr int kRequests = 40;
  std::atomic<int> started{0};
  std::atomic<int> too_old{0};
  ScrapeCoalescer coalescer([&started](auto) {
    const int number = ++started;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return std::to_string(number);
  });
  {
    std::latch ready(kThreads);
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        ready.arrive_and_wait();
        for (int request = 0; request < kRequests; ++request) {
          const int before = started;
          too_old += std::stoi(coalescer.Get(kTimeout)->text()) <= before ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(too_old, 0);
  EXPECT_LT(started, kThreads * kRequests / 2) << "too few bodies were shared";
}

// While the reader does not answer, requests wait in parallel, not one after the other.
TEST(ScrapeCoalescerTest, DeductsWaitingTimeFromTheTimeout) {
  constexpr std::chrono::milliseconds kShort(200);
  std::atomic<int> started{0};
  ScrapeCoalescer coalescer([&started](std::chrono::milliseconds timeout) {
    ++started;
    std::this_thread::sleep_for(timeout);
    return std::to_string(timeout.count());
  });
  EXPECT_EQ(coalescer.Get(std::chrono::milliseconds(0))->text(), "0");
  const std::jthread first([&] { coalescer.Get(kShort); });
  while (started < 2) {
    std::this_thread::yield();
  }
  EXPECT_LE(std::stoi(coalescer.Get(kShort)->text()), kShort.count() / 2)
      << "the wait for the first request is not deducted";
}

TEST(ScrapeCoalescerTest, ExceptionReachesOnlyTheGeneratingRequest) {
  constexpr int kThreads = 4;
  std::atomic<int> started{0};
  std::atomic<int> failed{0};
  std::atomic<int> served{0};
  ScrapeCoalescer coalescer([&started](auto) -> std::string {
    const int number = ++started;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (number % 2 == 1) {
      throw std::runtime_error("generator failed");
    }
    return "text";
  });
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int request = 0; request < 20; ++request) {
          try {
            served += coalescer.Get(kTimeout)->text() == "text" ? 1 : 0;
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

TEST(ContentEncodingTest, FollowsRfc9110) {
  const struct {
    std::string header;
    bool gzip;
  } rows[] = {
      {"", false},
      {"gzip", true},
      {"GZip", true},
      {"x-gzip", true},
      {"deflate", false},
      {"br, gzip;q=0.8, deflate", true},
      {"gzip;q=0", false},
      {"gzip;q=0.0", false},
      {"gzip;q=0.000", false},
      {"gzip;q=0.001", true},
      {"gzip; q=1.000", true},
      {"gzip ;\tQ=0.5 ", true},
      {"gzip;q=1.001", false},
      {"gzip;q=2", false},
      {"gzip;q=-1", false},
      {"gzip;q=0.5x", false},
      {"gzip;q=0.1234", false},
      {"gzip;q=", false},
      {"gzip;q=abc", false},
      {"gzip;q=.5", false},
      {"gzip;level=9;q=0", false},
      {"gzip;level=9", true},
      {"*", true},
      {"*;q=0", false},
      {"*;q=0, gzip", true},
      {"gzip, *;q=0", true},
      {"*, gzip;q=0", false},
      {"identity", false},
      {"identity, gzip", true},
      {"identity;q=1, gzip;q=0.5", false},
      {"identity;q=0.5, gzip;q=1", true},
      {"identity;q=0, *;q=0.1", true},
      {"identity, *;q=0.1", false},
      {"gzipped", false},
      {"xgzip", false},
      {"gzi", false},
      {",,gzip,,", true},
      {";q=1", false},
      {"gzip=1", false},
      {" , ; = ;", false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(PrefersGzip(row.header), row.gzip) << '"' << row.header << '"';
  }
}

TEST(ContentEncodingTest, GunzipRestoresGzip) {
  std::mt19937 random(1);
  for (const std::size_t size : {1U, 2U, 1000U, 100'000U, 3'000'000U}) {
    std::string text(size, 'x');
    for (char& c : text) {
      c = static_cast<char>(random() % 256);
    }
    const auto compressed = Gzip(text);
    ASSERT_TRUE(compressed);
    EXPECT_EQ(Gunzip(*compressed), text);
  }
  EXPECT_LT(Gzip(std::string(100'000, 'a'))->size(), 1000U);
}

}  // namespace

}  // namespace procevent
