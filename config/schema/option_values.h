// FOLDED: quantity.h, take.h, show.h
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/schema/effective_config.h"
#include "core/ledger/ledger_options.h"
#include "core/protocol/event_mask.h"

namespace procevent {

// Sizes and durations as people write them: a whole number and a unit. Pure; used by the schema.

// "65536": a whole number, written without sign, space or leading zero.
std::optional<std::uint64_t> ParseCount(std::string_view text);

// "65536", "64KiB", "32MiB", "1GiB": bytes. No sign, fraction, space or leading zero; nothing that does not fit.
std::optional<std::uint64_t> ParseSize(std::string_view text);

// "10ms", "5s", "1m", "1h": the unit is not optional.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

// As they are read, with the largest unit that keeps them exact: "32MiB", "1m". A duration is not negative.
std::string SizeText(std::uint64_t bytes);
std::string DurationText(std::chrono::milliseconds duration);

// How the text of each key becomes an option, or why it does not. Pure; only the schema's table calls these.

// What became of one text.
struct ParseResult {
  bool taken = false;
  std::string reason;  // why not, where what is allowed does not say it
};

// Those in the singular take one item of a list, behind those before.
ParseResult ParseListenAddressItem(std::string_view text, Config& config);
ParseResult ParseTelemetryPath(std::string_view text, Config& config);
ParseResult ParseAllowAll(std::string_view text, Config& config);  // "all"
ParseResult ParseAllowedItem(std::string_view text, Config& config);
ParseResult ParseMaxRequests(std::string_view text, Config& config);

ParseResult ParseReceiveBuffer(std::string_view text, Config& config);
ParseResult ParseAllEvents(std::string_view text, Config& config);  // "all"
ParseResult ParseEventItem(std::string_view text, Config& config);
ParseResult ParseReplay(std::string_view text, Config& config);       // "none", or a path
ParseResult ParseReplaySpeed(std::string_view text, Config& config);  // "max", or a multiple
ParseResult ParseDrainInterval(std::string_view text, Config& config);
ParseResult ParseCanaryInterval(std::string_view text, Config& config);

ParseResult ParseProcessLimit(std::string_view text, Config& config);
ParseResult ParseCommLimit(std::string_view text, Config& config);
ParseResult ParseRetireAfter(std::string_view text, Config& config);
ParseResult ParseNameGroupItem(std::span<const std::string> match_and_name, Config& config);
ParseResult ParseExitCodeBucketItem(std::string_view text, Config& config);
ParseResult ParseLifetimeBucketItem(std::string_view text, Config& config);
ParseResult ParseBool(std::string_view text, bool& value);

ParseResult ParseLogLevel(std::string_view text, Config& config);
ParseResult ParseLogFormat(std::string_view text, Config& config);

// How options are written: YAML of one line, that the schema's table reads back as the same option. Pure; only that
// table calls these.

std::string FormatBool(bool value);
std::string FormatText(std::string_view text);
// The name of an enumerator, of those in its order.
template <typename Enumerator>
std::string FormatEnumerator(std::span<const std::string_view> names, Enumerator value) {
  return std::string(names[static_cast<std::size_t>(value)]);
}
std::string FormatTexts(std::span<const std::string> texts);                        // ["127.0.0.1:1", /m]
std::string FormatNetworks(std::span<const std::string> networks);                  // none is "all"
std::string FormatEventMask(EventMask events);                                      // all, or [fork, comm]
std::string FormatCounts(std::span<const std::uint64_t> counts);                    // [0, 255]
std::string FormatDurations(std::span<const std::chrono::milliseconds> durations);  // [1ms, 5s]
std::string FormatNameGroups(std::span<const NameGroup> groups);                    // [{match: "a.*", name: "a"}]

}  // namespace procevent
