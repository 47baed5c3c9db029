// Publishes copies of a small value from one thread to any number of threads, without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <thread>
#include <type_traits>

namespace procevent {

// A sequence lock. The storing thread never waits. A loading thread repeats its copy if a store changed the value
// meanwhile: the sequence is odd during a store, and differs after one. The words are atomic, so a copy that is
// discarded is no data race.
template <typename T>
class Seqlock {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  // One thread only.
  void Store(const T& value) {
    std::array<std::uint64_t, kWords> words{};
    std::memcpy(words.data(), &value, sizeof value);
    const std::uint64_t sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    for (std::size_t i = 0; i < kWords; ++i) {
      words_[i].store(words[i], std::memory_order_release);  // a thread that loads this word also sees the odd sequence
    }
    sequence_.store(sequence + 2, std::memory_order_release);
  }

  // Any thread. Before the first Store: a value-initialized T.
  [[nodiscard]] T Load() const {
    std::array<std::uint64_t, kWords> words{};
    std::uint64_t before = Copy(words);
    while (before % 2 != 0 || sequence_.load(std::memory_order_relaxed) != before) {
      std::this_thread::yield();  // the storing thread may have lost its CPU in the middle of a store
      before = Copy(words);
    }
    T value{};
    if (before != 0) {
      std::memcpy(static_cast<void*>(&value), words.data(), sizeof value);
    }
    return value;
  }

 private:
  static constexpr std::size_t kWords = (sizeof(T) + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);

  // Returns the sequence before the copy.
  std::uint64_t Copy(std::array<std::uint64_t, kWords>& words) const {
    const std::uint64_t before = sequence_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < kWords; ++i) {
      words[i] = words_[i].load(std::memory_order_acquire);
    }
    return before;
  }

  std::atomic<std::uint64_t> sequence_{0};
  std::array<std::atomic<std::uint64_t>, kWords> words_{};
};

}  // namespace procevent
