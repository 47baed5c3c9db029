#include "core/protocol/event_mask.h"

#include <gtest/gtest.h>

#include <vector>

namespace procevent {
namespace {

struct Row {
  EventKind kind;
  std::uint32_t bits;
};

TEST(EventMaskTest, BitsOfEachKind) {
  const std::vector<Row> rows{
      {EventKind::kAck, 0},           {EventKind::kFork, 0x1},   {EventKind::kExec, 0x2},
      {EventKind::kExit, 0xa0000000},  // both forms: the filter's and the event's
      {EventKind::kUid, 0x4},         {EventKind::kGid, 0x40},   {EventKind::kSid, 0x80},
      {EventKind::kPtrace, 0x100},    {EventKind::kComm, 0x200}, {EventKind::kCoredump, 0x40000000},
      {EventKind::kUnknown, 0},
  };
  ASSERT_EQ(rows.size(), kEventKinds);
  EventMask all = EventMask::None();
  for (const Row& row : rows) {
    const EventMask alone = EventMask::None().With(row.kind);
    EXPECT_EQ(alone.bits(), row.bits) << kEventNames[static_cast<std::size_t>(row.kind)];
    for (const Row& other : rows) {
      EXPECT_EQ(alone.Has(other.kind), other.kind == row.kind && row.bits != 0);
    }
    EXPECT_EQ(EventMask::All().Has(row.kind), row.bits != 0);
    EXPECT_FALSE(EventMask::None().Has(row.kind));
    all = all.With(row.kind);
  }
  EXPECT_EQ(all, EventMask::All());
  EXPECT_EQ(EventMask::All().bits(), 0xe00003c7U);
}

TEST(EventMaskTest, WithTwiceIsOnce) {
  const EventMask once = EventMask::None().With(EventKind::kFork).With(EventKind::kExit);
  EXPECT_EQ(once.With(EventKind::kFork), once);
  EXPECT_EQ(once.bits(), 0xa0000001U);
}

}  // namespace
}  // namespace procevent
