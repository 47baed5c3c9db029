#include "config/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <system_error>

namespace procevent {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kCountUnits{Unit{"", 1}};
constexpr std::array kSizeUnits{Unit{"", 1}, Unit{"KiB", 1ULL << 10U}, Unit{"MiB", 1ULL << 20U},
                                Unit{"GiB", 1ULL << 30U}};
constexpr std::array kDurationUnits{Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000}, Unit{"h", 3'600'000}};

// Both kinds of quantity stay within a signed 64-bit count.
constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();

std::optional<std::uint64_t> Parse(std::string_view text, std::span<const Unit> units) {
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = static_cast<std::size_t>(rest - text.data());
  if (error != std::errc{} || (digits > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  const auto unit = std::ranges::find(units, text.substr(digits), &Unit::name);
  if (unit == units.end() || number > kLargest / unit->factor) {
    return std::nullopt;
  }
  return number * unit->factor;
}

// The units rise.
std::string Text(std::uint64_t number, std::span<const Unit> units) {
  Unit largest = units.front();
  for (const Unit& unit : units) {
    largest = number != 0 && number % unit.factor == 0 ? unit : largest;
  }
  return std::to_string(number / largest.factor) + std::string(largest.name);
}

}  // namespace

std::optional<std::uint64_t> ParseCount(std::string_view text) { return Parse(text, kCountUnits); }

std::optional<std::uint64_t> ParseSize(std::string_view text) { return Parse(text, kSizeUnits); }

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  const std::optional<std::uint64_t> count = Parse(text, kDurationUnits);
  if (!count) {
    return std::nullopt;
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(*count));
}

std::string SizeText(std::uint64_t bytes) { return Text(bytes, kSizeUnits); }

std::string DurationText(std::chrono::milliseconds duration) {
  return Text(static_cast<std::uint64_t>(duration.count()), kDurationUnits);
}

}  // namespace procevent
