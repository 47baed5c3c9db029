#include "core/ledger/process_rows.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace procevent {

namespace {

TEST(ProcessRowsTest, ARowIsFoundByItsNumber) {
  ProcessRows table(2);
  EXPECT_EQ(table.Find(7), kInvalidId);
  const RowId id = table.Insert(7);
  EXPECT_EQ(table.Find(7), id);
  EXPECT_EQ(table.Find(8), kInvalidId);
  EXPECT_EQ(table[id].tgid, 7);
  EXPECT_EQ(table[id].threads, 1U);
  table.Erase(id);
  EXPECT_EQ(table.Find(7), kInvalidId);
  EXPECT_EQ(table[id].tgid, 0) << "so that who visits all sees that it is free";
}

TEST(ProcessRowsTest, NumbersThatNoProcessHasAreNotFound) {
  ProcessRows table(4);
  table.Insert(1);
  for (const std::int32_t tgid : {0, -1, INT32_MIN, INT32_MAX}) {
    EXPECT_EQ(table.Find(tgid), kInvalidId) << tgid;
  }
}

TEST(ProcessRowsTest, AnotherRowInItsPlaceHasAnotherSerial) {
  ProcessRows table(1);
  const RowId first = table.Insert(7);
  const std::uint32_t serial = table[first].serial;
  table[first].leader_gone = true;
  table.Erase(first);
  const RowId second = table.Insert(7);
  EXPECT_EQ(first, second);
  EXPECT_NE(table[second].serial, serial);
  EXPECT_FALSE(table[second].leader_gone) << "nothing of the old one is left";
}

TEST(ProcessRowsTest, TellsOnceThatARowIsToBeSeen) {
  ProcessRows table(2);
  const RowId id = table.Insert(7);
  EXPECT_FALSE(table.TakeAnySnapshotRequest());
  table.RequestSnapshot(id);
  EXPECT_FALSE(table[id].unsure);
  EXPECT_TRUE(table.TakeAnySnapshotRequest());
  EXPECT_FALSE(table.TakeAnySnapshotRequest());
  table.MarkUncertain(id);
  EXPECT_TRUE(table[id].unsure);
  EXPECT_TRUE(table.TakeAnySnapshotRequest());
}

// The same, in std::map, with what is to be known of each row.
class ReferenceProcessTable {
 public:
  struct Row {
    RowId id = kInvalidId;
    std::uint64_t age = 0;  // falls with age
    std::uint32_t threads = 1;
  };
  std::map<std::int32_t, Row> rows;

  void ExpectIn(const ProcessRows& table) const {
    ASSERT_EQ(table.size(), rows.size());
    std::uint64_t threads = 0;
    std::map<std::uint64_t, RowId> by_age;
    for (const auto& [tgid, row] : rows) {
      ASSERT_EQ(table.Find(tgid), row.id);
      ASSERT_EQ(table[row.id].tgid, tgid);
      ASSERT_EQ(table[row.id].threads, row.threads);
      ASSERT_EQ(table[row.id].start_ns, row.age) << "rows keep what they hold";
      threads += row.threads;
      by_age[row.age] = row.id;
    }
    ASSERT_EQ(table.threads(), threads);
    ExpectAges(table, by_age);
    std::size_t visited = 0;
    for (RowId id = 0; id < table.end(); ++id) {
      visited += table[id].tgid != 0 ? 1U : 0U;
    }
    ASSERT_EQ(visited, rows.size());
  }

 private:
  static void ExpectAges(const ProcessRows& table, const std::map<std::uint64_t, RowId>& by_age) {
    RowId older = kInvalidId;
    RowId next = table.oldest();
    for (const auto& [age, id] : by_age) {
      ASSERT_EQ(next, id);
      ASSERT_EQ(table[id].older, older);
      older = id;
      next = table[id].newer;
    }
    ASSERT_EQ(next, kInvalidId);
  }
};

// Numbers as they come: rising with gaps and beginning anew, a few again and again, or any.
class Tgids {
 public:
  std::int32_t Next(std::mt19937& random) {
    constexpr std::int32_t kPidMax = 4'000;
    switch (random() % 3) {
      case 0:
        rising_ = rising_ % kPidMax + 1 + static_cast<std::int32_t>(random() % 2);
        return rising_;
      case 1:
        return 1 + static_cast<std::int32_t>(random() % 64) * (random() % 2 == 0 ? 1 : 4096);
      default:
        return 1 + static_cast<std::int32_t>(random() % INT32_MAX);
    }
  }

 private:
  std::int32_t rising_ = 0;
};

class ProcessRowsLimitTest : public testing::TestWithParam<std::size_t> {};

TEST_P(ProcessRowsLimitTest, AgreesWithTheSlowTable) {
  const std::size_t limit = GetParam();
  std::mt19937 random(static_cast<std::uint32_t>(limit));
  Tgids tgids;
  ProcessRows table(limit);
  ReferenceProcessTable slow;
  const auto end = [&](std::int32_t tgid) {
    table.Erase(slow.rows.at(tgid).id);
    slow.rows.erase(tgid);
  };
  for (std::uint64_t i = 1; i <= 200'000; ++i) {
    const std::int32_t tgid = tgids.Next(random);
    const auto known = slow.rows.find(tgid);
    ASSERT_EQ(table.Find(tgid), known == slow.rows.end() ? kInvalidId : known->second.id);
    ASSERT_EQ(table.free_rows(), limit - slow.rows.size());
    if (known == slow.rows.end()) {
      if (table.free_rows() == 0) {
        end(table[table.oldest()].tgid);
      }
      const RowId id = table.Insert(tgid);
      table[id].start_ns = i;
      slow.rows[tgid] = {.id = id, .age = i};
    } else if (random() % 2 == 0) {
      end(tgid);
    } else {
      known->second.threads = static_cast<std::uint32_t>(random() % 5);
      table.SetThreads(known->second.id, known->second.threads);
    }
    // Now and then, many go at once.
    const bool ebb = i % 5'000 > 4'500;
    if (const auto any = slow.rows.upper_bound(tgid); any != slow.rows.end() && random() % 4 < (ebb ? 4U : 1U)) {
      end(any->first);
    }
    if (i % (slow.rows.size() + 1) == 0) {
      slow.ExpectIn(table);
      ASSERT_FALSE(HasFatalFailure()) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Limits, ProcessRowsLimitTest, testing::Values(1, 2, 3, 7, 64, 500),
                         [](const auto& limit) { return "Of" + std::to_string(limit.param); });

// A full table of neighbours, ended in the worst order for gaps: each line of eight from the middle.
TEST(ProcessRowsTest, AFullTableOfNeighboursEndsInAnyOrder) {
  constexpr std::int32_t kLimit = 4096;
  constexpr std::array kOrder{3, 4, 2, 5, 1, 6, 0, 7};
  ProcessRows table(kLimit);
  ReferenceProcessTable slow;
  for (std::int32_t tgid = 1; tgid <= kLimit; ++tgid) {
    const RowId id = table.Insert(tgid);
    table[id].start_ns = static_cast<std::uint64_t>(tgid);
    slow.rows[tgid] = {.id = id, .age = static_cast<std::uint64_t>(tgid)};
  }
  for (const std::int32_t offset : kOrder) {
    for (std::int32_t tgid = 1 + offset; tgid <= kLimit; tgid += 8) {
      table.Erase(slow.rows.at(tgid).id);
      slow.rows.erase(tgid);
    }
    slow.ExpectIn(table);
  }
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.oldest(), kInvalidId);
}

}  // namespace

namespace {

struct Thing {
  int mark = 7;
};

TEST(SlabTest, IsTakenUpToItsCapacity) {
  Slab<Thing> slab(3);
  EXPECT_EQ(slab.size(), 0U);
  EXPECT_EQ(slab.end(), 0U) << "nothing is touched before it is needed";
  EXPECT_NE(slab.Allocate(), kInvalidId);
  EXPECT_NE(slab.Allocate(), kInvalidId);
  const SlabId last = slab.Allocate();
  EXPECT_EQ(slab.Allocate(), kInvalidId);
  EXPECT_EQ(slab.size(), 3U);
  slab.Free(last);
  EXPECT_EQ(slab.size(), 2U);
  EXPECT_EQ(slab.Allocate(), last);
  EXPECT_EQ(slab.Allocate(), kInvalidId);
  EXPECT_EQ(slab.end(), 3U);
}

TEST(SlabTest, WithoutCapacityThereIsNothing) {
  Slab<Thing> slab(0);
  EXPECT_EQ(slab.Allocate(), kInvalidId);
  EXPECT_EQ(slab.capacity(), 0U);
}

TEST(SlabTest, WhatIsTakenAgainIsFresh) {
  Slab<Thing> slab(1);
  const SlabId id = slab.Allocate();
  slab[id].mark = 1;
  slab.Free(id);
  EXPECT_EQ(slab[slab.Allocate()].mark, 7);
}

TEST(SlabTest, ThingsKeepTheirPlace) {
  constexpr std::size_t kCapacity = 100;
  std::mt19937 random(9);
  Slab<Thing> slab(kCapacity);
  std::map<SlabId, std::pair<int, const Thing*>> taken;
  std::size_t most = 0;
  for (int i = 0; i < 200'000; ++i) {
    if (const auto chosen = taken.lower_bound(static_cast<SlabId>(random() % kCapacity));
        chosen != taken.end() && (random() % 2 == 0 || i % 10'000 > 8'000)) {
      ASSERT_EQ(slab[chosen->first].mark, chosen->second.first);
      ASSERT_EQ(&slab[chosen->first], chosen->second.second);
      slab.Free(chosen->first);
      taken.erase(chosen);
    } else if (const SlabId id = slab.Allocate(); id != kInvalidId) {
      ASSERT_EQ(slab[id].mark, 7);
      slab[id].mark = i;
      ASSERT_TRUE(taken.try_emplace(id, i, &slab[id]).second) << "it was taken already";
    } else {
      ASSERT_EQ(taken.size(), kCapacity);
    }
    most = std::max(most, taken.size());
    ASSERT_EQ(slab.size(), taken.size());
    ASSERT_EQ(slab.end(), most);
  }
  EXPECT_EQ(most, kCapacity);
}

}  // namespace

}  // namespace procevent
