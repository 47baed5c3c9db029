#include "core/protocol/capture_record.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "core/protocol/wire.h"

namespace procevent {
namespace {

using View = std::span<const std::byte>;

// Followed by the record version. Records of an unknown version are rejected.
constexpr std::array<char, 7> kMagic{'p', 'r', 'o', 'c', 'e', 'v', 't'};
constexpr std::uint8_t kVersion = 1;

// Netlink type of each record, starting at the first type that netlink does not reserve.
template <typename Record>
constexpr std::uint16_t TypeOf() {
  return static_cast<std::uint16_t>(wire::kFirstDataType + CaptureRecord(Record{}).index());
}

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
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::span<std::byte> buffer_;
  std::size_t size_ = 0;
};

// Reads the fields that FieldWriter wrote.
class FieldReader {
 public:
  explicit FieldReader(View bytes) : rest_(bytes) {}

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
  // All fields were present and no bytes are left.
  [[nodiscard]] bool Exact() const { return complete_ && rest_.empty(); }
  // All fields were present.
  [[nodiscard]] bool complete() const { return complete_; }

 private:
  View rest_;
  bool complete_ = true;
};

struct Head {
  std::uint32_t length = 0;
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t port = 0;
  std::array<char, 7> magic = kMagic;
  std::uint8_t version = kVersion;
};
constexpr std::size_t kHeadBytes = wire::kNetlinkHeader + kMagic.size() + sizeof(kVersion);

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

std::uint8_t FlagsOf(const CapturedProcSnapshot& record) {
  const ProcSnapshot& snapshot = record.snapshot;
  return static_cast<std::uint8_t>((snapshot.leader_gone ? kLeaderGone : 0) | (snapshot.dead ? kDead : 0) |
                                   (snapshot.may_be_in_exec ? kExecInProgress : 0) |
                                   (record.requested ? kRequested : 0) |
                                   (snapshot.without_memory ? kWithoutMemory : 0));
}

template <typename Archive>
void Fields(Archive& archive, CapturedProcSnapshot& record) {
  ProcSnapshot& snapshot = record.snapshot;
  std::array<char, kCommSize> name{};
  std::ranges::copy(snapshot.name.view(), name.begin());
  std::uint8_t flags = FlagsOf(record);
  archive.Field(record.kind);
  archive.Field(flags);
  archive.Field(snapshot.tgid);
  archive.Field(snapshot.threads);
  archive.Field(snapshot.taken_ns);
  archive.Field(snapshot.start_ns);
  archive.Field(snapshot.euid);
  archive.Field(snapshot.egid);
  archive.Field(name);
  snapshot.name = CommName(name);
  snapshot.leader_gone = (flags & kLeaderGone) != 0;
  snapshot.dead = (flags & kDead) != 0;
  snapshot.may_be_in_exec = (flags & kExecInProgress) != 0;
  snapshot.without_memory = (flags & kWithoutMemory) != 0;
  record.requested = (flags & kRequested) != 0;
}

template <typename Archive>
void Fields(Archive& archive, CapturedWatermark& watermark) {
  archive.Field(watermark.applied_until_ns);
}

template <typename Archive>
void Fields(Archive& /*archive*/, CapturedInvalidation& /*record*/) {}

template <typename Archive>
void Fields(Archive& /*archive*/, CapturedNoRequest& /*record*/) {}

template <typename Archive>
void Fields(Archive& archive, CapturedRejection& rejection) {
  archive.Field(rejection.reason);
}

bool IsValid(const CaptureMetadata& metadata) { return metadata.coverage <= EventCoverage::kPartial; }
// Rejects what /proc never shows: a process without threads is dead, and a dead process has no threads.
bool IsValid(const CapturedProcSnapshot& record) {
  using Kind = CapturedProcSnapshot::Kind;
  const ProcSnapshot& snapshot = record.snapshot;
  switch (record.kind) {
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
bool IsValid(const CapturedRejection& rejection) {
  return rejection.reason == CapturedRejection::Reason::kForeignSender ||
         rejection.reason == CapturedRejection::Reason::kOversized;
}
template <typename Record>
bool IsValid(const Record& /*record*/) {
  return true;
}

template <typename Record>
std::optional<CaptureRecord> DecodeBody(View body) {
  Record record;
  FieldReader reader(body);
  Fields(reader, record);
  return reader.Exact() && IsValid(record) ? std::optional<CaptureRecord>(record) : std::nullopt;
}

// PACKET_USER (kernel to user space) and ARPHRD_NETLINK, in network byte order, as is the family.
constexpr std::array<std::byte, kCookedHeaderBytes> kCooked{std::byte{0}, std::byte{6}, std::byte{0x03},
                                                            std::byte{0x38}};

}  // namespace

std::span<const std::byte> EncodeRecord(const CaptureRecord& record, RecordBuffer& buffer) {
  FieldWriter body{std::span(buffer).subspan(kHeadBytes)};
  std::visit([&](auto copy) { Fields(body, copy); }, record);
  const std::size_t size = kHeadBytes + body.size();
  Head head{.length = static_cast<std::uint32_t>(size),
            .type = static_cast<std::uint16_t>(wire::kFirstDataType + record.index())};
  FieldWriter head_writer(buffer);
  Fields(head_writer, head);
  return std::span(buffer).first(size);
}

bool IsRecord(std::span<const std::byte> payload) {
  Head head;
  FieldReader head_reader(payload.first(std::min(payload.size(), kHeadBytes)));
  Fields(head_reader, head);
  return head_reader.complete() && head.magic == kMagic;
}

std::optional<CaptureRecord> DecodeRecord(std::span<const std::byte> payload) {
  Head head;
  FieldReader head_reader(payload.first(std::min(payload.size(), kHeadBytes)));
  Fields(head_reader, head);
  if (!head_reader.complete() || head.length != payload.size() || head.magic != kMagic || head.version != kVersion) {
    return std::nullopt;
  }
  const View body = payload.subspan(kHeadBytes);
  switch (head.type) {
    case TypeOf<CaptureMetadata>():
      return DecodeBody<CaptureMetadata>(body);
    case TypeOf<CapturedProcSnapshot>():
      return DecodeBody<CapturedProcSnapshot>(body);
    case TypeOf<CapturedWatermark>():
      return DecodeBody<CapturedWatermark>(body);
    case TypeOf<CapturedInvalidation>():
      return DecodeBody<CapturedInvalidation>(body);
    case TypeOf<CapturedRejection>():
      return DecodeBody<CapturedRejection>(body);
    case TypeOf<CapturedNoRequest>():
      return DecodeBody<CapturedNoRequest>(body);
    default:
      return std::nullopt;
  }
}

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

}  // namespace procevent
