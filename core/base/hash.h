// Keyed hash of short byte strings.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace procevent {

// Mixes the bits of a word. Different words stay different.
constexpr std::uint64_t MixBits(std::uint64_t word) {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ULL;
  word = (word ^ (word >> 32U)) * kMultiplier;
  word = (word ^ (word >> 29U)) * kMultiplier;
  return word ^ (word >> 32U);
}

// A user of the host chooses process names. Without knowing the seed, no user can choose names with one hash.
inline std::uint64_t HashBytes(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t hash = MixBits(seed ^ bytes.size());
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min(sizeof(word), bytes.size() - at));
    hash = MixBits(hash ^ word) + seed;
  }
  return hash;
}

// A seed that differs in each process.
inline std::uint64_t RandomSeed() {
  std::random_device random;
  return std::uint64_t{random()} << 32U | random();
}

}  // namespace procevent
