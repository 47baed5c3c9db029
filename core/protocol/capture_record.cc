#include "core/protocol/capture_record.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "core/protocol/wire.h"

namespace procevent {
namespace {

using View = std::span<const std::byte>;

// Behind it stands the version of the records; one that a reader does not know is none.
constexpr std::array<char, 7> kMagic{'p', 'r', 'o', 'c', 'e', 'v', 't'};
constexpr std::uint8_t kVersion = 1;

// The netlink type of each record, from the first one that is not the kernel's own on.
template <typename Record>
constexpr std::uint16_t TypeOf() {
  return static_cast<std::uint16_t>(wire::kFirstDataType + CaptureRecord(Record{}).index());
}

// Fields in the order of the calls below, without gaps, in the machine's own byte order. Writing and reading are one
// description of the record, so that they cannot differ.
class FieldWriter {
 public:
  explicit FieldWriter(std::span<std::byte> room) : room_(room) {}

  template <typename T>
  void Field(const T& value) {
    static_assert(std::has_unique_object_representations_v<T>);
    std::memcpy(room_.subspan(size_, sizeof(T)).data(), &value, sizeof(T));
    size_ += sizeof(T);
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::span<std::byte> room_;
  std::size_t size_ = 0;
};

class FieldReader {
 public:
  explicit FieldReader(View bytes) : rest_(bytes) {}

  template <typename T>
  void Field(T& value) {
    static_assert(std::has_unique_object_representations_v<T>);
    if (rest_.size() < sizeof(T)) {
      whole_ = false;
      return;
    }
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_ = rest_.subspan(sizeof(T));
  }
  // There was just as much as was asked for.
  [[nodiscard]] bool Exact() const { return whole_ && rest_.empty(); }
  [[nodiscard]] bool whole() const { return whole_; }

 private:
  View rest_;
  bool whole_ = true;
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
void Fields(Archive& archive, CaptureMetadata& opening) {
  archive.Field(opening.clock_offset_ns);
  archive.Field(opening.cpus);
  archive.Field(opening.coverage);
}

constexpr std::uint8_t kLeaderGone = 1;
constexpr std::uint8_t kDead = 2;
constexpr std::uint8_t kHeld = 4;
constexpr std::uint8_t kAsked = 8;

std::uint8_t FlagsOf(const CapturedProcSnapshot& sight) {
  const ProcSnapshot& sighting = sight.snapshot;
  return static_cast<std::uint8_t>((sighting.leader_gone ? kLeaderGone : 0) | (sighting.dead ? kDead : 0) |
                                   (sighting.exec_in_progress ? kHeld : 0) | (sight.requested ? kAsked : 0));
}

template <typename Archive>
void Fields(Archive& archive, CapturedProcSnapshot& sight) {
  ProcSnapshot& sighting = sight.snapshot;
  std::array<char, kCommSize> name{};
  std::ranges::copy(sighting.name.view(), name.begin());
  std::uint8_t flags = FlagsOf(sight);
  archive.Field(sight.kind);
  archive.Field(flags);
  archive.Field(sighting.tgid);
  archive.Field(sighting.threads);
  archive.Field(sighting.taken_ns);
  archive.Field(sighting.start_ns);
  archive.Field(sighting.euid);
  archive.Field(sighting.egid);
  archive.Field(name);
  sighting.name = CommName(name);
  sighting.leader_gone = (flags & kLeaderGone) != 0;
  sighting.dead = (flags & kDead) != 0;
  sighting.exec_in_progress = (flags & kHeld) != 0;
  sight.requested = (flags & kAsked) != 0;
}

template <typename Archive>
void Fields(Archive& archive, CapturedWatermark& settling) {
  archive.Field(settling.complete_until_ns);
}

template <typename Archive>
void Fields(Archive& /*archive*/, CapturedInvalidation& /*doubt*/) {}

template <typename Archive>
void Fields(Archive& /*archive*/, CapturedNoRequest& /*silence*/) {}

template <typename Archive>
void Fields(Archive& archive, CapturedRejection& rejection) {
  archive.Field(rejection.reason);
}

bool IsKnown(const CaptureMetadata& opening) { return opening.coverage <= EventCoverage::kPartial; }
// As /proc tells it: of a process that is seen, who has no threads is dead.
bool IsKnown(const CapturedProcSnapshot& sight) {
  using Kind = CapturedProcSnapshot::Kind;
  const ProcSnapshot& sighting = sight.snapshot;
  switch (sight.kind) {
    case Kind::kBootstrap:
    case Kind::kReconciliation:
    case Kind::kFull:
    case Kind::kNameOnly:
      return sighting.tgid > 0 && sighting.dead == (sighting.threads == 0);
    case Kind::kGone:
    case Kind::kHidden:
      return true;
  }
  return false;
}
bool IsKnown(const CapturedRejection& rejection) {
  return rejection.reason == CapturedRejection::Reason::kForeignSender ||
         rejection.reason == CapturedRejection::Reason::kOversized;
}
template <typename Record>
bool IsKnown(const Record& /*record*/) {
  return true;
}

template <typename Record>
std::optional<CaptureRecord> Decoded(View body) {
  Record record;
  FieldReader reader(body);
  Fields(reader, record);
  return reader.Exact() && IsKnown(record) ? std::optional<CaptureRecord>(record) : std::nullopt;
}

// ARPHRD_NETLINK, and PACKET_USER: what the kernel sends to a program. In network byte order, as is the family.
constexpr std::array<std::byte, kCookedHeaderBytes> kCooked{std::byte{0}, std::byte{6}, std::byte{0x03},
                                                            std::byte{0x38}};

}  // namespace

std::span<const std::byte> EncodeRecord(const CaptureRecord& record, RecordBuffer& buffer) {
  FieldWriter body{std::span(buffer).subspan(kHeadBytes)};
  std::visit([&](auto copy) { Fields(body, copy); }, record);
  const std::size_t size = kHeadBytes + body.size();
  Head head{.length = static_cast<std::uint32_t>(size),
            .type = static_cast<std::uint16_t>(wire::kFirstDataType + record.index())};
  FieldWriter front(buffer);
  Fields(front, head);
  return std::span(buffer).first(size);
}

bool IsRecord(std::span<const std::byte> payload) {
  Head head;
  FieldReader front(payload.first(std::min(payload.size(), kHeadBytes)));
  Fields(front, head);
  return front.whole() && head.magic == kMagic;
}

std::optional<CaptureRecord> DecodeRecord(std::span<const std::byte> payload) {
  Head head;
  FieldReader front(payload.first(std::min(payload.size(), kHeadBytes)));
  Fields(front, head);
  if (!front.whole() || head.length != payload.size() || head.magic != kMagic || head.version != kVersion) {
    return std::nullopt;
  }
  const View body = payload.subspan(kHeadBytes);
  switch (head.type) {
    case TypeOf<CaptureMetadata>():
      return Decoded<CaptureMetadata>(body);
    case TypeOf<CapturedProcSnapshot>():
      return Decoded<CapturedProcSnapshot>(body);
    case TypeOf<CapturedWatermark>():
      return Decoded<CapturedWatermark>(body);
    case TypeOf<CapturedInvalidation>():
      return Decoded<CapturedInvalidation>(body);
    case TypeOf<CapturedRejection>():
      return Decoded<CapturedRejection>(body);
    case TypeOf<CapturedNoRequest>():
      return Decoded<CapturedNoRequest>(body);
    default:
      return std::nullopt;
  }
}

std::array<std::byte, kCookedHeaderBytes> MakeCookedHeader(std::uint16_t family) {
  constexpr unsigned kByte = 8;
  auto header = kCooked;
  header[kCookedHeaderBytes - 2] = static_cast<std::byte>(family >> kByte);
  header[kCookedHeaderBytes - 1] = static_cast<std::byte>(family);
  return header;
}

std::optional<CookedHeader> ReadCookedHeader(std::span<const std::byte> packet) {
  constexpr unsigned kByte = 8;
  constexpr std::byte kToKernel{7};  // PACKET_KERNEL
  if (packet.size() < kCookedHeaderBytes || packet[2] != kCooked[2] || packet[3] != kCooked[3]) {
    return std::nullopt;
  }
  const auto high = std::to_integer<unsigned>(packet[kCookedHeaderBytes - 2]);
  const auto low = std::to_integer<unsigned>(packet[kCookedHeaderBytes - 1]);
  return CookedHeader{.family = static_cast<std::uint16_t>(high << kByte | low), .to_kernel = packet[1] == kToKernel};
}

}  // namespace procevent
