#include "core/protocol/capture_packet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "tests/core/protocol/test_events.h"

namespace procevent {
namespace {

constexpr std::size_t kType = 4;  // offsets in a record
constexpr std::size_t kMagic = 16;
constexpr std::size_t kVersion = 23;
constexpr CookedHeader kRecordHeader{.family = kRecordFamily};

template <typename Record>
Bytes Encode(const Record& record) {
  RecordBuffer buffer;
  const EncodedPacket packet = EncodePacket(record, buffer);
  return {packet.payload.begin(), packet.payload.end()};
}

PacketContent Decode(std::span<const std::byte> payload) { return DecodePacket(kRecordHeader, payload); }

void SetLength(Bytes& record) { Overwrite32(record, 0, static_cast<std::uint32_t>(record.size())); }

// The same record as a program of version 1 writes it: without the fields of version 2.
Bytes AsVersion1(Bytes record, std::size_t appended_bytes) {
  record.resize(record.size() - appended_bytes);
  record.at(kVersion) = std::byte{1};
  SetLength(record);
  return record;
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
          .egid = 1001,
          .parent = 815};
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
  Bytes bytes;
  PacketContent content;
  std::size_t appended_bytes = 0;  // of the fields that version 2 added
};

template <typename Record>
NamedRecord Named(const std::string& name, const Record& record, std::size_t appended_bytes = 0) {
  return {name, Encode(record), record, appended_bytes};
}

std::vector<NamedRecord> Records() {
  using Kind = ProcRead::Kind;
  using Reason = RejectedDatagram::Reason;
  const auto read = [](Kind kind, const ProcSnapshot& snapshot = SampleSnapshot()) {
    return ProcRead{.kind = kind, .requested = true, .snapshot = snapshot};
  };
  constexpr std::size_t kParent = sizeof(ProcSnapshot::parent);
  return {
      Named("metadata",
            CaptureMetadata{.clock_offset_ns = 1ULL << 60U, .cpus = 128, .coverage = EventCoverage::kLifecycle}),
      Named("bootstrap", read(Kind::kBootstrap), kParent),
      Named("reconciliation", read(Kind::kReconciliation), kParent),
      Named("full", read(Kind::kFull), kParent),
      Named("name only", read(Kind::kNameOnly), kParent),
      Named("gone", read(Kind::kGone, {}), kParent),
      Named("hidden", read(Kind::kHidden, {}), kParent),
      Named("watermark", Watermark{77}),
      Named("invalidation", Invalidation{}),
      Named("no request", NoProcRequest{}),
      Named("foreign sender", RejectedDatagram{Reason::kForeignSender}),
      Named("oversized", RejectedDatagram{Reason::kOversized}),
  };
}

bool IsInvalid(std::span<const std::byte> payload) { return std::holds_alternative<InvalidRecord>(Decode(payload)); }
bool IsForeign(std::span<const std::byte> payload) { return std::holds_alternative<ForeignPacket>(Decode(payload)); }

TEST(CapturePacketTest, DecodesWhatWasEncoded) {
  for (const auto& [name, bytes, content, appended] : Records()) {
    EXPECT_EQ(Decode(bytes), content) << name;
  }
}

TEST(CapturePacketTest, DatagramsAreStoredAsReceived) {
  RecordBuffer buffer;
  for (const auto& [name, event, size] : OneOfEachKind()) {
    const Bytes datagram = EncodeEvent(event);
    const EncodedPacket packet = EncodePacket(ConnectorDatagram{datagram}, buffer);
    EXPECT_EQ(packet.family, kConnectorFamily);
    EXPECT_EQ(packet.payload.data(), datagram.data()) << "not copied";
    const PacketContent content = DecodePacket({.family = kConnectorFamily}, packet.payload);
    EXPECT_EQ(content, PacketContent(ConnectorDatagram{datagram})) << name;
    EXPECT_TRUE(IsForeign(datagram)) << name << " in the family of records";
  }
  EXPECT_TRUE(std::holds_alternative<ForeignPacket>(
      DecodePacket({.family = kConnectorFamily, .to_kernel = true}, EncodeEvent(Event{}))))
      << "a request of a subscriber";
  EXPECT_TRUE(std::holds_alternative<ForeignPacket>(DecodePacket({.family = 0}, Encode(Invalidation{}))));
}

// The layout of version 1, byte for byte: files of it exist.
TEST(CapturePacketTest, DecodesVersion1) {
  EXPECT_EQ(Decode(FromHex("20000000 1200 0000 00000000 00000000 70726f63657674 01 4d00000000000000")),
            PacketContent(Watermark{77}));
  for (const auto& [name, bytes, content, appended] : Records()) {
    PacketContent expected = content;
    if (const auto* const read = FindInput<ProcRead>(content)) {
      ProcRead without_parent = *read;
      without_parent.snapshot.parent = 0;
      expected = without_parent;
    }
    EXPECT_EQ(Decode(AsVersion1(bytes, appended)), expected) << name;
  }
}

TEST(CapturePacketTest, RejectsWrongLengths) {
  for (const auto& [name, bytes, content, appended] : Records()) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto truncated = std::span(bytes).first(size);
      EXPECT_TRUE(size <= 16 ? IsForeign(truncated) : IsInvalid(truncated)) << name << " cut to " << size;
      Bytes shorter(truncated.begin(), truncated.end());
      if (size >= kRecordHeadBytes) {
        SetLength(shorter);
        EXPECT_TRUE(IsInvalid(shorter)) << name << " with the length " << size;
      }
    }
    Bytes longer = bytes;
    longer.push_back(std::byte{0});
    EXPECT_TRUE(IsInvalid(longer)) << name << " with a surplus byte";
    Bytes version1 = AsVersion1(bytes, appended);
    version1.push_back(std::byte{0});
    SetLength(version1);
    EXPECT_TRUE(IsInvalid(version1)) << name << " with a surplus byte included in the length";
  }
}

TEST(CapturePacketTest, IgnoresAppendedFields) {
  for (const auto& [name, bytes, content, appended] : Records()) {
    for (const std::size_t more : {std::size_t{1}, std::size_t{8}, kMaxPayloadBytes - bytes.size()}) {
      Bytes longer = bytes;
      longer.resize(bytes.size() + more, std::byte{0xFF});
      SetLength(longer);
      EXPECT_EQ(Decode(longer), content) << name << " with " << more << " bytes more";
    }
  }
}

TEST(CapturePacketTest, SkipsUnknownKinds) {
  for (const std::uint16_t kind : {std::uint16_t{22}, std::uint16_t{0x1000}, std::uint16_t{0xFFFF}}) {
    for (const std::size_t body : {std::size_t{0}, std::size_t{1}, std::size_t{2048}, std::size_t{60'000}}) {
      Bytes record = Encode(Invalidation{});
      record.resize(record.size() + body);
      SetLength(record);
      record.at(kType) = static_cast<std::byte>(kind);
      record.at(kType + 1) = static_cast<std::byte>(kind >> 8U);
      EXPECT_EQ(Decode(record), PacketContent(UnknownRecord{.kind = kind, .bytes = body})) << kind;
      EXPECT_TRUE(IsInvalid(AsVersion1(record, 0))) << kind << " in a file of version 1";
    }
  }
}

TEST(CapturePacketTest, RejectsUnknownValues) {
  const ProcRead read{.kind = ProcRead::Kind::kFull, .requested = true, .snapshot = SampleSnapshot()};
  struct Row {
    const char* name;
    Bytes record;
    std::size_t offset;
    std::byte value;
  };
  const std::vector<Row> rows = {
      {"type reserved by netlink", Encode(Invalidation{}), kType, std::byte{3}},
      {"version 0", Encode(Invalidation{}), kVersion, std::byte{0}},
      {"version 3", Encode(Invalidation{}), kVersion, std::byte{3}},
      {"unknown coverage", Encode(CaptureMetadata{}), kRecordHeadBytes + 12, std::byte{3}},
      {"unknown kind of read", Encode(read), kRecordHeadBytes, std::byte{7}},
      {"kind of read 0", Encode(read), kRecordHeadBytes, std::byte{0}},
      {"rejection reason 0", Encode(RejectedDatagram{}), kRecordHeadBytes, std::byte{0}},
  };
  for (const Row& row : rows) {
    Bytes bytes = row.record;
    ASSERT_FALSE(IsInvalid(bytes)) << row.name;
    bytes.at(row.offset) = row.value;
    EXPECT_TRUE(IsInvalid(bytes)) << row.name;
  }
  Bytes wrong_magic = Encode(Invalidation{});
  wrong_magic.at(kMagic) = std::byte{'P'};
  EXPECT_TRUE(IsForeign(wrong_magic));
}

// Snapshots that /proc never shows would corrupt the process table.
TEST(CapturePacketTest, RejectsImpossibleSnapshots) {
  using Kind = ProcRead::Kind;
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
      EXPECT_NE(IsInvalid(Encode(ProcRead{.kind = kind, .requested = false, .snapshot = row.snapshot})), row.valid)
          << row.name;
    }
  }
}

// After random damage a record is either not accepted or survives another round trip.
TEST(CapturePacketTest, SurvivesRandomDamage) {
  std::mt19937 random(7);
  const auto records = Records();
  for (int round = 0; round < 100'000; ++round) {
    Bytes bytes = records.at(random() % records.size()).bytes;
    bytes.at(random() % bytes.size()) = static_cast<std::byte>(random());
    const PacketContent content = Decode(bytes);
    if (const auto* const input = std::get_if<Input>(&content)) {
      EXPECT_EQ(Decode(Encode(*input)), content);
    }
  }
}

// Random inputs of every kind.
class InputMaker {
 public:
  Input Make() {
    switch (random_() % std::variant_size_v<Input>) {
      case 0:
        datagram_.resize(random_() % kMaxPayloadBytes);
        std::ranges::generate(datagram_, [this] { return static_cast<std::byte>(random_()); });
        return ConnectorDatagram{datagram_};
      case 1:
        return ProcRead{.kind = ProcRead::Kind{static_cast<std::uint8_t>(1 + random_() % 6)},
                        .requested = Flip(),
                        .snapshot = MakeSnapshot()};
      case 2:
        return Watermark{Number<std::uint64_t>()};
      case 3:
        return Invalidation{};
      case 4:
        return RejectedDatagram{Flip() ? RejectedDatagram::Reason::kOversized
                                       : RejectedDatagram::Reason::kForeignSender};
      default:
        return NoProcRequest{};
    }
  }

 private:
  bool Flip() { return random_() % 2 == 0; }
  template <typename T>
  T Number() {
    return std::uniform_int_distribution<T>(std::numeric_limits<T>::min(), std::numeric_limits<T>::max())(random_);
  }
  ProcSnapshot MakeSnapshot() {
    std::array<char, kCommSize> name{};
    std::generate_n(name.begin(), random_() % kCommSize, [this] { return static_cast<char>(random_()); });
    const bool dead = Flip();
    return {.tgid = std::uniform_int_distribution(1, std::numeric_limits<std::int32_t>::max())(random_),
            .taken_ns = Number<std::uint64_t>(),
            .name = CommName(name),
            .threads = dead ? 0 : std::max(1U, Number<std::uint32_t>()),
            .leader_gone = Flip(),
            .dead = dead,
            .may_be_in_exec = Flip(),
            .without_memory = Flip(),
            .start_ns = Number<std::uint64_t>(),
            .euid = Number<std::uint32_t>(),
            .egid = Number<std::uint32_t>(),
            .parent = Number<std::int32_t>()};
  }

  std::mt19937 random_{11};
  Bytes datagram_;
};

TEST(CapturePacketTest, RandomInputsSurviveARoundTrip) {
  InputMaker maker;
  for (int round = 0; round < 50'000; ++round) {
    const Input input = maker.Make();
    RecordBuffer buffer;
    const EncodedPacket packet = EncodePacket(input, buffer);
    ASSERT_LE(packet.payload.size(), kMaxPayloadBytes);
    ASSERT_EQ(DecodePacket({.family = packet.family}, packet.payload), PacketContent(input)) << input.index();
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
