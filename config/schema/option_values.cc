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

#include "config/yaml/yaml_node.h"
#include "core/base/text.h"
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

// Sizes and durations fit into a signed 64-bit integer.
constexpr std::uint64_t kMaxQuantity = std::numeric_limits<std::int64_t>::max();

std::optional<std::uint64_t> ParseQuantity(std::string_view text, std::span<const Unit> units) {
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = static_cast<std::size_t>(rest - text.data());
  if (error != std::errc{} || (digits > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  const auto unit = std::ranges::find(units, text.substr(digits), &Unit::name);
  if (unit == units.end() || number > kMaxQuantity / unit->factor) {
    return std::nullopt;
  }
  return number * unit->factor;
}

// `units` are in ascending order.
std::string FormatQuantity(std::uint64_t number, std::span<const Unit> units) {
  Unit largest = units.front();
  for (const Unit& unit : units) {
    largest = number != 0 && number % unit.factor == 0 ? unit : largest;
  }
  return std::to_string(number / largest.factor) + std::string(largest.name);
}

using std::chrono::milliseconds;

constexpr std::chrono::hours kMaxDuration(720);
constexpr std::size_t kMaxReasonBytes = 200;

ParseResult Accepted() { return {true, {}}; }
ParseResult Rejected(std::string reason = {}) { return {false, std::move(reason)}; }

template <typename Quantity>
std::optional<Quantity> Within(const std::optional<Quantity>& quantity, std::type_identity_t<Quantity> min,
                               std::type_identity_t<Quantity> max) {
  return quantity && *quantity >= min && *quantity <= max ? quantity : std::nullopt;
}

template <typename Parsed, typename Value>
ParseResult Store(const std::optional<Parsed>& parsed, Value& value) {
  if (!parsed) {
    return Rejected();
  }
  value = static_cast<Value>(*parsed);
  return Accepted();
}

template <typename Bound>
ParseResult AppendBound(const std::optional<Bound>& bound, std::vector<Bound>& bounds) {
  if (!bound) {
    return Rejected();
  }
  if (!bounds.empty() && *bound <= bounds.back()) {
    return Rejected("each bound must exceed the previous one");
  }
  bounds.push_back(*bound);
  return Accepted();
}

template <typename Names, typename Value>
ParseResult StoreEnumerator(std::string_view text, const Names& names, Value& value) {
  const auto name = std::ranges::find(names, text);
  if (name == names.end()) {
    return Rejected();
  }
  value = static_cast<Value>(name - names.begin());
  return Accepted();
}

template <typename Items, typename Format>
std::string FormatList(const Items& items, Format format) {
  std::string text;
  for (const auto& item : items) {
    text += (text.empty() ? "" : ", ") + format(item);
  }
  return '[' + text + ']';
}

}  // namespace

std::optional<std::uint64_t> ParseCount(std::string_view text) { return ParseQuantity(text, kCountUnits); }

std::optional<std::uint64_t> ParseSize(std::string_view text) { return ParseQuantity(text, kSizeUnits); }

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  const std::optional<std::uint64_t> count = ParseQuantity(text, kDurationUnits);
  if (!count) {
    return std::nullopt;
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(*count));
}

std::string FormatSize(std::uint64_t bytes) { return FormatQuantity(bytes, kSizeUnits); }

std::string FormatDuration(std::chrono::milliseconds duration) {
  return FormatQuantity(static_cast<std::uint64_t>(duration.count()), kDurationUnits);
}

ParseResult ParseListenAddressItem(std::string_view text, Config& config) {
  const Result<ListenAddress> address = ParseListenAddress(text);
  if (!address) {
    return Rejected(DescribeCauseAndRemedy(address.error()));
  }
  for (const std::string& other : config.server.listen_addresses) {
    if (const auto parsed = ParseListenAddress(other); parsed && Overlap(parsed.value(), address.value())) {
      return Rejected("another address of the list covers it");
    }
  }
  config.server.listen_addresses.emplace_back(text);
  return Accepted();
}

ParseResult ParseTelemetryPath(std::string_view text, Config& config) {
  if (const Status status = CheckTelemetryPath(text); !status) {
    return Rejected(DescribeCauseAndRemedy(status.error()));
  }
  config.server.telemetry_path = text;
  return Accepted();
}

ParseResult ParseAllowAll(std::string_view text, Config& config) {
  config.server.allow.clear();
  return text == "all" ? Accepted() : Rejected();
}

ParseResult ParseAllowedItem(std::string_view text, Config& config) {
  const Result<AllowedNetwork> network = ParseAllowedNetwork(text);
  if (!network) {
    return Rejected(DescribeCauseAndRemedy(network.error()));
  }
  for (const std::string& other : config.server.allow) {
    if (const auto parsed = ParseAllowedNetwork(other); parsed && parsed.value() == network.value()) {
      return Rejected("it is in the list twice");
    }
  }
  config.server.allow.emplace_back(text);
  return Accepted();
}

ParseResult ParseMaxRequests(std::string_view text, Config& config) {
  return Store(Within(ParseCount(text), 1, 64), config.server.max_requests);
}

ParseResult ParseReceiveBuffer(std::string_view text, Config& config) {
  return Store(Within(ParseSize(text), 64U << 10U, 1U << 30U), config.connector.receive_buffer_bytes);
}

ParseResult ParseAllEvents(std::string_view text, Config& config) {
  config.connector.events = EventMask::All();
  return text == "all" ? Accepted() : Rejected();
}

ParseResult ParseEventItem(std::string_view text, Config& config) {
  const auto name = std::ranges::find(kEventNames, text);
  const auto kind = static_cast<EventKind>(name - kEventNames.begin());
  EventMask& events = config.connector.events;
  if (name == kEventNames.end() || EventMask::None().With(kind) == EventMask::None()) {
    return Rejected();
  }
  if (events.Has(kind)) {
    return Rejected("it is in the list twice");
  }
  events = events.With(kind);
  return Accepted();
}

ParseResult ParseReplay(std::string_view text, Config& config) {
  config.replay.file = text == "none" ? "" : text;
  return text.empty() ? Rejected() : Accepted();
}

ParseResult ParseReplaySpeed(std::string_view text, Config& config) {
  config.replay.speed = 0;
  return text == "max" ? Accepted() : Store(Within(ParseCount(text), 1, 1000), config.replay.speed);
}

ParseResult ParseDrainInterval(std::string_view text, Config& config) {
  return Store(Within(ParseDuration(text), milliseconds(1), std::chrono::seconds(1)), config.reader.drain_interval);
}

ParseResult ParseCanaryInterval(std::string_view text, Config& config) {
  return Store(Within(ParseDuration(text), std::chrono::seconds(1), std::chrono::minutes(1)),
               config.reader.canary_interval);
}

ParseResult ParseProcessLimit(std::string_view text, Config& config) {
  return Store(Within(ParseCount(text), 1024, 4'194'304), config.ledger.process_limit);
}

ParseResult ParseCommLimit(std::string_view text, Config& config) {
  return Store(Within(ParseCount(text), 10, 10'000), config.ledger.comm_limit);
}

ParseResult ParseRetireAfter(std::string_view text, Config& config) {
  return Store(Within(ParseDuration(text), std::chrono::minutes(1), kMaxDuration), config.ledger.comm_retire_after);
}

ParseResult ParseNameGroupItem(std::span<const std::string> match_and_name, Config& config) {
  NameGroup group{.match = match_and_name[0], .name = match_and_name[1]};
  if (const auto error = ValidateNameGroup(group)) {
    // RE2's own message follows the colon.
    const std::size_t split = std::min(error->find(": "), error->size() - 2) + 2;
    const bool has_message = split < error->size();
    return Rejected(error->substr(0, split) +
                    (has_message ? QuotePrintable(error->substr(split), kMaxReasonBytes) : ""));
  }
  config.ledger.name_groups.push_back(std::move(group));
  return Accepted();
}

ParseResult CheckNameGroupsSize(Config& config) {
  const auto error = ValidateNameGroupsSize(config.ledger.name_groups);
  return error ? Rejected(*error) : Accepted();
}

ParseResult ParseExitCodeBucketItem(std::string_view text, Config& config) {
  return AppendBound(Within(ParseCount(text), 0, 255), config.ledger.exit_code_bounds);
}

ParseResult ParseLifetimeBucketItem(std::string_view text, Config& config) {
  return AppendBound(Within(ParseDuration(text), milliseconds(1), kMaxDuration), config.ledger.lifetime_bounds);
}

ParseResult ParseBool(std::string_view text, bool& value) {
  value = text == "true";
  return value || text == "false" ? Accepted() : Rejected();
}

ParseResult ParseLogLevel(std::string_view text, Config& config) {
  return StoreEnumerator(text, kLogLevelNames, config.log.level);
}

ParseResult ParseLogFormat(std::string_view text, Config& config) {
  return StoreEnumerator(text, kLogFormatNames, config.log.format);
}

std::string FormatBool(bool value) { return value ? "true" : "false"; }

std::string FormatText(std::string_view text) { return YamlText(text); }

std::string FormatTexts(std::span<const std::string> texts) { return FormatList(texts, YamlText); }

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
  return FormatList(names, [](const std::string& name) { return name; });
}

std::string FormatCounts(std::span<const std::uint64_t> counts) {
  return FormatList(counts, [](std::uint64_t count) { return std::to_string(count); });
}

std::string FormatDurations(std::span<const std::chrono::milliseconds> durations) {
  return FormatList(durations, FormatDuration);
}

std::string FormatNameGroups(std::span<const NameGroup> groups) {
  return FormatList(groups, [](const NameGroup& group) {
    return "{match: " + YamlQuoted(group.match) + ", name: " + YamlQuoted(group.name) + '}';
  });
}

}  // namespace procevent
