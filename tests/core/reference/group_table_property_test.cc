// Compares the group table with the reference statistics: rows, overflow, retirement and displacement.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "tests/core/reference/reference_statistics.h"
#include "tests/core/statistics/group_rows.h"

namespace procevent {
namespace {

using Random = std::mt19937_64;

// A pattern of names and times.
struct Load {
  const char* name;
  std::size_t limit;
  std::function<std::string(std::uint64_t step, Random&)> name_at;
  std::function<std::uint64_t(Random&)> pause_ns;  // before each activity
  bool displaces = true;
  std::chrono::minutes retire_after{10};
};

void PrintTo(const Load& load, std::ostream* out) { *out << load.name; }

std::string Numbered(std::uint64_t number) { return "name " + std::to_string(number); }

std::uint64_t Skewed(std::uint64_t below, Random& random) {
  return std::min({random() % below, random() % below, random() % below});
}

const std::vector<Load> kLoads{
    {"a few names more than rows", 10, [](std::uint64_t, Random& random) { return Numbered(Skewed(30, random)); },
     [](Random& random) { return random() % (random() % 500 == 0 ? 6 * kSecond : kSecond / 8); }},
    {"many names, some of them busy", 40, [](std::uint64_t, Random& random) { return Numbered(Skewed(300, random)); },
     [](Random& random) { return random() % (kSecond / 10); }},
    {"a flood of names with two activities each", 20, [](std::uint64_t step, Random&) { return Numbered(step / 2); },
     [](Random&) { return kSecond / 40; }, false},
    {"a flood, and storms that begin and end", 20,
     [](std::uint64_t step, Random& random) {
       return random() % 2 == 0 ? Numbered(1000 + step) : Numbered(step / 5000);
     },
     [](Random&) { return kSecond / 300; }},
    {"hours pass", 10, [](std::uint64_t, Random& random) { return Numbered(Skewed(60, random)); },
     [](Random& random) { return random() % 2000 == 0 ? 3000 * kSecond : random() % kSecond; }},
    {"pauses of several halvings", 10, [](std::uint64_t, Random& random) { return Numbered(Skewed(60, random)); },
     [](Random& random) { return random() % 500 == 0 ? 1000 * kSecond : random() % (kSecond / 20); }, true,
     std::chrono::minutes(120)},
};

class GroupTablePropertyTest : public testing::TestWithParam<Load> {};

// The names and forks of all rows of the reference.
std::map<std::string, std::uint64_t> VisibleRows(reference::ReferenceStatistics& reference) {
  std::map<std::string, std::uint64_t> visible;
  for (auto& [label, row] : reference.rows) {
    if (!IsReserved(label)) {
      visible[label] = row.counts[CountKind::kForks];
    }
  }
  return visible;
}

void ExpectEqual(const GroupTable& table, reference::ReferenceStatistics& reference) {
  ASSERT_EQ(VisibleRows(table), VisibleRows(reference));
  const std::string overflow(kReservedGroupNames[static_cast<std::size_t>(ReservedGroup::kOverflow)]);
  ASSERT_EQ(Forks(table, ReservedGroup::kOverflow), reference.rows.at(overflow).counts[CountKind::kForks]);
  ASSERT_EQ(RetiredForks(table), reference.retired[CountKind::kForks]);
  ASSERT_EQ(table.state().displaced, reference.displaced);
}

TEST_P(GroupTablePropertyTest, AgreesWithTheReference) {
  const Load& load = GetParam();
  const CountingOptions options = Options(load.limit, load.retire_after);
  Random random(5);
  GroupTableDriver table(options);
  reference::ReferenceStatistics reference(options);
  std::uint64_t now = 0;
  std::uint64_t counted = 0;
  for (std::uint64_t step = 0; step < 100'000 / PROCEVENT_SLOWDOWN; ++step) {
    now += load.pause_ns(random);
    table.Advance(now);
    reference.Advance(now);
    const std::string name = load.name_at(step, random);
    const std::uint64_t times = random() % 4 == 0 ? 1 + random() % 5 : 1;
    GroupTableDriver::Process(table, name).Fork(times);
    reference.OnActivity({.times = times, .name = name});
    counted += times;
    ASSERT_EQ(Sum(table), counted) << "no count is dropped";
    if (step % 16 == 0) {
      ExpectEqual(table, reference);
      ASSERT_FALSE(HasFatalFailure()) << step;
    }
  }
  EXPECT_EQ(table.state().displaced > 0, load.displaces);
}

INSTANTIATE_TEST_SUITE_P(Loads, GroupTablePropertyTest, testing::ValuesIn(kLoads));

}  // namespace
}  // namespace procevent
