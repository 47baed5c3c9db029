// Sizes and durations as people write them: a whole number and a unit. Pure; used by the schema.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace procevent {

// "65536": a whole number, written without sign, space or leading zero.
std::optional<std::uint64_t> ParseCount(std::string_view text);

// "65536", "64KiB", "32MiB", "1GiB": bytes. No sign, fraction, space or leading zero; nothing that does not fit.
std::optional<std::uint64_t> ParseSize(std::string_view text);

// "10ms", "5s", "1m", "1h": the unit is not optional.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

// As they are read, with the largest unit that keeps them exact: "32MiB", "1m". A duration is not negative.
std::string SizeText(std::uint64_t bytes);
std::string DurationText(std::chrono::milliseconds duration);

}  // namespace procevent
