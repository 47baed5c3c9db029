#include "config/schema/option_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/yaml/config_error.h"
#include "config/yaml/yaml_node.h"
#include "core/ledger/group_name.h"
#include "exporter/http/address.h"

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

namespace {

using std::chrono::milliseconds;

constexpr std::chrono::hours kLongest(720);
constexpr std::size_t kMostReasonBytes = 200;

ParseResult Taken() { return {true, {}}; }
ParseResult Refused() { return {false, {}}; }

template <typename Quantity>
std::optional<Quantity> Within(const std::optional<Quantity>& read, std::type_identity_t<Quantity> least,
                               std::type_identity_t<Quantity> most) {
  return read && *read >= least && *read <= most ? read : std::nullopt;
}

template <typename Read, typename Value>
ParseResult Take(const std::optional<Read>& read, Value& value) {
  if (!read) {
    return Refused();
  }
  value = static_cast<Value>(*read);
  return Taken();
}

template <typename Bound>
ParseResult TakeBound(const std::optional<Bound>& bound, std::vector<Bound>& bounds) {
  if (!bound) {
    return Refused();
  }
  if (!bounds.empty() && *bound <= bounds.back()) {
    return {false, "each is above the one before"};
  }
  bounds.push_back(*bound);
  return Taken();
}

template <typename Names, typename Value>
ParseResult TakeName(std::string_view text, const Names& names, Value& value) {
  const auto name = std::ranges::find(names, text);
  if (name == names.end()) {
    return Refused();
  }
  value = static_cast<Value>(name - names.begin());
  return Taken();
}

}  // namespace

ParseResult ParseListenAddressItem(std::string_view text, Config& config) {
  const Result<ListenAddress> address = ParseListenAddress(text);
  if (!address) {
    return {false, std::string(address.error().remedy)};
  }
  for (const std::string& other : config.server.listen_addresses) {
    if (const auto parsed = ParseListenAddress(other); parsed && Overlap(parsed.value(), address.value())) {
      return {false, "another of the list covers this one already"};
    }
  }
  config.server.listen_addresses.emplace_back(text);
  return Taken();
}

ParseResult ParseTelemetryPath(std::string_view text, Config& config) {
  if (const Status status = CheckTelemetryPath(text); !status) {
    return {false, std::string(status.error().remedy)};
  }
  config.server.telemetry_path = text;
  return Taken();
}

ParseResult ParseAllowAll(std::string_view text, Config& config) {
  config.server.allow.clear();
  return text == "all" ? Taken() : Refused();
}

ParseResult ParseAllowedItem(std::string_view text, Config& config) {
  const Result<AllowedNetwork> network = ParseAllowedNetwork(text);
  if (!network) {
    return {false, std::string(network.error().remedy)};
  }
  for (const std::string& other : config.server.allow) {
    if (const auto parsed = ParseAllowedNetwork(other); parsed && parsed.value() == network.value()) {
      return {false, "the list names it already"};
    }
  }
  config.server.allow.emplace_back(text);
  return Taken();
}

ParseResult ParseMaxRequests(std::string_view text, Config& config) {
  return Take(Within(ParseCount(text), 1, 64), config.server.max_requests);
}

ParseResult ParseReceiveBuffer(std::string_view text, Config& config) {
  return Take(Within(ParseSize(text), 64U << 10U, 1U << 30U), config.connector.receive_buffer_bytes);
}

ParseResult ParseAllEvents(std::string_view text, Config& config) {
  config.connector.events = EventMask::All();
  return text == "all" ? Taken() : Refused();
}

ParseResult ParseEventItem(std::string_view text, Config& config) {
  const auto name = std::ranges::find(kEventNames, text);
  const auto kind = static_cast<EventKind>(name - kEventNames.begin());
  EventMask& events = config.connector.events;
  if (name == kEventNames.end() || EventMask::None().With(kind) == EventMask::None()) {
    return Refused();
  }
  if (events.Has(kind)) {
    return {false, "the list names it already"};
  }
  events = events.With(kind);
  return Taken();
}

ParseResult ParseReplay(std::string_view text, Config& config) {
  config.replay.file = text == "none" ? "" : text;
  return text.empty() ? Refused() : Taken();
}

ParseResult ParseReplaySpeed(std::string_view text, Config& config) {
  config.replay.speed = 0;
  return text == "max" ? Taken() : Take(Within(ParseCount(text), 1, 1000), config.replay.speed);
}

ParseResult ParseDrainInterval(std::string_view text, Config& config) {
  return Take(Within(ParseDuration(text), milliseconds(1), std::chrono::seconds(1)), config.reader.drain_interval);
}

ParseResult ParseCanaryInterval(std::string_view text, Config& config) {
  return Take(Within(ParseDuration(text), std::chrono::seconds(1), std::chrono::minutes(1)),
              config.reader.canary_interval);
}

ParseResult ParseProcessLimit(std::string_view text, Config& config) {
  return Take(Within(ParseCount(text), 1024, 4'194'304), config.ledger.process_limit);
}

ParseResult ParseCommLimit(std::string_view text, Config& config) {
  return Take(Within(ParseCount(text), 10, 10'000), config.ledger.comm_limit);
}

ParseResult ParseRetireAfter(std::string_view text, Config& config) {
  return Take(Within(ParseDuration(text), std::chrono::minutes(1), kLongest), config.ledger.comm_retire_after);
}

ParseResult ParseNameGroupItem(std::span<const std::string> match_and_name, Config& config) {
  NameGroup group{.match = match_and_name[0], .name = match_and_name[1]};
  if (const auto fault = ValidateNameGroup(group)) {
    const std::size_t own = std::min(fault->find(": "), fault->size() - 2) + 2;  // behind it are RE2's words
    return {false,
            fault->substr(0, own) + (own == fault->size() ? "" : QuotePrintable(fault->substr(own), kMostReasonBytes))};
  }
  config.ledger.name_groups.push_back(std::move(group));
  return Taken();
}

ParseResult ParseExitCodeBucketItem(std::string_view text, Config& config) {
  return TakeBound(Within(ParseCount(text), 0, 255), config.ledger.exit_code_bounds);
}

ParseResult ParseLifetimeBucketItem(std::string_view text, Config& config) {
  return TakeBound(Within(ParseDuration(text), milliseconds(1), kLongest), config.ledger.lifetime_bounds);
}

ParseResult ParseBool(std::string_view text, bool& value) {
  value = text == "true";
  return value || text == "false" ? Taken() : Refused();
}

ParseResult ParseLogLevel(std::string_view text, Config& config) {
  return TakeName(text, kLogLevelNames, config.log.level);
}

ParseResult ParseLogFormat(std::string_view text, Config& config) {
  return TakeName(text, kLogFormatNames, config.log.format);
}

namespace {

template <typename Items, typename Show>
std::string List(const Items& items, Show show) {
  std::string text;
  for (const auto& item : items) {
    text += (text.empty() ? "" : ", ") + show(item);
  }
  return '[' + text + ']';
}

}  // namespace

std::string FormatBool(bool value) { return value ? "true" : "false"; }

std::string FormatText(std::string_view text) { return YamlText(text); }

std::string FormatTexts(std::span<const std::string> texts) { return List(texts, YamlText); }

std::string FormatNetworks(std::span<const std::string> networks) {
  return networks.empty() ? "all" : FormatTexts(networks);
}

std::string FormatEventMask(EventMask events) {
  if (events == EventMask::All()) {
    return "all";
  }
  std::vector<std::string> names;
  for (std::size_t kind = 0; kind < kEventKinds; ++kind) {
    if (events.Has(static_cast<EventKind>(kind))) {
      names.emplace_back(kEventNames.at(kind));
    }
  }
  return List(names, [](const std::string& name) { return name; });
}

std::string FormatCounts(std::span<const std::uint64_t> counts) {
  return List(counts, [](std::uint64_t count) { return std::to_string(count); });
}

std::string FormatDurations(std::span<const std::chrono::milliseconds> durations) {
  return List(durations, DurationText);
}

std::string FormatNameGroups(std::span<const NameGroup> groups) {
  return List(groups, [](const NameGroup& group) {
    return "{match: " + YamlQuoted(group.match) + ", name: " + YamlQuoted(group.name) + '}';
  });
}

}  // namespace procevent
