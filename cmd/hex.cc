#include "cmd/hex.h"

#include <cstddef>
#include <cstdint>

#include "core/base/ascii.h"

namespace procevent {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

std::string HexOf(std::span<const std::byte> bytes) {
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    hex += kDigits[std::to_integer<std::size_t>(byte >> 4)];
    hex += kDigits[std::to_integer<std::size_t>(byte & std::byte{0xF})];
  }
  return hex;
}

std::optional<Bytes> BytesOfHex(std::string_view digits) {
  Bytes bytes;
  bytes.reserve(digits.size() / 2);
  for (; digits.size() >= 2; digits.remove_prefix(2)) {
    const std::size_t high = kDigits.find(Small(digits[0]));
    const std::size_t low = kDigits.find(Small(digits[1]));
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<std::byte>(high << 4U | low));
  }
  return digits.empty() ? std::optional(std::move(bytes)) : std::nullopt;
}

}  // namespace procevent
