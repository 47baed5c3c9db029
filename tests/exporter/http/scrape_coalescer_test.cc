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

constexpr std::chrono::seconds kPatience(1);

TEST(ScrapeCoalescerTest, WhoAsksAloneGetsAFreshOne) {
  int made = 0;
  ScrapeCoalescer answers([&made](auto) { return std::to_string(++made); });
  for (const char* const expected : {"1", "2", "3"}) {
    EXPECT_EQ(answers.Get(kPatience)->text(), expected);
  }
}

TEST(ScrapeCoalescerTest, NothingIsKeptForNobody) {
  ScrapeCoalescer answers([](auto) { return std::string("text"); });
  const std::weak_ptr<const ScrapeBody> kept = answers.Get(kPatience);
  EXPECT_TRUE(kept.expired());
}

TEST(ScrapeCoalescerTest, IsPackedOnce) {
  ScrapeCoalescer answers([](auto) { return std::string("text"); });
  const auto answer = answers.Get(kPatience);
  EXPECT_EQ(Gunzip(answer->gzipped().value()), "text");
  EXPECT_EQ(&answer->gzipped(), &answer->gzipped());
}

// Threads ask again and again, while making one takes its time.
TEST(ScrapeCoalescerTest, IsSharedAndNeverOlderThanTheQuestion) {
  constexpr int kThreads = 8;
  constexpr int kAsks = 40;
  std::atomic<int> begun{0};
  std::atomic<int> too_old{0};
  ScrapeCoalescer answers([&begun](auto) {
    const int number = ++begun;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return std::to_string(number);
  });
  {
    std::latch ready(kThreads);
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        ready.arrive_and_wait();
        for (int ask = 0; ask < kAsks; ++ask) {
          const int before = begun;
          too_old += std::stoi(answers.Get(kPatience)->text()) <= before ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(too_old, 0);
  EXPECT_LT(begun, kThreads * kAsks / 2) << "little was shared";
}

// As long as a reader that does not answer lets everybody wait: together, not one after the other.
TEST(ScrapeCoalescerTest, WaitingForAnotherCostsPatience) {
  constexpr std::chrono::milliseconds kShort(200);
  std::atomic<int> begun{0};
  ScrapeCoalescer answers([&begun](std::chrono::milliseconds patience) {
    ++begun;
    std::this_thread::sleep_for(patience);
    return std::to_string(patience.count());
  });
  EXPECT_EQ(answers.Get(std::chrono::milliseconds(0))->text(), "0");
  const std::jthread first([&] { answers.Get(kShort); });
  while (begun < 2) {
    std::this_thread::yield();
  }
  EXPECT_LE(std::stoi(answers.Get(kShort)->text()), kShort.count() / 2) << "the first one's time went by";
}

TEST(ScrapeCoalescerTest, AFailureIsTheMakersAlone) {
  constexpr int kThreads = 4;
  std::atomic<int> begun{0};
  std::atomic<int> failed{0};
  std::atomic<int> served{0};
  ScrapeCoalescer answers([&begun](auto) -> std::string {
    const int number = ++begun;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (number % 2 == 1) {
      throw std::runtime_error("no paper");
    }
    return "text";
  });
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int ask = 0; ask < 20; ++ask) {
          try {
            served += answers.Get(kPatience)->text() == "text" ? 1 : 0;
          } catch (const std::runtime_error&) {
            ++failed;
          }
        }
      });
    }
  }
  EXPECT_EQ(served + failed, kThreads * 20);
  EXPECT_EQ(failed, (begun + 1) / 2);
}

}  // namespace

namespace {

TEST(ContentEncodingTest, PrefersGzipOnlyWhenTheClientDoes) {
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

TEST(ContentEncodingTest, GzipIsUndoneByGunzip) {
  std::mt19937 random(1);
  for (const std::size_t size : {1U, 2U, 1000U, 100'000U, 3'000'000U}) {
    std::string text(size, 'x');
    for (char& c : text) {
      c = static_cast<char>(random() % 256);
    }
    const auto packed = Gzip(text);
    ASSERT_TRUE(packed);
    EXPECT_EQ(Gunzip(*packed), text);
  }
  EXPECT_LT(Gzip(std::string(100'000, 'a'))->size(), 1000U);
}

}  // namespace

}  // namespace procevent
