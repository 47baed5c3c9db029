// Test helpers for datagrams: hex conversion, decoding of all messages, sample events and random events.
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

// Converts pairs of hex digits. Ignores blanks. Throws std::invalid_argument on invalid input.
Bytes FromHex(std::string_view hex);
std::string ToHex(std::span<const std::byte> bytes);

Bytes Concatenate(const std::vector<Bytes>& parts);

// All messages of a datagram. Views in them point into `datagram`.
std::vector<Message> DecodeAll(std::span<const std::byte> datagram);
std::vector<DecodeOutcome> OutcomesOf(std::span<const std::byte> datagram);

// One event of each kind, with distinct field values. The unknown event has 24 bytes of payload.
struct NamedEvent {
  std::string_view name;
  Event event;
  std::size_t body_size;  // minimum body size of a complete event
};
const std::vector<NamedEvent>& OneOfEachKind();

// Generates events of random kind and content. Unknown events have 0 to 100 bytes of payload, a view into this object
// that is valid until the next event.
class RandomEvents {
 public:
  explicit RandomEvents(std::uint64_t seed) : random_(seed) {}

  Event Next();
  // A random number from 0 to `max`, inclusive.
  std::uint64_t UpTo(std::uint64_t max) { return std::uniform_int_distribution<std::uint64_t>(0, max)(random_); }

 private:
  std::uint32_t RandomNumber();
  Event::Body RandomBody(EventKind kind);

  std::mt19937_64 random_;
  Bytes payload_;
};

// Overwrites a field in host byte order, to forge headers.
void Overwrite16(Bytes& bytes, std::size_t offset, std::uint16_t value);
void Overwrite32(Bytes& bytes, std::size_t offset, std::uint32_t value);

}  // namespace procevent
