// FOLDED: hex.h, line_input.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/protocol/encoder.h"

namespace procevent {

// Bytes as hex digits, and back. Pure; used by decode and encode.

// Two small digits a byte, nothing between them.
std::string EncodeHex(std::span<const std::byte> bytes);

// Nothing if it is an odd number of digits, or anything else stands among them. Capitals are digits too.
std::optional<Bytes> DecodeHex(std::string_view digits);

// The lines of a file or a pipe, as they come, in memory that does not grow. Used by decode and encode.

class LineInput {
 public:
  // Any datagram that the connector's 16 bits of length can tell of, in hex or in JSON.
  static constexpr std::size_t kMaxBytes = 256U << 10U;

  explicit LineInput(int fd) : fd_(fd) {}

  // The next line of what was read, without its end and the blanks around it; false: more is to be read first. Valid
  // until then.
  bool Next(std::string_view& line);
  [[nodiscard]] std::uint64_t number() const { return number_; }  // of that line, from 1
  [[nodiscard]] bool too_long() const { return too_long_; }       // it was longer than kMostBytes, and is not there

  // Waits for more; false: it has ended, or cannot be read.
  bool ReadMore();
  // Why it cannot: an errno; 0: it can.
  [[nodiscard]] int read_errno() const { return fault_; }

 private:
  int fd_;
  std::string text_;  // what was read; the lines before `next_` are taken
  std::size_t next_ = 0;
  std::uint64_t number_ = 0;
  bool skipping_ = false;  // the beginning of a line that is too long was thrown away
  bool too_long_ = false;
  bool ended_ = false;
  int fault_ = 0;
};

}  // namespace procevent
