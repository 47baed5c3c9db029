#include "core/reader/queue_peak.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace procevent {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

TEST(QueuePeakTest, IsTheFullest) {
  QueuePeak peak;
  peak.Note(10, 1000 * kSecond);
  peak.Note(30, 1001 * kSecond);
  peak.Note(20, 1002 * kSecond);
  EXPECT_EQ(peak.Peak(1003 * kSecond), 30U);
}

TEST(QueuePeakTest, ForgetsAfterAMinute) {
  QueuePeak peak;
  peak.Note(30, 1000 * kSecond);
  EXPECT_EQ(peak.Peak(1053 * kSecond), 30U);
  EXPECT_EQ(peak.Peak(1061 * kSecond), 0U);
}

TEST(QueuePeakTest, ALongSilenceForgetsAll) {
  QueuePeak peak;
  peak.Note(30, 1000 * kSecond);
  EXPECT_EQ(peak.Peak(100'000 * kSecond), 0U);
}

// Against a list of all notes: never less than the last 54 seconds' fullest, never more than the last 60's.
TEST(QueuePeakTest, AgreesWithAListOfAllNotes) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same every time
  QueuePeak peak;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> notes;
  std::uint64_t now = 500 * kSecond;
  for (int i = 0; i < 5000; ++i) {
    now += random() % (i % 50 == 0 ? 100 * kSecond : 3 * kSecond);
    const auto bytes = static_cast<std::uint32_t>(random() % 100000);
    peak.Note(bytes, now);
    notes.emplace_back(now, bytes);
    const auto fullest_since = [&](std::uint64_t seconds) {
      std::uint32_t most = 0;
      for (const auto& [at, value] : notes) {
        most = now - at <= seconds * kSecond ? std::max(most, value) : most;
      }
      return most;
    };
    ASSERT_GE(peak.Peak(now), fullest_since(53));
    ASSERT_LE(peak.Peak(now), fullest_since(60));
  }
}

}  // namespace
}  // namespace procevent
