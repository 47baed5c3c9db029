// Applies hours of rename floods in event time. However many names appear, few of them get a row, and a storm at the
// end gets one soon.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/core/statistics/group_rows.h"

namespace procevent {
namespace {

constexpr std::size_t kLimit = 500;
constexpr std::size_t kStepsPerSecond = 10;
constexpr std::size_t kMinute = 60 * kStepsPerSecond;  // in steps
constexpr std::size_t kHour = 60 * kMinute;
constexpr std::uint64_t kStormForks = 300;  // in a step

// Processes fork under one name after the other.
struct Pattern {
  const char* test_name;
  std::size_t names_per_second;
  std::size_t forks_per_name;
  std::size_t names = SIZE_MAX;  // after so many names the first one returns
};
void PrintTo(const Pattern& pattern, std::ostream* out) { *out << pattern.test_name; }

// A group table, and for each step the admissions and displacements until its end.
class Flood {
 public:
  // Counts the forks of one step.
  void Apply(const Pattern& pattern) {
    due_names_ += pattern.names_per_second;
    for (; due_names_ >= kStepsPerSecond; due_names_ -= kStepsPerSecond) {
      const GroupTableDriver::Process process(table_, "name-" + std::to_string(next_name_++ % pattern.names));
      for (std::size_t i = 0; i < pattern.forks_per_name; ++i) {
        process.Fork();
      }
      forks_ += pattern.forks_per_name;
    }
  }
  void ApplyStorm() {
    const GroupTableDriver::Process process(table_, "storm");
    for (std::uint64_t i = 0; i < kStormForks; ++i) {
      process.Fork();
    }
    forks_ += kStormForks;
  }
  void Attack(std::uint64_t forks) {
    const std::string name = "attack-" + std::to_string(next_name_);
    const GroupTableDriver::Process process(table_, name);
    for (std::uint64_t i = 0; i < forks; ++i) {
      process.Fork();
    }
    forks_ += forks;
    if (ForksOf(name)) {
      ++next_name_;
    }
  }
  void EndStep() {
    table_.Advance(kSecond + admitted_.size() * kSecond / kStepsPerSecond);
    std::uint64_t admitted = admitted_.empty() ? 0 : admitted_.back();
    for (std::size_t id = kReservedGroups; id < serials_.size(); ++id) {
      const std::uint64_t serial = table_.state().rows[id].serial;
      if (serial != 0 && serial != serials_[id]) {
        ++admitted;
      }
      serials_[id] = serial;
    }
    admitted_.push_back(admitted);
    displaced_.push_back(table_.state().displaced);
  }

  // The forks in the row of the storm, or nothing if it has none.
  [[nodiscard]] std::optional<std::uint64_t> StormRow() const { return ForksOf("storm"); }
  // The most admissions, or displacements, in any `steps` consecutive steps.
  [[nodiscard]] std::uint64_t MostAdmitted(std::size_t steps) const { return MostIn(admitted_, steps); }
  [[nodiscard]] std::uint64_t MostDisplaced(std::size_t steps) const { return MostIn(displaced_, steps); }
  void ExpectExactSum() const { EXPECT_EQ(Sum(table_), forks_); }

 private:
  [[nodiscard]] std::optional<std::uint64_t> ForksOf(std::string_view name) const {
    for (const GroupRow& row : table_.state().rows) {
      if (row.in_use() && row.labels[0].view() == name) {
        return row.counts[CountKind::kForks];
      }
    }
    return std::nullopt;
  }
  static std::uint64_t MostIn(const std::vector<std::uint64_t>& totals, std::size_t steps) {
    std::uint64_t most = 0;
    for (std::size_t i = 0; i < totals.size(); ++i) {
      most = std::max(most, totals[i] - (i < steps ? 0 : totals[i - steps]));
    }
    return most;
  }

  GroupTableDriver table_{Options(kLimit, std::chrono::hours(1))};
  std::size_t due_names_ = 0;  // times kStepsPerSecond
  std::size_t next_name_ = 0;
  std::uint64_t forks_ = 0;
  std::vector<std::uint64_t> serials_ = std::vector<std::uint64_t>(kReservedGroups + kLimit);
  std::vector<std::uint64_t> admitted_;  // by step
  std::vector<std::uint64_t> displaced_;
};

class RenameFloodTest : public testing::TestWithParam<Pattern> {};

TEST_P(RenameFloodTest, FloodOfHoursIsBounded) {
  Flood flood;
  for (std::size_t step = 0; step < 2 * kHour; ++step) {
    flood.Apply(GetParam());
    flood.EndStep();
  }
  EXPECT_LE(flood.MostAdmitted(kHour), 2 * kLimit);
  EXPECT_LE(flood.MostDisplaced(kHour), kLimit);
  EXPECT_LE(flood.MostDisplaced(kMinute), kLimit / 10);
  flood.ExpectExactSum();
  RecordProperty("admitted", static_cast<int>(flood.MostAdmitted(2 * kHour)));
  RecordProperty("displaced", static_cast<int>(flood.MostDisplaced(2 * kHour)));
}

TEST_P(RenameFloodTest, StormInAFloodGetsARow) {
  constexpr std::size_t kSoon = 10 * kStepsPerSecond;
  Flood flood;
  for (std::size_t step = 0; step < kHour / 2; ++step) {
    flood.Apply(GetParam());
    flood.EndStep();
  }
  std::size_t waited = 0;
  for (; waited < kSoon && !flood.StormRow(); ++waited) {
    flood.Apply(GetParam());
    flood.ApplyStorm();
    flood.EndStep();
  }
  RecordProperty("steps_until_row", static_cast<int>(waited));
  ASSERT_TRUE(flood.StormRow()) << "after " << kSoon << " steps";
  const std::uint64_t at_admission = *flood.StormRow();
  for (std::uint64_t step = 1; step <= kMinute; ++step) {
    flood.Apply(GetParam());
    flood.ApplyStorm();
    flood.EndStep();
    ASSERT_EQ(flood.StormRow(), at_admission + step * kStormForks) << "the row counts each fork after its admission";
  }
  flood.ExpectExactSum();
}

// Takes as many rows as possible, with one name after the other, each only until it has a row.
TEST(RenameFloodAttackTest, StormAfterAnAttackGetsARow) {
  constexpr std::uint64_t kForksPerStep = 400;
  Flood flood;
  flood.Apply({.test_name = "", .names_per_second = kLimit * kStepsPerSecond, .forks_per_name = 2});
  flood.EndStep();
  for (std::size_t step = 0; step < kHour / 2; ++step) {
    flood.Attack(kForksPerStep);
    flood.EndStep();
  }
  const std::uint64_t displaced = flood.MostDisplaced(kHour);
  EXPECT_LT(displaced, kLimit) << "the attack cannot use up the bound";
  std::size_t waited = 0;
  for (; waited < 2 * kMinute && !flood.StormRow(); ++waited) {
    flood.ApplyStorm();
    flood.EndStep();
  }
  EXPECT_TRUE(flood.StormRow());
  flood.ExpectExactSum();
  RecordProperty("displaced", static_cast<int>(displaced));
  RecordProperty("steps_until_row", static_cast<int>(waited));
}

INSTANTIATE_TEST_SUITE_P(
    Patterns, RenameFloodTest,
    testing::Values(
        Pattern{.test_name = "TwoForksEach", .names_per_second = 100, .forks_per_name = 2},
        Pattern{.test_name = "TwentyForksEach", .names_per_second = 40, .forks_per_name = 20},
        Pattern{.test_name = "TwoHundredForksEach", .names_per_second = 10, .forks_per_name = 200},
        Pattern{.test_name = "Storms", .names_per_second = 1, .forks_per_name = 2000},
        Pattern{.test_name = "ReturningStorms", .names_per_second = 2, .forks_per_name = 2000, .names = 600},
        Pattern{.test_name = "ReturningNames", .names_per_second = 100, .forks_per_name = 20, .names = 700}),
    [](const auto& instance) { return std::string(instance.param.test_name); });

}  // namespace
}  // namespace procevent
