#include "exporter/ipv4.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <system_error>

namespace procevent {
namespace {

constexpr std::size_t kBytes = 4;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<std::uint32_t> ParseDecimal(std::string_view text, std::uint32_t most) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const bool plain = !text.empty() && std::ranges::all_of(text, IsDigit) && (text.size() == 1 || text.front() != '0');
  if (!plain) {
    return std::nullopt;
  }
  const auto [stopped, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc{} || stopped != end || number > most) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::uint32_t> ParseIpv4(std::string_view text) {
  constexpr std::uint32_t kMostInByte = 255;
  std::uint32_t address = 0;
  for (std::size_t i = 0; i < kBytes; ++i) {
    const std::size_t dot = text.find('.');
    const bool last = i + 1 == kBytes;
    if ((dot == std::string_view::npos) != last) {
      return std::nullopt;
    }
    const auto byte = ParseDecimal(text.substr(0, dot), kMostInByte);
    if (!byte) {
      return std::nullopt;
    }
    address = address << 8U | *byte;
    text.remove_prefix(last ? text.size() : dot + 1);
  }
  return address;
}

std::string Ipv4Text(std::uint32_t address) {
  constexpr std::uint32_t kByteMask = 0xFF;
  constexpr std::array<unsigned, kBytes> kShifts{24, 16, 8, 0};
  std::string text;
  for (const unsigned shift : kShifts) {
    text += (text.empty() ? "" : ".") + std::to_string(address >> shift & kByteMask);
  }
  return text;
}

}  // namespace procevent
