#include "core/base/seqlock.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace procevent {
namespace {

struct Value {
  std::array<std::uint64_t, 9> numbers{};
  std::uint8_t last = 0;
};

TEST(SeqlockTest, IsValueInitializedBeforeTheFirstStore) {
  struct WithDefault {
    int number = 7;
  };
  EXPECT_EQ(Seqlock<WithDefault>().Load().number, 7);
}

TEST(SeqlockTest, LoadsTheLatestWholeValue) {
  constexpr int kLoaders = 3;
  constexpr std::uint64_t kStores = 200'000;
  Seqlock<Value> lock;
  std::atomic<int> torn{0};
  std::atomic<int> older{0};
  {
    std::vector<std::jthread> loaders;
    for (int i = 0; i < kLoaders; ++i) {
      loaders.emplace_back([&] {
        std::uint64_t latest = 0;
        while (latest < kStores) {
          const Value value = lock.Load();
          for (const std::uint64_t number : value.numbers) {
            torn += number != value.numbers.front() ? 1 : 0;
          }
          torn += value.last != static_cast<std::uint8_t>(value.numbers.front()) ? 1 : 0;
          older += value.numbers.front() < latest ? 1 : 0;
          latest = value.numbers.front();
        }
      });
    }
    for (std::uint64_t i = 1; i <= kStores; ++i) {
      Value value;
      value.numbers.fill(i);
      value.last = static_cast<std::uint8_t>(i);
      lock.Store(value);
    }
  }
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(older, 0);
}

}  // namespace
}  // namespace procevent
