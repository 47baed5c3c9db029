#include "core/protocol/capture_record.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "test_events.h"

namespace procevent {
namespace {

Bytes Encoded(const CaptureRecord& record) {
  RecordBuffer buffer;
  const auto bytes = EncodeRecord(record, buffer);
  return {bytes.begin(), bytes.end()};
}

ProcSnapshot FullSighting() {
  return {.tgid = 4711,
          .taken_ns = 1'000'000'007,
          .name = CommName("a\n\xff name"),
          .threads = 12,
          .leader_gone = true,
          .dead = false,
          .exec_in_progress = true,
          .start_ns = 99,
          .euid = 1000,
          .egid = 1001};
}

ProcSnapshot OfState(std::int32_t tgid, std::uint32_t threads, bool dead) {
  ProcSnapshot sighting;
  sighting.tgid = tgid;
  sighting.threads = threads;
  sighting.dead = dead;
  return sighting;
}

struct NamedRecord {
  std::string name;
  CaptureRecord record;
};

std::vector<NamedRecord> Records() {
  using Kind = CapturedProcSnapshot::Kind;
  using Why = CapturedRejection::Reason;
  return {
      {"opening", CaptureMetadata{.clock_offset_ns = 1ULL << 60U, .cpus = 128, .coverage = EventCoverage::kLifecycle}},
      {"bootstrap", CapturedProcSnapshot{.kind = Kind::kBootstrap, .requested = true, .snapshot = FullSighting()}},
      {"reconciliation",
       CapturedProcSnapshot{.kind = Kind::kReconciliation, .requested = true, .snapshot = FullSighting()}},
      {"whole", CapturedProcSnapshot{.kind = Kind::kFull, .requested = true, .snapshot = FullSighting()}},
      {"name", CapturedProcSnapshot{.kind = Kind::kNameOnly, .requested = true, .snapshot = FullSighting()}},
      {"gone", CapturedProcSnapshot{.kind = Kind::kGone, .requested = true, .snapshot = {}}},
      {"hidden", CapturedProcSnapshot{.kind = Kind::kHidden, .requested = true, .snapshot = {}}},
      {"settling", CapturedWatermark{77}},
      {"doubt", CapturedInvalidation{}},
      {"silence", CapturedNoRequest{}},
      {"foreign sender", CapturedRejection{Why::kForeignSender}},
      {"oversized", CapturedRejection{Why::kOversized}},
  };
}

TEST(CaptureRecordTest, IsReadAsItWasWritten) {
  for (const auto& [name, record] : Records()) {
    const Bytes bytes = Encoded(record);
    EXPECT_TRUE(IsRecord(bytes)) << name;
    EXPECT_EQ(DecodeRecord(bytes), record) << name;
  }
}

TEST(CaptureRecordTest, IsExactlyAsLongAsItSays) {
  for (const auto& [name, record] : Records()) {
    Bytes bytes = Encoded(record);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(DecodeRecord(std::span(bytes).first(size)), std::nullopt) << name << " cut to " << size;
    }
    bytes.push_back(std::byte{0});
    EXPECT_EQ(DecodeRecord(bytes), std::nullopt) << name << " and a byte more";
    Overwrite32(bytes, 0, static_cast<std::uint32_t>(bytes.size()));
    EXPECT_EQ(DecodeRecord(bytes), std::nullopt) << name << " and a byte more, of which its length tells";
  }
}

TEST(CaptureRecordTest, WhatIsNotKnownIsNotRead) {
  constexpr std::size_t kType = 4;
  constexpr std::size_t kMagic = 16;
  constexpr std::size_t kVersion = 23;
  constexpr std::size_t kBody = 24;
  const CapturedProcSnapshot sight{
      .kind = CapturedProcSnapshot::Kind::kFull, .requested = true, .snapshot = FullSighting()};
  struct Row {
    const char* name;
    CaptureRecord record;
    std::size_t offset;
    std::byte value;
    bool is_record;
  };
  const std::vector<Row> rows = {
      {"another type", CapturedInvalidation{}, kType, std::byte{22}, true},
      {"a type of the kernel's", CapturedInvalidation{}, kType, std::byte{3}, true},
      {"another version", CapturedInvalidation{}, kVersion, std::byte{2}, true},
      {"another magic", CapturedInvalidation{}, kMagic, std::byte{'P'}, false},
      {"a hearing that there is not", CaptureMetadata{}, kBody + 12, std::byte{3}, true},
      {"a kind of sight that there is not", sight, kBody, std::byte{7}, true},
      {"no kind of sight", sight, kBody, std::byte{0}, true},
      {"no reason", CapturedRejection{}, kBody, std::byte{0}, true},
  };
  for (const Row& row : rows) {
    Bytes bytes = Encoded(row.record);
    ASSERT_TRUE(DecodeRecord(bytes)) << row.name;
    bytes.at(row.offset) = row.value;
    EXPECT_EQ(DecodeRecord(bytes), std::nullopt) << row.name;
    EXPECT_EQ(IsRecord(bytes), row.is_record) << row.name;
  }
}

// What /proc never says would break the rows of the ledger's table.
TEST(CaptureRecordTest, WhatCannotBeSeenIsNotRead) {
  using Kind = CapturedProcSnapshot::Kind;
  struct Row {
    const char* name;
    ProcSnapshot sighting;
    bool can_be_seen;
  };
  const std::vector<Row> rows = {
      {"alive", OfState(1, 1, false), true},
      {"dead", OfState(1, 0, true), true},
      {"nobody", OfState(0, 1, false), false},
      {"a negative number", OfState(-1, 1, false), false},
      {"alive without a thread", OfState(1, 0, false), false},
      {"dead with threads", OfState(1, 2, true), false},
  };
  for (const Row& row : rows) {
    for (const Kind kind : {Kind::kBootstrap, Kind::kReconciliation, Kind::kFull, Kind::kNameOnly}) {
      EXPECT_EQ(DecodeRecord(Encoded(CapturedProcSnapshot{.kind = kind, .requested = false, .snapshot = row.sighting}))
                    .has_value(),
                row.can_be_seen)
          << row.name;
    }
  }
}

// Of any bytes nothing but what holds is read, and what is read is written as it was.
TEST(CaptureRecordTest, AnyBytes) {
  std::mt19937 random(7);
  const auto records = Records();
  for (int round = 0; round < 100'000; ++round) {
    Bytes bytes = Encoded(records.at(random() % records.size()).record);
    bytes.at(random() % bytes.size()) = static_cast<std::byte>(random());
    if (const auto record = DecodeRecord(bytes)) {
      EXPECT_EQ(DecodeRecord(Encoded(*record)), record);
    }
  }
}

// A datagram of the connector is no record, whatever it says.
TEST(CaptureRecordTest, NoDatagramIsOne) {
  for (const auto& [name, event, size] : OneOfEachKind()) {
    EXPECT_FALSE(IsRecord(EncodeEvent(event))) << name;
  }
}

TEST(CookedHeaderTest, IsOfTheKernelsForm) {
  EXPECT_EQ(ToHex(MakeCookedHeader(kConnectorFamily)), ToHex(FromHex("0006 0338 00000000000000000000 000b")));
  for (const std::uint16_t family : {kRecordFamily, kConnectorFamily, std::uint16_t{0x1234}}) {
    const auto header = ReadCookedHeader(MakeCookedHeader(family));
    ASSERT_TRUE(header);
    EXPECT_EQ(header->family, family);
    EXPECT_FALSE(header->to_kernel);
  }
  EXPECT_TRUE(ReadCookedHeader(FromHex("0007 0338 00000000000000000000 000b"))->to_kernel);
}

TEST(CookedHeaderTest, IsNotReadWhereItIsNone) {
  auto header = MakeCookedHeader(kConnectorFamily);
  EXPECT_FALSE(ReadCookedHeader(std::span(header).first(15)));
  header[3] = std::byte{1};  // Ethernet
  EXPECT_FALSE(ReadCookedHeader(header));
}

}  // namespace
}  // namespace procevent
