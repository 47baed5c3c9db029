#include "cmd/logging/rate_limiter.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <utility>
#include <variant>

namespace procevent {
namespace {

// Prints to a limited log and reads what it writes.
template <std::size_t kKinds>
class Limited {
 public:
  Limited(std::uint32_t max_lines, std::uint64_t interval_ns)
      : log_([this](const LogMessage& line) { Count(line); }, max_lines, interval_ns) {}

  // Whether the line was written.
  bool Admit(std::size_t kind, std::uint64_t now_ns) {
    log_.Print(kind, {.text = "line"}, now_ns);
    return std::exchange(lines_, 0U) == 1;
  }
  // How many lines the summaries report as suppressed.
  std::uint64_t TakeSuppressedCount(std::uint64_t now_ns) {
    log_.PrintDueSummaries(now_ns);
    return std::exchange(suppressed_, 0U);
  }
  [[nodiscard]] std::optional<std::uint64_t> NextDue() const { return log_.NextDue(); }

 private:
  void Count(const LogMessage& line) {
    if (line.fields.empty()) {
      ++lines_;
    } else {
      EXPECT_EQ(line.fields.front().key, "suppressed");
      suppressed_ += std::get<std::uint64_t>(line.fields.front().value);
    }
  }

  RateLimitedLog<kKinds> log_;
  unsigned lines_ = 0;
  std::uint64_t suppressed_ = 0;
};

TEST(RateLimitedLogTest, AdmitsUpToTheLimitAndCountsTheRest) {
  Limited<1> log(2, 100);
  EXPECT_TRUE(log.Admit(0, 10));
  EXPECT_TRUE(log.Admit(0, 20));
  EXPECT_EQ(log.NextDue(), std::nullopt);
  EXPECT_FALSE(log.Admit(0, 30));
  EXPECT_FALSE(log.Admit(0, 109));
  EXPECT_EQ(log.NextDue(), 110U);
  EXPECT_EQ(log.TakeSuppressedCount(109), 0U);
  EXPECT_EQ(log.TakeSuppressedCount(110), 2U);
  EXPECT_EQ(log.TakeSuppressedCount(110), 0U);
  EXPECT_EQ(log.NextDue(), std::nullopt);
}

TEST(RateLimitedLogTest, AdmitsAgainAfterTheInterval) {
  Limited<1> log(1, 100);
  EXPECT_TRUE(log.Admit(0, 0));
  EXPECT_FALSE(log.Admit(0, 99));
  EXPECT_EQ(log.TakeSuppressedCount(100), 1U);
  EXPECT_TRUE(log.Admit(0, 100));
  EXPECT_FALSE(log.Admit(0, 199));
}

TEST(RateLimitedLogTest, LimitsKindsIndependently) {
  Limited<2> log(1, 100);
  EXPECT_TRUE(log.Admit(0, 0));
  EXPECT_TRUE(log.Admit(1, 50));
  EXPECT_FALSE(log.Admit(1, 60));
  EXPECT_FALSE(log.Admit(0, 70));
  EXPECT_EQ(log.NextDue(), 100U);
  EXPECT_EQ(log.TakeSuppressedCount(120), 1U);
  EXPECT_EQ(log.NextDue(), 150U);
}

TEST(RateLimitedLogTest, CountsEveryLineOnce) {
  std::mt19937 random(1);
  Limited<3> log(2, 50);
  std::uint64_t counted = 0;
  std::uint64_t now = 0;
  constexpr std::uint64_t kRounds = 20'000;
  for (std::uint64_t i = 0; i < kRounds; ++i) {
    now += random() % 8;
    // In the other rounds a new line itself ends the interval.
    counted += random() % 2 == 0 ? log.TakeSuppressedCount(now) : 0;
    counted += log.Admit(random() % 3, now) ? 1U : 0U;
  }
  counted += log.TakeSuppressedCount(now + 50);
  EXPECT_EQ(counted, kRounds);
}

}  // namespace
}  // namespace procevent
