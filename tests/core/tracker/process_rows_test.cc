#include "core/tracker/process_rows.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace procevent {

namespace {

TEST(ProcessRowsTest, FindsARowByTgid) {
  ProcessRows table(2);
  EXPECT_EQ(table.Find(7), kInvalidId);
  const RowId id = table.Insert(7);
  EXPECT_EQ(table.Find(7), id);
  EXPECT_EQ(table.Find(8), kInvalidId);
  EXPECT_EQ(table[id].tgid, 7);
  EXPECT_EQ(table[id].threads.count, 1U);
  table.Erase(id);
  EXPECT_EQ(table.Find(7), kInvalidId);
  EXPECT_EQ(table[id].tgid, 0) << "an iteration skips the free row";
}

TEST(ProcessRowsTest, FindsNoInvalidTgid) {
  ProcessRows table(4);
  table.Insert(1);
  for (const std::int32_t tgid : {0, -1, INT32_MIN, INT32_MAX}) {
    EXPECT_EQ(table.Find(tgid), kInvalidId) << tgid;
  }
}

TEST(ProcessRowsTest, GivesAReusedRowANewSerial) {
  ProcessRows table(1);
  const RowId first = table.Insert(7);
  const std::uint32_t serial = table[first].serial;
  table[first].threads.leader_gone = true;
  table.Erase(first);
  const RowId second = table.Insert(7);
  EXPECT_EQ(first, second);
  EXPECT_NE(table[second].serial, serial);
  EXPECT_FALSE(table[second].threads.leader_gone) << "the row is reset";
}

TEST(ProcessRowsTest, ReportsASnapshotRequestOnce) {
  ProcessRows table(2);
  const RowId id = table.Insert(7);
  EXPECT_FALSE(table.TakeAnySnapshotRequest());
  table.RequestSnapshot(id);
  EXPECT_FALSE(table[id].uncertain);
  EXPECT_TRUE(table.TakeAnySnapshotRequest());
  EXPECT_FALSE(table.TakeAnySnapshotRequest());
  table.MarkUncertain(id);
  EXPECT_TRUE(table[id].uncertain);
  EXPECT_TRUE(table.TakeAnySnapshotRequest());
}

// The slow and obvious counterpart of ProcessRows, in std::map.
class ReferenceProcessTable {
 public:
  struct Row {
    RowId id = kInvalidId;
    std::uint64_t order = 0;  // lower for older rows
    std::uint32_t threads = 1;
  };
  std::map<std::int32_t, Row> rows;

  void ExpectEqual(const ProcessRows& table) const {
    ASSERT_EQ(table.size(), rows.size());
    std::uint64_t threads = 0;
    std::map<std::uint64_t, RowId> by_order;
    for (const auto& [tgid, row] : rows) {
      ASSERT_EQ(table.Find(tgid), row.id);
      ASSERT_EQ(table[row.id].tgid, tgid);
      ASSERT_EQ(table[row.id].threads.count, row.threads);
      ASSERT_EQ(table[row.id].start_ns, row.order) << "rows keep their contents";
      threads += row.threads;
      by_order[row.order] = row.id;
    }
    ASSERT_EQ(table.threads(), threads);
    ExpectOrder(table, by_order);
    std::size_t visited = 0;
    for (RowId id = 0; id < table.end(); ++id) {
      visited += table[id].tgid != 0 ? 1U : 0U;
    }
    ASSERT_EQ(visited, rows.size());
  }

 private:
  static void ExpectOrder(const ProcessRows& table, const std::map<std::uint64_t, RowId>& by_order) {
    RowId older = kInvalidId;
    RowId next = table.oldest();
    for (const auto& [order, id] : by_order) {
      ASSERT_EQ(next, id);
      ASSERT_EQ(table[id].older, older);
      older = id;
      next = table[id].newer;
    }
    ASSERT_EQ(next, kInvalidId);
  }
};

// Generates tgids: ascending with gaps and wrap-around, a few repeatedly, or any.
class TgidGenerator {
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

TEST_P(ProcessRowsLimitTest, AgreesWithTheReference) {
  const std::size_t limit = GetParam();
  std::mt19937 random(static_cast<std::uint32_t>(limit));
  TgidGenerator tgids;
  ProcessRows table(limit);
  ReferenceProcessTable reference;
  const auto erase = [&](std::int32_t tgid) {
    table.Erase(reference.rows.at(tgid).id);
    reference.rows.erase(tgid);
  };
  for (std::uint64_t i = 1; i <= 200'000; ++i) {
    const std::int32_t tgid = tgids.Next(random);
    const auto known = reference.rows.find(tgid);
    ASSERT_EQ(table.Find(tgid), known == reference.rows.end() ? kInvalidId : known->second.id);
    ASSERT_EQ(table.free_rows(), limit - reference.rows.size());
    if (known == reference.rows.end()) {
      if (table.free_rows() == 0) {
        erase(table[table.oldest()].tgid);
      }
      const RowId id = table.Insert(tgid);
      table[id].start_ns = i;
      reference.rows[tgid] = {.id = id, .order = i};
    } else if (random() % 2 == 0) {
      erase(tgid);
    } else {
      known->second.threads = static_cast<std::uint32_t>(random() % 5);
      table.SetThreads(known->second.id, ThreadState::Of(known->second.threads, false));
    }
    // Sometimes many rows are erased in a series.
    const bool shrinking = i % 5'000 > 4'500;
    if (const auto any = reference.rows.upper_bound(tgid);
        any != reference.rows.end() && random() % 4 < (shrinking ? 4U : 1U)) {
      erase(any->first);
    }
    if (i % (reference.rows.size() + 1) == 0) {
      reference.ExpectEqual(table);
      ASSERT_FALSE(HasFatalFailure()) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Limits, ProcessRowsLimitTest, testing::Values(1, 2, 3, 7, 64, 500),
                         [](const auto& limit) { return "Of" + std::to_string(limit.param); });

// A full table of successive tgids, erased in the worst order for gaps: each line of eight from the middle.
TEST(ProcessRowsTest, ErasesNeighboursInAnyOrder) {
  constexpr std::int32_t kLimit = 4096;
  constexpr std::array kOrder{3, 4, 2, 5, 1, 6, 0, 7};
  ProcessRows table(kLimit);
  ReferenceProcessTable reference;
  for (std::int32_t tgid = 1; tgid <= kLimit; ++tgid) {
    const RowId id = table.Insert(tgid);
    table[id].start_ns = static_cast<std::uint64_t>(tgid);
    reference.rows[tgid] = {.id = id, .order = static_cast<std::uint64_t>(tgid)};
  }
  for (const std::int32_t offset : kOrder) {
    for (std::int32_t tgid = 1 + offset; tgid <= kLimit; tgid += 8) {
      table.Erase(reference.rows.at(tgid).id);
      reference.rows.erase(tgid);
    }
    reference.ExpectEqual(table);
  }
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.oldest(), kInvalidId);
}

}  // namespace

namespace {

struct Item {
  int value = 7;
};

TEST(SlabTest, AllocatesUpToItsCapacity) {
  Slab<Item> slab(3);
  EXPECT_EQ(slab.size(), 0U);
  EXPECT_EQ(slab.end(), 0U) << "no item is constructed before it is allocated";
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

TEST(SlabTest, AllocatesNothingWithoutCapacity) {
  Slab<Item> slab(0);
  EXPECT_EQ(slab.Allocate(), kInvalidId);
  EXPECT_EQ(slab.capacity(), 0U);
}

TEST(SlabTest, ResetsAnItemThatIsAllocatedAgain) {
  Slab<Item> slab(1);
  const SlabId id = slab.Allocate();
  slab[id].value = 1;
  slab.Free(id);
  EXPECT_EQ(slab[slab.Allocate()].value, 7);
}

TEST(SlabTest, KeepsTheAddressOfItems) {
  constexpr std::size_t kCapacity = 100;
  std::mt19937 random(9);
  Slab<Item> slab(kCapacity);
  std::map<SlabId, std::pair<int, const Item*>> allocated;
  std::size_t highest_end = 0;
  for (int i = 0; i < 200'000; ++i) {
    if (const auto chosen = allocated.lower_bound(static_cast<SlabId>(random() % kCapacity));
        chosen != allocated.end() && (random() % 2 == 0 || i % 10'000 > 8'000)) {
      ASSERT_EQ(slab[chosen->first].value, chosen->second.first);
      ASSERT_EQ(&slab[chosen->first], chosen->second.second);
      slab.Free(chosen->first);
      allocated.erase(chosen);
    } else if (const SlabId id = slab.Allocate(); id != kInvalidId) {
      ASSERT_EQ(slab[id].value, 7);
      slab[id].value = i;
      ASSERT_TRUE(allocated.try_emplace(id, i, &slab[id]).second) << "it was allocated already";
    } else {
      ASSERT_EQ(allocated.size(), kCapacity);
    }
    highest_end = std::max(highest_end, allocated.size());
    ASSERT_EQ(slab.size(), allocated.size());
    ASSERT_EQ(slab.end(), highest_end);
  }
  EXPECT_EQ(highest_end, kCapacity);
}

}  // namespace

}  // namespace procevent
