#include "exporter/shared_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/exporter/gunzip.h"

namespace procevent {
namespace {

constexpr std::chrono::seconds kPatience(1);

TEST(SharedAnswerTest, WhoAsksAloneGetsAFreshOne) {
  int made = 0;
  SharedAnswer answers([&made](auto) { return std::to_string(++made); });
  for (const char* const expected : {"1", "2", "3"}) {
    EXPECT_EQ(answers.Get(kPatience)->text(), expected);
  }
}

TEST(SharedAnswerTest, NothingIsKeptForNobody) {
  SharedAnswer answers([](auto) { return std::string("text"); });
  const std::weak_ptr<const Answer> kept = answers.Get(kPatience);
  EXPECT_TRUE(kept.expired());
}

TEST(SharedAnswerTest, IsPackedOnce) {
  SharedAnswer answers([](auto) { return std::string("text"); });
  const auto answer = answers.Get(kPatience);
  EXPECT_EQ(Gunzip(answer->gzipped().value()), "text");
  EXPECT_EQ(&answer->gzipped(), &answer->gzipped());
}

// Threads ask again and again, while making one takes its time.
TEST(SharedAnswerTest, IsSharedAndNeverOlderThanTheQuestion) {
  constexpr int kThreads = 8;
  constexpr int kAsks = 40;
  std::atomic<int> begun{0};
  std::atomic<int> too_old{0};
  SharedAnswer answers([&begun](auto) {
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
TEST(SharedAnswerTest, WaitingForAnotherCostsPatience) {
  constexpr std::chrono::milliseconds kShort(200);
  std::atomic<int> begun{0};
  SharedAnswer answers([&begun](std::chrono::milliseconds patience) {
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

TEST(SharedAnswerTest, AFailureIsTheMakersAlone) {
  constexpr int kThreads = 4;
  std::atomic<int> begun{0};
  std::atomic<int> failed{0};
  std::atomic<int> served{0};
  SharedAnswer answers([&begun](auto) -> std::string {
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
}  // namespace procevent
