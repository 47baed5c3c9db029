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

TEST(SharedAnswerTest, WhoAsksAloneGetsAFreshOne) {
  int made = 0;
  SharedAnswer answers([&made] { return std::to_string(++made); });
  for (const char* const expected : {"1", "2", "3"}) {
    EXPECT_EQ(answers.Get()->text(), expected);
  }
}

TEST(SharedAnswerTest, NothingIsKeptForNobody) {
  SharedAnswer answers([] { return std::string("text"); });
  const std::weak_ptr<const Answer> kept = answers.Get();
  EXPECT_TRUE(kept.expired());
}

TEST(SharedAnswerTest, IsPackedOnce) {
  SharedAnswer answers([] { return std::string("text"); });
  const auto answer = answers.Get();
  EXPECT_EQ(Gunzip(answer->gzipped().value()), "text");
  EXPECT_EQ(&answer->gzipped(), &answer->gzipped());
}

// Threads ask again and again, while making one takes its time.
TEST(SharedAnswerTest, IsSharedAndNeverOlderThanTheQuestion) {
  constexpr int kThreads = 8;
  constexpr int kAsks = 40;
  std::atomic<int> begun{0};
  std::atomic<int> too_old{0};
  SharedAnswer answers([&begun] {
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
          too_old += std::stoi(answers.Get()->text()) <= before ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(too_old, 0);
  EXPECT_LT(begun, kThreads * kAsks / 2) << "little was shared";
}

TEST(SharedAnswerTest, AFailureIsTheMakersAlone) {
  constexpr int kThreads = 4;
  std::atomic<int> begun{0};
  std::atomic<int> failed{0};
  std::atomic<int> served{0};
  SharedAnswer answers([&begun]() -> std::string {
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
            served += answers.Get()->text() == "text" ? 1 : 0;
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
