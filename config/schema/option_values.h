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
struct Verdict {
  bool taken = false;
  std::string reason;  // why not, where what is allowed does not say it
};

// Those in the singular take one item of a list, behind those before.
Verdict TakeListenAddress(std::string_view text, Config& config);
Verdict TakeTelemetryPath(std::string_view text, Config& config);
Verdict TakeEverybody(std::string_view text, Config& config);  // "all"
Verdict TakeAllowed(std::string_view text, Config& config);
Verdict TakeMaxRequests(std::string_view text, Config& config);

Verdict TakeReceiveBuffer(std::string_view text, Config& config);
Verdict TakeAllEvents(std::string_view text, Config& config);  // "all"
Verdict TakeEvent(std::string_view text, Config& config);
Verdict TakeReplay(std::string_view text, Config& config);       // "none", or a path
Verdict TakeReplaySpeed(std::string_view text, Config& config);  // "max", or a multiple
Verdict TakeDrainInterval(std::string_view text, Config& config);
Verdict TakeCanaryInterval(std::string_view text, Config& config);

Verdict TakeProcessLimit(std::string_view text, Config& config);
Verdict TakeCommLimit(std::string_view text, Config& config);
Verdict TakeRetireAfter(std::string_view text, Config& config);
Verdict TakeNameGroup(std::span<const std::string> match_and_name, Config& config);
Verdict TakeExitCodeBucket(std::string_view text, Config& config);
Verdict TakeLifetimeBucket(std::string_view text, Config& config);
Verdict TakeBool(std::string_view text, bool& value);

Verdict TakeLogLevel(std::string_view text, Config& config);
Verdict TakeLogFormat(std::string_view text, Config& config);

// How options are written: YAML of one line, that the schema's table reads back as the same option. Pure; only that
// table calls these.

std::string ShowBool(bool value);
std::string ShowText(std::string_view text);
// The name of an enumerator, of those in its order.
template <typename Enumerator>
std::string ShowName(std::span<const std::string_view> names, Enumerator value) {
  return std::string(names[static_cast<std::size_t>(value)]);
}
std::string ShowTexts(std::span<const std::string> texts);                        // ["127.0.0.1:1", /m]
std::string ShowNetworks(std::span<const std::string> networks);                  // none is "all"
std::string ShowEvents(EventMask events);                                         // all, or [fork, comm]
std::string ShowCounts(std::span<const std::uint64_t> counts);                    // [0, 255]
std::string ShowDurations(std::span<const std::chrono::milliseconds> durations);  // [1ms, 5s]
std::string ShowGroups(std::span<const NameGroup> groups);                        // [{match: "a.*", name: "a"}]

}  // namespace procevent
