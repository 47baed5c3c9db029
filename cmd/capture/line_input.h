// Reads lines in bounded memory, and converts bytes to hex digits and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/protocol/encoder.h"

namespace procevent {

// Two lower-case digits for each byte, without separators.
std::string EncodeHex(std::span<const std::byte> bytes);

// Accepts digits of either case. No value: an odd number of digits, or any other character.
std::optional<Bytes> DecodeHex(std::string_view digits);

// Splits the input of a file or pipe into lines as it arrives. Memory is bounded: longer lines are skipped.
class LineInput {
 public:
  // Enough for any datagram of the connector, which has a 16-bit length, in hex or in JSON.
  static constexpr std::size_t kMaxBytes = 256U << 10U;

  // Does not own the descriptor.
  explicit LineInput(int fd) : fd_(fd) {}

  // Returns the next line that has been read, without newline and surrounding blanks. The view is valid until the next
  // ReadMore. False: call ReadMore first.
  bool Next(std::string_view& line);
  [[nodiscard]] std::uint64_t number() const { return number_; }  // of the last line, from 1
  [[nodiscard]] bool too_long() const { return too_long_; }       // the last line exceeded kMaxBytes: ignore its text

  // Waits for input. Returns false at the end of the input or after a read error.
  bool ReadMore();
  // The errno of the failed read, or 0.
  [[nodiscard]] int read_errno() const { return read_errno_; }

 private:
  int fd_;
  std::string buffer_;  // Next has returned the lines before `next_`
  std::size_t next_ = 0;
  std::uint64_t number_ = 0;
  bool skipping_ = false;  // the start of a line that is too long has been dropped
  bool too_long_ = false;
  bool ended_ = false;
  int read_errno_ = 0;
};

}  // namespace procevent
