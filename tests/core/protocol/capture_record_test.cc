#include "core/protocol/capture_record.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/core/protocol/test_events.h"

namespace procevent {
namespace {

Bytes Encode(const CaptureRecord& record) {
  RecordBuffer buffer;
  const auto bytes = EncodeRecord(record, buffer);
  return {bytes.begin(), bytes.end()};
}

ProcSnapshot SampleSnapshot() {
  return {.tgid = 4711,
          .taken_ns = 1'000'000'007,
          .name = CommName("a\n\xff name"),
          .threads = 12,
          .leader_gone = true,
          .dead = false,
          .may_be_in_exec = true,
          .without_memory = true,
          .start_ns = 99,
          .euid = 1000,
          .egid = 1001};
}

ProcSnapshot SnapshotWith(std::int32_t tgid, std::uint32_t threads, bool dead) {
  ProcSnapshot snapshot;
  snapshot.tgid = tgid;
  snapshot.threads = threads;
  snapshot.dead = dead;
  return snapshot;
}

struct NamedRecord {
  std::string name;
  CaptureRecord record;
};

std::vector<NamedRecord> Records() {
  using Kind = CapturedProcSnapshot::Kind;
  using Reason = CapturedRejection::Reason;
  return {
      {"metadata", CaptureMetadata{.clock_offset_ns = 1ULL << 60U, .cpus = 128, .coverage = EventCoverage::kLifecycle}},
      {"bootstrap", CapturedProcSnapshot{.kind = Kind::kBootstrap, .requested = true, .snapshot = SampleSnapshot()}},
      {"reconciliation",
       CapturedProcSnapshot{.kind = Kind::kReconciliation, .requested = true, .snapshot = SampleSnapshot()}},
      {"full", CapturedProcSnapshot{.kind = Kind::kFull, .requested = true, .snapshot = SampleSnapshot()}},
      {"name only", CapturedProcSnapshot{.kind = Kind::kNameOnly, .requested = true, .snapshot = SampleSnapshot()}},
      {"gone", CapturedProcSnapshot{.kind = Kind::kGone, .requested = true, .snapshot = {}}},
      {"hidden", CapturedProcSnapshot{.kind = Kind::kHidden, .requested = true, .snapshot = {}}},
      {"watermark", CapturedWatermark{77}},
      {"invalidation", CapturedInvalidation{}},
      {"no request", CapturedNoRequest{}},
      {"foreign sender", CapturedRejection{Reason::kForeignSender}},
      {"oversized", CapturedRejection{Reason::kOversized}},
  };
}

TEST(CaptureRecordTest, DecodesWhatWasEncoded) {
  for (const auto& [name, record] : Records()) {
    const Bytes bytes = Encode(record);
    EXPECT_TRUE(IsRecord(bytes)) << name;
    EXPECT_EQ(DecodeRecord(bytes), record) << name;
  }
}

TEST(CaptureRecordTest, RejectsWrongLengths) {
  for (const auto& [name, record] : Records()) {
    Bytes bytes = Encode(record);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(DecodeRecord(std::span(bytes).first(size)), std::nullopt) << name << " truncated to " << size;
    }
    bytes.push_back(std::byte{0});
    EXPECT_EQ(DecodeRecord(bytes), std::nullopt) << name << " with a surplus byte";
    Overwrite32(bytes, 0, static_cast<std::uint32_t>(bytes.size()));
    EXPECT_EQ(DecodeRecord(bytes), std::nullopt) << name << " with a surplus byte included in the length";
  }
}

TEST(CaptureRecordTest, RejectsUnknownValues) {
  constexpr std::size_t kType = 4;
  constexpr std::size_t kMagic = 16;
  constexpr std::size_t kVersion = 23;
  constexpr std::size_t kBody = 24;
  const CapturedProcSnapshot proc_snapshot{
      .kind = CapturedProcSnapshot::Kind::kFull, .requested = true, .snapshot = SampleSnapshot()};
  struct Row {
    const char* name;
    CaptureRecord record;
    std::size_t offset;
    std::byte value;
    bool is_record;
  };
  const std::vector<Row> rows = {
      {"unknown type", CapturedInvalidation{}, kType, std::byte{22}, true},
      {"type reserved by netlink", CapturedInvalidation{}, kType, std::byte{3}, true},
      {"unknown version", CapturedInvalidation{}, kVersion, std::byte{2}, true},
      {"wrong magic", CapturedInvalidation{}, kMagic, std::byte{'P'}, false},
      {"unknown coverage", CaptureMetadata{}, kBody + 12, std::byte{3}, true},
      {"unknown snapshot kind", proc_snapshot, kBody, std::byte{7}, true},
      {"snapshot kind 0", proc_snapshot, kBody, std::byte{0}, true},
      {"rejection reason 0", CapturedRejection{}, kBody, std::byte{0}, true},
  };
  for (const Row& row : rows) {
    Bytes bytes = Encode(row.record);
    ASSERT_TRUE(DecodeRecord(bytes)) << row.name;
    bytes.at(row.offset) = row.value;
    EXPECT_EQ(DecodeRecord(bytes), std::nullopt) << row.name;
    EXPECT_EQ(IsRecord(bytes), row.is_record) << row.name;
  }
}

// Snapshots that /proc never shows would corrupt the process rows of the ledger.
TEST(CaptureRecordTest, RejectsImpossibleSnapshots) {
  using Kind = CapturedProcSnapshot::Kind;
  struct Row {
    const char* name;
    ProcSnapshot snapshot;
    bool valid;
  };
  const std::vector<Row> rows = {
      {"alive", SnapshotWith(1, 1, false), true},
      {"dead", SnapshotWith(1, 0, true), true},
      {"PID 0", SnapshotWith(0, 1, false), false},
      {"negative PID", SnapshotWith(-1, 1, false), false},
      {"alive without threads", SnapshotWith(1, 0, false), false},
      {"dead with threads", SnapshotWith(1, 2, true), false},
  };
  for (const Row& row : rows) {
    for (const Kind kind : {Kind::kBootstrap, Kind::kReconciliation, Kind::kFull, Kind::kNameOnly}) {
      EXPECT_EQ(DecodeRecord(Encode(CapturedProcSnapshot{.kind = kind, .requested = false, .snapshot = row.snapshot}))
                    .has_value(),
                row.valid)
          << row.name;
    }
  }
}

// After random damage a record either fails to decode or survives another round trip.
TEST(CaptureRecordTest, SurvivesRandomDamage) {
  std::mt19937 random(7);
  const auto records = Records();
  for (int round = 0; round < 100'000; ++round) {
    Bytes bytes = Encode(records.at(random() % records.size()).record);
    bytes.at(random() % bytes.size()) = static_cast<std::byte>(random());
    if (const auto record = DecodeRecord(bytes)) {
      EXPECT_EQ(DecodeRecord(Encode(*record)), record);
    }
  }
}

TEST(CaptureRecordTest, RejectsConnectorDatagrams) {
  for (const auto& [name, event, size] : OneOfEachKind()) {
    EXPECT_FALSE(IsRecord(EncodeEvent(event))) << name;
  }
}

TEST(CookedHeaderTest, MatchesKernelFormat) {
  EXPECT_EQ(ToHex(MakeCookedHeader(kConnectorFamily)), ToHex(FromHex("0006 0338 00000000000000000000 000b")));
  for (const std::uint16_t family : {kRecordFamily, kConnectorFamily, std::uint16_t{0x1234}}) {
    const auto header = ReadCookedHeader(MakeCookedHeader(family));
    ASSERT_TRUE(header);
    EXPECT_EQ(header->family, family);
    EXPECT_FALSE(header->to_kernel);
  }
  EXPECT_TRUE(ReadCookedHeader(FromHex("0007 0338 00000000000000000000 000b"))->to_kernel);
}

TEST(CookedHeaderTest, RejectsOtherHeaders) {
  auto header = MakeCookedHeader(kConnectorFamily);
  EXPECT_FALSE(ReadCookedHeader(std::span(header).first(15)));
  header[3] = std::byte{1};  // Ethernet
  EXPECT_FALSE(ReadCookedHeader(header));
}

}  // namespace
}  // namespace procevent
