#include "tests/core/protocol/reference_decoder.h"

#include <cstdint>
#include <map>

namespace procevent {
namespace {

// Decodes the message at `start_` of `bytes_`. Its header claims `end_`. `stop_` is `end_` or the end of the datagram.
class ReferenceMessage {
 public:
  ReferenceMessage(std::span<const std::byte> bytes, std::size_t start)
      : bytes_(bytes),
        start_(start),
        end_(start + Number(start, 4)),
        stop_(end_ < bytes.size() ? end_ : bytes.size()) {}

  Message Decode();
  [[nodiscard]] std::size_t end() const { return end_; }

 private:
  // Little-endian only, like every machine that runs these tests.
  [[nodiscard]] std::uint64_t Number(std::size_t at, std::size_t size) const {
    std::uint64_t number = 0;
    for (std::size_t i = size; i > 0; --i) {
      number = number * 256 + std::to_integer<std::uint64_t>(bytes_[at + i - 1]);
    }
    return number;
  }
  [[nodiscard]] std::uint32_t U32(std::size_t at) const { return static_cast<std::uint32_t>(Number(at, 4)); }
  [[nodiscard]] std::int32_t I32(std::size_t at) const { return static_cast<std::int32_t>(Number(at, 4)); }
  [[nodiscard]] Task TaskAt(std::size_t at) const { return {.pid = I32(at), .tgid = I32(at + 4)}; }

  DecodeOutcome OutcomeOfData();
  DecodeOutcome OutcomeOfError();
  [[nodiscard]] Event::Body BodyAt(std::size_t at, std::size_t size) const;

  std::span<const std::byte> bytes_;
  std::size_t start_;
  std::size_t end_;
  std::size_t stop_;
  Message message_;
};

Message ReferenceMessage::Decode() {
  if (end_ - start_ < 16) {
    message_.outcome = DecodeOutcome::kTruncatedNetlinkHeader;
    return message_;
  }
  const std::uint64_t type = Number(start_ + 4, 2);
  if (type >= 16 || (type == 3 && end_ - start_ > 16)) {
    message_.outcome = OutcomeOfData();
  } else if (type == 1 || type == 3) {
    message_.outcome = DecodeOutcome::kControl;
    message_.control = type == 1 ? Control::kNoop : Control::kDone;
  } else if (type == 2) {
    message_.outcome = OutcomeOfError();
  } else if (type == 4) {
    message_.outcome = DecodeOutcome::kOverrun;
  } else {
    message_.outcome = DecodeOutcome::kReservedType;
  }
  if (end_ > stop_ && message_.outcome < DecodeOutcome::kTruncatedNetlinkHeader) {
    message_.outcome = DecodeOutcome::kTruncatedEventBody;
  }
  return message_;
}

DecodeOutcome ReferenceMessage::OutcomeOfError() {
  if (stop_ < start_ + 20) {
    return DecodeOutcome::kTruncatedEventBody;
  }
  const std::int64_t error = I32(start_ + 16);
  if (error == 0) {
    return DecodeOutcome::kAcknowledgement;
  }
  const std::int64_t positive = error < 0 ? -error : error;
  message_.kernel_errno = static_cast<std::int32_t>(positive > INT32_MAX ? error : positive);
  return DecodeOutcome::kKernelError;
}

DecodeOutcome ReferenceMessage::OutcomeOfData() {
  static const std::map<std::uint32_t, std::size_t> body_sizes{
      {0x0, 4},    {0x1, 16},   {0x2, 8},         {0x4, 16},        {0x40, 16},      {0x80, 8},
      {0x100, 16}, {0x200, 24}, {0x20000000, 24}, {0x40000000, 16}, {0x80000000, 24}};
  if (stop_ < start_ + 36) {
    return DecodeOutcome::kTruncatedConnectorHeader;
  }
  if (U32(start_ + 16) != 1 || U32(start_ + 20) != 1) {
    return DecodeOutcome::kForeignConnector;
  }
  const std::size_t claimed_end = start_ + 36 + Number(start_ + 32, 2);
  const std::size_t available_end = claimed_end < stop_ ? claimed_end : stop_;
  if (available_end < start_ + 52) {
    return DecodeOutcome::kTruncatedEventHeader;
  }
  const std::uint32_t what = U32(start_ + 36);
  std::size_t body_size = claimed_end - (start_ + 52);
  if (const auto known = body_sizes.find(what); known != body_sizes.end()) {
    const bool exit_without_parent = (what == 0x80000000 || what == 0x20000000) && body_size == 16;
    body_size = exit_without_parent ? 16 : known->second;
  }
  if (available_end < start_ + 52 + body_size) {
    return DecodeOutcome::kTruncatedEventBody;
  }
  if (claimed_end > stop_) {
    return DecodeOutcome::kTruncatedEventBody;
  }
  for (std::size_t at = claimed_end; at < stop_; ++at) {
    if (bytes_[at] != std::byte{0}) {
      return DecodeOutcome::kWrongLength;
    }
  }
  message_.event = {.sequence = U32(start_ + 24),
                    .acknowledged = U32(start_ + 28),
                    .what = what,
                    .cpu = U32(start_ + 40),
                    .timestamp_ns = Number(start_ + 44, 8),
                    .body = BodyAt(start_ + 52, body_size)};
  return DecodeOutcome::kEvent;
}

Event::Body ReferenceMessage::BodyAt(std::size_t at, std::size_t size) const {
  switch (U32(start_ + 36)) {
    case 0x0:
      return AckBody{U32(at)};
    case 0x1:
      return ForkBody{TaskAt(at), TaskAt(at + 8)};
    case 0x2:
      return ExecBody{TaskAt(at)};
    case 0x4:
      return UidBody{TaskAt(at), U32(at + 8), U32(at + 12)};
    case 0x40:
      return GidBody{TaskAt(at), U32(at + 8), U32(at + 12)};
    case 0x80:
      return SidBody{TaskAt(at)};
    case 0x100:
      return PtraceBody{TaskAt(at), TaskAt(at + 8)};
    case 0x200: {
      CommBody body{.task = TaskAt(at)};
      for (std::size_t i = 0; i < 16; ++i) {
        body.comm[i] = std::to_integer<char>(bytes_[at + 8 + i]);
      }
      return body;
    }
    case 0x40000000:
      return CoredumpBody{TaskAt(at), TaskAt(at + 8)};
    case 0x20000000:
    case 0x80000000:
      return ExitBody{TaskAt(at), U32(at + 8), U32(at + 12), size == 24 ? TaskAt(at + 16) : Task{}};
    default:
      return UnknownBody{bytes_.subspan(at, size)};
  }
}

bool IsZeroFrom(std::span<const std::byte> bytes, std::size_t at) {
  while (at < bytes.size() && bytes[at] == std::byte{0}) {
    ++at;
  }
  return at >= bytes.size();
}

}  // namespace

std::vector<Message> ReferenceDecodeAll(std::span<const std::byte> datagram) {
  std::vector<Message> messages;
  std::size_t at = 0;
  while (at < datagram.size()) {
    if (datagram.size() < at + 16) {
      messages.emplace_back().outcome = DecodeOutcome::kTruncatedNetlinkHeader;
      break;
    }
    ReferenceMessage message(datagram, at);
    messages.push_back(message.Decode());
    const DecodeOutcome outcome = messages.back().outcome;
    at = message.end();
    while (at % 4 != 0) {
      ++at;
    }
    if (outcome >= DecodeOutcome::kTruncatedNetlinkHeader ||
        (outcome == DecodeOutcome::kEvent && IsZeroFrom(datagram, at))) {
      break;
    }
  }
  return messages;
}

}  // namespace procevent
