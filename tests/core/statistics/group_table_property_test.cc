// Compares the group table with a slow and obvious reference.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/core/statistics/group_rows.h"

namespace procevent {
namespace {

// Counts a name in its row, in a new row, or in the overflow row.
class ReferenceTable {
 public:
  ReferenceTable(std::size_t limit, std::uint64_t retire_after) : limit_(limit), retire_after_(retire_after) {}

  void CountFork(const std::string& name) {
    if (!rows_.contains(name) && rows_.size() == limit_) {
      ++overflow_;
      return;
    }
    ++rows_[name].forks;
    rows_[name].last_used = now_;
  }
  void Advance(std::uint64_t now) {
    now_ = now;
    if (now / kSecond > second_) {
      second_ = now / kSecond;
      for (auto row = rows_.begin(); row != rows_.end();) {
        const bool idle = second_ * kSecond >= row->second.last_used + retire_after_;
        retired_ += idle ? row->second.forks : 0;
        row = idle ? rows_.erase(row) : std::next(row);
      }
    }
  }
  void ExpectEqual(const GroupTable& table) const {
    std::map<std::string, std::uint64_t> expected;
    for (const auto& [name, row] : rows_) {
      expected[name] = row.forks;
    }
    ASSERT_EQ(VisibleRows(table), expected);
    ASSERT_EQ(Forks(table, ReservedGroup::kOverflow), overflow_);
    ASSERT_EQ(RetiredForks(table), retired_);
  }

 private:
  struct Row {
    std::uint64_t forks = 0;
    std::uint64_t last_used = 0;
  };
  std::size_t limit_;
  std::uint64_t retire_after_;
  std::uint64_t now_ = 0;
  std::uint64_t second_ = 0;
  std::uint64_t overflow_ = 0;
  std::uint64_t retired_ = 0;
  std::map<std::string, Row> rows_;
};

TEST(GroupTablePropertyTest, AgreesWithTheReference) {
  std::mt19937_64 random(5);
  GroupTableDriver table(Options(10, std::chrono::seconds(5)));
  ReferenceTable reference(10, 5 * kSecond);
  std::vector<std::unique_ptr<GroupTableDriver::Process>> owners(30);  // processes that keep their names
  std::uint64_t now = 0;
  for (std::uint64_t counted = 0; counted < 300'000;) {
    const std::size_t owner = std::min(random() % owners.size(), random() % owners.size());
    const std::string name = "owner " + std::to_string(owner);
    if (owners[owner] == nullptr || random() % 4 == 0) {
      owners[owner] = std::make_unique<GroupTableDriver::Process>(table, name);
    }
    owners[owner]->Fork();
    if (random() % 8 == 0) {
      owners[owner].reset();
    }
    reference.CountFork(name);
    ++counted;
    if (random() % 4 == 0) {
      now += random() % (random() % 50 == 0 ? 6 * kSecond : kSecond / 2);
      table.Advance(now);
      reference.Advance(now);
      reference.ExpectEqual(table);
      ASSERT_FALSE(testing::Test::HasFatalFailure());
    }
    ASSERT_EQ(Sum(table), counted) << "no count is dropped";
  }
}

}  // namespace
}  // namespace procevent
