#include "core/protocol/capture_packet.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "core/protocol/wire.h"

namespace procevent {
namespace {

using View = std::span<const std::byte>;

constexpr std::array<char, 7> kMagic{'p', 'r', 'o', 'c', 'e', 'v', 't'};  // followed by the version
// A record of version 1 has exactly the fields of its kind. A record of version 2 may end with fields, and may be of a
// kind, that only newer programs know. Both are skipped.
constexpr std::uint8_t kVersion1 = 1;
constexpr std::uint8_t kVersion2 = 2;

// Netlink types of the records: from the first one that netlink does not reserve. They are part of the format.
enum class RecordKind : std::uint16_t {
  kMetadata = wire::kFirstDataType,
  kProcRead,
  kWatermark,
  kInvalidation,
  kRejectedDatagram,
  kNoProcRequest,
};

// Writes fields in call order, without gaps, in host byte order. FieldWriter and FieldReader share one description of
// each record (Fields), so that encoding and decoding cannot differ.
class FieldWriter {
 public:
  explicit FieldWriter(std::span<std::byte> buffer) : buffer_(buffer) {}

  template <typename T>
  void Field(const T& value) {
    static_assert(std::has_unique_object_representations_v<T>);
    std::memcpy(buffer_.subspan(size_, sizeof(T)).data(), &value, sizeof(T));
    size_ += sizeof(T);
  }
  [[nodiscard]] static std::uint8_t version() { return kVersion2; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::span<std::byte> buffer_;
  std::size_t size_ = 0;
};

// Reads the fields that FieldWriter wrote.
class FieldReader {
 public:
  explicit FieldReader(View bytes, std::uint8_t version = kVersion2) : rest_(bytes), version_(version) {}

  template <typename T>
  void Field(T& value) {
    static_assert(std::has_unique_object_representations_v<T>);
    if (rest_.size() < sizeof(T)) {
      complete_ = false;
      return;
    }
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_ = rest_.subspan(sizeof(T));
  }
  [[nodiscard]] std::uint8_t version() const { return version_; }
  // All fields were present.
  [[nodiscard]] bool complete() const { return complete_; }
  // All fields were present, and what follows them is allowed in this version.
  [[nodiscard]] bool valid() const { return complete_ && (rest_.empty() || version_ >= kVersion2); }

 private:
  View rest_;
  std::uint8_t version_;
  bool complete_ = true;
};

struct Head {
  std::uint32_t length = 0;
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t port = 0;
  std::array<char, 7> magic = kMagic;
  std::uint8_t version = kVersion2;
};
static_assert(kRecordHeadBytes == wire::kNetlinkHeader + kMagic.size() + sizeof(kVersion2));

template <typename Archive>
void Fields(Archive& archive, Head& head) {
  archive.Field(head.length);
  archive.Field(head.type);
  archive.Field(head.flags);
  archive.Field(head.sequence);
  archive.Field(head.port);
  archive.Field(head.magic);
  archive.Field(head.version);
}

template <typename Archive>
void Fields(Archive& archive, CaptureMetadata& metadata) {
  archive.Field(metadata.clock_offset_ns);
  archive.Field(metadata.cpus);
  archive.Field(metadata.coverage);
}

constexpr std::uint8_t kLeaderGone = 1;
constexpr std::uint8_t kDead = 2;
constexpr std::uint8_t kExecInProgress = 4;
constexpr std::uint8_t kRequested = 8;
constexpr std::uint8_t kWithoutMemory = 16;

std::uint8_t FlagsOf(const ProcRead& read) {
  const ProcSnapshot& snapshot = read.snapshot;
  return static_cast<std::uint8_t>((snapshot.leader_gone ? kLeaderGone : 0) | (snapshot.dead ? kDead : 0) |
                                   (snapshot.may_be_in_exec ? kExecInProgress : 0) | (read.requested ? kRequested : 0) |
                                   (snapshot.without_memory ? kWithoutMemory : 0));
}

template <typename Archive>
void Fields(Archive& archive, ProcRead& read) {
  ProcSnapshot& snapshot = read.snapshot;
  std::array<char, kCommSize> name{};
  std::ranges::copy(snapshot.name.view(), name.begin());
  std::uint8_t flags = FlagsOf(read);
  archive.Field(read.kind);
  archive.Field(flags);
  archive.Field(snapshot.tgid);
  archive.Field(snapshot.threads);
  archive.Field(snapshot.taken_ns);
  archive.Field(snapshot.start_ns);
  archive.Field(snapshot.euid);
  archive.Field(snapshot.egid);
  archive.Field(name);
  if (archive.version() >= kVersion2) {
    archive.Field(snapshot.parent);
  }
  snapshot.name = CommName(name);
  snapshot.leader_gone = (flags & kLeaderGone) != 0;
  snapshot.dead = (flags & kDead) != 0;
  snapshot.may_be_in_exec = (flags & kExecInProgress) != 0;
  snapshot.without_memory = (flags & kWithoutMemory) != 0;
  read.requested = (flags & kRequested) != 0;
}

template <typename Archive>
void Fields(Archive& archive, Watermark& watermark) {
  archive.Field(watermark.applied_until_ns);
}

template <typename Archive>
void Fields(Archive& /*archive*/, Invalidation& /*invalidation*/) {}

template <typename Archive>
void Fields(Archive& /*archive*/, NoProcRequest& /*no_request*/) {}

template <typename Archive>
void Fields(Archive& archive, RejectedDatagram& rejection) {
  archive.Field(rejection.reason);
}

bool IsValid(const CaptureMetadata& metadata) { return metadata.coverage <= EventCoverage::kPartial; }
// Rejects what /proc never shows: a process without threads is dead, and a dead process has no threads.
bool IsValid(const ProcRead& read) {
  using Kind = ProcRead::Kind;
  const ProcSnapshot& snapshot = read.snapshot;
  switch (read.kind) {
    case Kind::kBootstrap:
    case Kind::kReconciliation:
    case Kind::kFull:
    case Kind::kNameOnly:
      return snapshot.tgid > 0 && snapshot.dead == (snapshot.threads == 0);
    case Kind::kGone:
    case Kind::kHidden:
      return true;
  }
  return false;
}
bool IsValid(const RejectedDatagram& rejection) {
  return rejection.reason == RejectedDatagram::Reason::kForeignSender ||
         rejection.reason == RejectedDatagram::Reason::kOversized;
}
template <typename Record>
bool IsValid(const Record& /*record*/) {
  return true;
}

template <typename Record>
PacketContent DecodeBody(View body, std::uint8_t version) {
  Record record;
  FieldReader reader(body, version);
  Fields(reader, record);
  return reader.valid() && IsValid(record) ? PacketContent(record) : InvalidRecord{};
}

// Returns false if the payload is too short for a record's head.
bool ReadHead(View payload, Head& head) {
  FieldReader reader(payload.first(std::min(payload.size(), kRecordHeadBytes)));
  Fields(reader, head);
  return reader.complete();
}

// Whether the magic, or as much of it as the payload has, is that of a record. A record that is cut before its magic
// cannot be distinguished from a packet of another program.
bool BeginsWithMagic(View payload) {
  const View rest = payload.subspan(std::min(payload.size(), wire::kNetlinkHeader));
  const View magic = rest.first(std::min(rest.size(), kMagic.size()));
  return !magic.empty() && std::ranges::equal(magic, std::as_bytes(std::span(kMagic)).first(magic.size()));
}

PacketContent DecodeRecord(const Head& head, View payload) {
  if (head.length != payload.size() || (head.version != kVersion1 && head.version != kVersion2)) {
    return InvalidRecord{};
  }
  const View body = payload.subspan(kRecordHeadBytes);
  switch (static_cast<RecordKind>(head.type)) {
    case RecordKind::kMetadata:
      return DecodeBody<CaptureMetadata>(body, head.version);
    case RecordKind::kProcRead:
      return DecodeBody<ProcRead>(body, head.version);
    case RecordKind::kWatermark:
      return DecodeBody<Watermark>(body, head.version);
    case RecordKind::kInvalidation:
      return DecodeBody<Invalidation>(body, head.version);
    case RecordKind::kRejectedDatagram:
      return DecodeBody<RejectedDatagram>(body, head.version);
    case RecordKind::kNoProcRequest:
      return DecodeBody<NoProcRequest>(body, head.version);
  }
  const bool skipped = head.version >= kVersion2 && head.type >= wire::kFirstDataType;
  return skipped ? PacketContent(UnknownRecord{head.type, body.size()}) : InvalidRecord{};
}

// Takes a copy, since the description of a record serves reading and writing.
template <typename Record>
EncodedPacket EncodeRecord(RecordKind kind, Record record, RecordBuffer& buffer) {
  FieldWriter body{std::span(buffer).subspan(kRecordHeadBytes)};
  Fields(body, record);
  const std::size_t size = kRecordHeadBytes + body.size();
  Head head{.length = static_cast<std::uint32_t>(size), .type = static_cast<std::uint16_t>(kind)};
  FieldWriter head_writer(buffer);
  Fields(head_writer, head);
  return {.family = kRecordFamily, .payload = std::span(buffer).first(size)};
}

struct InputEncoder {
  RecordBuffer& buffer;

  EncodedPacket operator()(const ConnectorDatagram& datagram) const { return {kConnectorFamily, datagram.bytes}; }
  EncodedPacket operator()(const ProcRead& read) const { return EncodeRecord(RecordKind::kProcRead, read, buffer); }
  EncodedPacket operator()(const Watermark& watermark) const {
    return EncodeRecord(RecordKind::kWatermark, watermark, buffer);
  }
  EncodedPacket operator()(const Invalidation& invalidation) const {
    return EncodeRecord(RecordKind::kInvalidation, invalidation, buffer);
  }
  EncodedPacket operator()(const RejectedDatagram& rejection) const {
    return EncodeRecord(RecordKind::kRejectedDatagram, rejection, buffer);
  }
  EncodedPacket operator()(const NoProcRequest& no_request) const {
    return EncodeRecord(RecordKind::kNoProcRequest, no_request, buffer);
  }
};

// PACKET_USER (kernel to user space) and ARPHRD_NETLINK, in network byte order, as is the family.
constexpr std::array<std::byte, kCookedHeaderBytes> kCooked{std::byte{0}, std::byte{6}, std::byte{0x03},
                                                            std::byte{0x38}};

}  // namespace

EncodedPacket EncodePacket(const CaptureMetadata& metadata, RecordBuffer& buffer) {
  return EncodeRecord(RecordKind::kMetadata, metadata, buffer);
}

EncodedPacket EncodePacket(const Input& input, RecordBuffer& buffer) { return std::visit(InputEncoder{buffer}, input); }

std::array<std::byte, kCookedHeaderBytes> MakeCookedHeader(std::uint16_t family) {
  constexpr unsigned kBitsPerByte = 8;
  auto header = kCooked;
  header[kCookedHeaderBytes - 2] = static_cast<std::byte>(family >> kBitsPerByte);
  header[kCookedHeaderBytes - 1] = static_cast<std::byte>(family);
  return header;
}

std::optional<CookedHeader> ReadCookedHeader(std::span<const std::byte> packet) {
  constexpr unsigned kBitsPerByte = 8;
  constexpr std::byte kToKernel{7};  // PACKET_KERNEL
  if (packet.size() < kCookedHeaderBytes || packet[2] != kCooked[2] || packet[3] != kCooked[3]) {
    return std::nullopt;
  }
  const auto high = std::to_integer<unsigned>(packet[kCookedHeaderBytes - 2]);
  const auto low = std::to_integer<unsigned>(packet[kCookedHeaderBytes - 1]);
  return CookedHeader{.family = static_cast<std::uint16_t>(high << kBitsPerByte | low),
                      .to_kernel = packet[1] == kToKernel};
}

PacketContent DecodePacket(const CookedHeader& header, std::span<const std::byte> payload) {
  if (header.family == kConnectorFamily && !header.to_kernel) {
    return ConnectorDatagram{payload};
  }
  if (header.family != kRecordFamily || !BeginsWithMagic(payload)) {
    return ForeignPacket{};
  }
  Head head;
  return ReadHead(payload, head) ? DecodeRecord(head, payload) : InvalidRecord{};
}

}  // namespace procevent
