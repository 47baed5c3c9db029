// Converts the text of each configuration key to its option, and options back to YAML. All functions are pure. Only
// the table of the schema calls the Parse... and Format... functions of single keys.
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

// "65536": a whole number without sign, space or leading zero.
std::optional<std::uint64_t> ParseCount(std::string_view text);

// "65536", "64KiB", "32MiB", "1GiB": bytes, at most 2^63 - 1. No sign, fraction, space or leading zero.
std::optional<std::uint64_t> ParseSize(std::string_view text);

// "10ms", "5s", "1m", "1h": the unit is mandatory.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

// The inverse functions. They use the largest unit that divides the value: "32MiB", "1m". A duration is not negative.
std::string FormatSize(std::uint64_t bytes);
std::string FormatDuration(std::chrono::milliseconds duration);

// The result of parsing the text of a key.
struct ParseResult {
  bool accepted = false;
  std::string reason;  // why not; empty where ConfigKey::expected explains it
};

// Functions named Parse...Item append one item to a list.
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
ParseResult CheckNameGroupsSize(Config& config);  // of all rules together
ParseResult ParseExitCodeBucketItem(std::string_view text, Config& config);
ParseResult ParseLifetimeBucketItem(std::string_view text, Config& config);
ParseResult ParseBool(std::string_view text, bool& value);

ParseResult ParseLogLevel(std::string_view text, Config& config);
ParseResult ParseLogFormat(std::string_view text, Config& config);

// Format an option as YAML of one line, which parses as the same option.
std::string FormatBool(bool value);
std::string FormatText(std::string_view text);
// `names` are the names of the enumerators, in their order.
template <typename Enumerator>
std::string FormatEnumerator(std::span<const std::string_view> names, Enumerator value) {
  return std::string(names[static_cast<std::size_t>(value)]);
}
std::string FormatTexts(std::span<const std::string> texts);                        // ["127.0.0.1:1", /m]
std::string FormatNetworks(std::span<const std::string> networks);                  // `all` for no network
std::string FormatEventMask(EventMask events);                                      // all, or [fork, comm]
std::string FormatCounts(std::span<const std::uint64_t> counts);                    // [0, 255]
std::string FormatDurations(std::span<const std::chrono::milliseconds> durations);  // [1ms, 5s]
std::string FormatNameGroups(std::span<const NameGroup> groups);                    // [{match: "a.*", name: "a"}]

}  // namespace procevent
