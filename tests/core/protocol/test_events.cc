#include "tests/core/protocol/test_events.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "core/protocol/wire.h"

namespace procevent {
namespace {

std::uint8_t Nibble(char digit) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::size_t value = kDigits.find(digit);
  if (value == std::string_view::npos) {
    throw std::invalid_argument("not a hex digit");
  }
  return static_cast<std::uint8_t>(value);
}

const Bytes& SamplePayload() {
  static const Bytes payload = FromHex("f0f1f2f3f4f5f6f7 e0e1e2e3e4e5e6e7 d0d1d2d3d4d5d6d7");
  return payload;
}

Event MakeSample(std::uint32_t what, Event::Body body) {
  return {.sequence = 0x01020304,
          .acknowledged = 0x0a0b0c0d,
          .what = what,
          .cpu = 3,
          .timestamp_ns = 0x1122334455667788,
          .body = body};
}

}  // namespace

Bytes FromHex(std::string_view hex) {
  Bytes bytes;
  std::string digits(hex);
  std::erase(digits, ' ');
  if (digits.size() % 2 != 0) {
    throw std::invalid_argument("odd number of hex digits");
  }
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(Nibble(digits[i]) * 16 + Nibble(digits[i + 1])));
  }
  return bytes;
}

std::string ToHex(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const std::byte byte : bytes) {
    hex += kDigits[std::to_integer<std::size_t>(byte) / 16];
    hex += kDigits[std::to_integer<std::size_t>(byte) % 16];
  }
  return hex;
}

Bytes Concatenate(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::vector<Message> DecodeAll(std::span<const std::byte> datagram) {
  std::vector<Message> messages;
  ForEachMessage(datagram, [&](Message& message) {
    messages.push_back(std::exchange(message, {}));
    if (messages.size() > datagram.size()) {
      throw std::logic_error("more messages than bytes");
    }
  });
  return messages;
}

std::vector<DecodeOutcome> OutcomesOf(std::span<const std::byte> datagram) {
  std::vector<DecodeOutcome> outcomes;
  for (const Message& message : DecodeAll(datagram)) {
    outcomes.push_back(message.outcome);
  }
  return outcomes;
}

const std::vector<NamedEvent>& OneOfEachKind() {
  static const std::vector<NamedEvent> events{
      {"ack", MakeSample(wire::kWhatAck, AckBody{.error = 22}), 4},
      {"fork", MakeSample(wire::kWhatFork, ForkBody{.parent = {101, 102}, .child = {103, 104}}), 16},
      {"exec", MakeSample(wire::kWhatExec, ExecBody{{201, 202}}), 8},
      {"exit", MakeSample(wire::kWhatExit, ExitBody{{301, 302}, 0x8b, 17, {303, 304}}), 24},
      {"nonzero exit", MakeSample(wire::kWhatNonzeroExit, ExitBody{{305, 306}, 0x100, 18, {307, 308}}), 24},
      {"uid", MakeSample(wire::kWhatUid, UidBody{{401, 402}, 403, 404}), 16},
      {"gid", MakeSample(wire::kWhatGid, GidBody{{501, 502}, 503, 504}), 16},
      {"sid", MakeSample(wire::kWhatSid, SidBody{{601, 602}}), 8},
      {"ptrace", MakeSample(wire::kWhatPtrace, PtraceBody{{701, 702}, {703, 704}}), 16},
      {"comm", MakeSample(wire::kWhatComm, CommBody{{801, 802}, {"a name"}}), 24},
      {"coredump", MakeSample(wire::kWhatCoredump, CoredumpBody{{901, 902}, {903, 904}}), 16},
      {"unknown", MakeSample(0x400, UnknownBody{SamplePayload()}), 24},
  };
  return events;
}

std::uint32_t RandomEvents::RandomNumber() { return static_cast<std::uint32_t>(UpTo(UINT32_MAX)); }

Event::Body RandomEvents::RandomBody(EventKind kind) {
  const auto fill = [this](std::span<std::byte> bytes) {
    std::ranges::generate(bytes, [this] { return static_cast<std::byte>(UpTo(255)); });
  };
  Event::Body body = MakeBody(kind);
  std::visit(
      [&](auto& typed) {
        if constexpr (std::is_same_v<decltype(typed), UnknownBody&>) {
          payload_.resize(UpTo(100));
          fill(payload_);
          typed.payload = payload_;
        } else {
          fill(std::as_writable_bytes(std::span(&typed, 1)));
        }
      },
      body);
  return body;
}

Event RandomEvents::Next() {
  using Types = std::span<const std::uint32_t>;
  static const auto types = WithEventBodies([]<typename... Bodies>() { return std::array{Types(Bodies::kTypes)...}; });
  const auto kind = static_cast<EventKind>(UpTo(kEventKinds - 1));
  const Types own = types.at(static_cast<std::size_t>(kind));
  std::uint32_t what = own.empty() ? RandomNumber() : own[UpTo(own.size() - 1)];
  const auto has_what = [&what](Types of_kind) { return std::ranges::count(of_kind, what) != 0; };
  while (own.empty() && std::ranges::any_of(types, has_what)) {
    what = RandomNumber();
  }
  return {.sequence = RandomNumber(),
          .acknowledged = RandomNumber(),
          .what = what,
          .cpu = RandomNumber(),
          .timestamp_ns = UpTo(UINT64_MAX),
          .body = RandomBody(kind)};
}

void Overwrite16(Bytes& bytes, std::size_t offset, std::uint16_t value) {
  std::memcpy(std::span(bytes).subspan(offset, sizeof(value)).data(), &value, sizeof(value));
}

void Overwrite32(Bytes& bytes, std::size_t offset, std::uint32_t value) {
  std::memcpy(std::span(bytes).subspan(offset, sizeof(value)).data(), &value, sizeof(value));
}

}  // namespace procevent
