// The comm table held against the slow and obvious one.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/core/ledger/comm_rows.h"

namespace procevent {
namespace {

// A name is booked under its row, or under a new one, or with the others.
class ReferenceProcessTable {
 public:
  ReferenceProcessTable(std::size_t limit, std::uint64_t retire_after) : limit_(limit), retire_after_(retire_after) {}

  void Book(const std::string& name) {
    if (!rows_.contains(name) && rows_.size() == limit_) {
      ++overflow_;
      return;
    }
    ++rows_[name].forks;
    rows_[name].used = now_;
  }
  void Advance(std::uint64_t now) {
    now_ = now;
    if (now / kSecond > second_) {
      second_ = now / kSecond;
      for (auto row = rows_.begin(); row != rows_.end();) {
        const bool idle = second_ * kSecond >= row->second.used + retire_after_;
        retired_ += idle ? row->second.forks : 0;
        row = idle ? rows_.erase(row) : std::next(row);
      }
    }
  }
  void ExpectIn(const CommTable& table) const {
    std::map<std::string, std::uint64_t> shown;
    for (const auto& [name, row] : rows_) {
      shown[name] = row.forks;
    }
    ASSERT_EQ(Shown(table), shown);
    ASSERT_EQ(Forks(table, ReservedComm::kOverflow), overflow_);
    ASSERT_EQ(Forks(table, ReservedComm::kRetired), retired_);
  }

 private:
  struct Row {
    std::uint64_t forks = 0;
    std::uint64_t used = 0;
  };
  std::size_t limit_;
  std::uint64_t retire_after_;
  std::uint64_t now_ = 0;
  std::uint64_t second_ = 0;
  std::uint64_t overflow_ = 0;
  std::uint64_t retired_ = 0;
  std::map<std::string, Row> rows_;
};

TEST(CommTablePropertyTest, AgreesWithTheSlowTable) {
  std::mt19937_64 random(5);
  CommTable table(Options(10, std::chrono::seconds(5)));
  ReferenceProcessTable slow(10, 5 * kSecond);
  std::vector<CommRef> refs(30);  // of owners that keep their names; others come and go
  std::uint64_t now = 0;
  for (std::uint64_t booked = 0; booked < 300'000;) {
    const std::size_t owner = std::min(random() % refs.size(), random() % refs.size());
    const std::string name = "owner " + std::to_string(owner);
    CommRef fresh;
    Book(table, name, random() % 4 == 0 ? fresh : refs[owner]);
    slow.Book(name);
    ++booked;
    if (random() % 4 == 0) {
      now += random() % (random() % 50 == 0 ? 6 * kSecond : kSecond / 2);
      table.Advance(now);
      slow.Advance(now);
      slow.ExpectIn(table);
      ASSERT_FALSE(testing::Test::HasFatalFailure());
    }
    ASSERT_EQ(Sum(table), booked) << "no sum ever falls";
  }
}

}  // namespace
}  // namespace procevent
