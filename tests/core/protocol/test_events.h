// What the tests of the protocol and the ledger share: bytes from hex, everything a datagram says, random events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/decoder.h"
#include "core/protocol/encoder.h"
#include "core/protocol/event.h"

namespace procevent {

// Hex digits in pairs; blanks between them mean nothing.
Bytes FromHex(std::string_view hex);
std::string ToHex(std::span<const std::byte> bytes);

Bytes JoinWithCommas(const std::vector<Bytes>& parts);

// Everything a datagram says. Views in it point into `datagram`.
std::vector<Message> DecodeAll(std::span<const std::byte> datagram);
std::vector<DecodeOutcome> OutcomesOf(std::span<const std::byte> datagram);

// One event of each kind, all fields different; the unknown one has 24 bytes of payload.
struct NamedEvent {
  std::string_view name;
  Event event;
  std::size_t body_size;  // what a decoder must have of the body to take it for whole
};
const std::vector<NamedEvent>& OneOfEachKind();

// Events of any kind with any contents; unknown ones with 0 to 100 bytes. The payload of an unknown event is a view
// into this object, valid until the next event.
class RandomEvents {
 public:
  explicit RandomEvents(std::uint64_t seed) : random_(seed) {}

  Event Next();
  // 0 to `most`, both included.
  std::uint64_t UpTo(std::uint64_t most) { return std::uniform_int_distribution<std::uint64_t>(0, most)(random_); }

 private:
  std::uint32_t Number();
  Task AnyTask();
  Event::Body BodyOf(EventKind kind);

  std::mt19937_64 random_;
  Bytes payload_;
};

// For lies: writes a number over what is there, as the kernel would.
void Overwrite16(Bytes& bytes, std::size_t offset, std::uint16_t value);
void Overwrite32(Bytes& bytes, std::size_t offset, std::uint32_t value);

}  // namespace procevent
