#include "config/schema/schema.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <type_traits>

#include "config/schema/effective_config.h"
#include "core/statistics/group_name.h"
#include "exporter/http/address.h"

namespace procevent {
namespace {

// Conversions between the members of Config and the form that all keys share.

template <typename T>
concept Number = std::is_integral_v<T> || std::is_enum_v<T>;

template <Number T>
OptionValue ToValue(T number) {
  return static_cast<std::uint64_t>(number);
}
OptionValue ToValue(std::chrono::milliseconds duration) { return static_cast<std::uint64_t>(duration.count()); }
OptionValue ToValue(const std::string& text) { return text; }
OptionValue ToValue(const std::vector<std::uint64_t>& numbers) { return numbers; }
OptionValue ToValue(const std::vector<std::string>& texts) { return texts; }
OptionValue ToValue(const std::vector<std::chrono::milliseconds>& durations) {
  std::vector<std::uint64_t> numbers(durations.size());
  std::ranges::transform(durations, numbers.begin(),
                         [](auto duration) { return static_cast<std::uint64_t>(duration.count()); });
  return numbers;
}
OptionValue ToValue(const std::vector<NameGroup>& groups) {
  std::vector<std::string> fields;
  for (const NameGroup& group : groups) {
    fields.insert(fields.end(), {group.match, group.name});
  }
  return fields;
}

template <Number T>
void FromValue(const OptionValue& value, T& number) {
  number = static_cast<T>(std::get<std::uint64_t>(value));
}
void FromValue(const OptionValue& value, std::chrono::milliseconds& duration) {
  duration = std::chrono::milliseconds(std::get<std::uint64_t>(value));
}
template <typename T>
requires(!Number<T>) void FromValue(const OptionValue& value, T& same) { same = std::get<T>(value); }
void FromValue(const OptionValue& value, std::vector<std::chrono::milliseconds>& durations) {
  durations.clear();
  for (const std::uint64_t number : std::get<std::vector<std::uint64_t>>(value)) {
    durations.emplace_back(number);
  }
}
void FromValue(const OptionValue& value, std::vector<NameGroup>& groups) {
  const auto& fields = std::get<std::vector<std::string>>(value);
  groups.clear();
  for (std::size_t i = 0; i < fields.size(); i += 2) {
    groups.push_back({.match = fields[i], .name = fields[i + 1]});
  }
}

// A list of events is a mask. An empty list is every event. All but the first and the last kind, ack and unknown, can
// be selected.
constexpr std::size_t kSelectableEvents = kEventKinds - 2;
OptionValue ToValue(EventMask events) {
  std::vector<std::uint64_t> kinds;
  for (std::size_t i = 0; i < kSelectableEvents && events != EventMask::All(); ++i) {
    if (events.Has(static_cast<EventKind>(i + 1))) {
      kinds.push_back(i);
    }
  }
  return kinds;
}
// The canary is a comm event: without it the reader cannot detect that it lost its subscription.
void FromValue(const OptionValue& value, EventMask& events) {
  const auto& kinds = std::get<std::vector<std::uint64_t>>(value);
  events = kinds.empty() ? EventMask::All() : EventMask::None().With(EventKind::kComm);
  for (const std::uint64_t kind : kinds) {
    events = events.With(static_cast<EventKind>(kind + 1));
  }
}

// The member `kMember` of the section `kSection` of Config.
template <auto kSection, auto kMember>
constexpr OptionField Member() {
  return {.get = [](const Config& config) { return ToValue((config.*kSection).*kMember); },
          .set = [](const OptionValue& value, Config& config) { FromValue(value, (config.*kSection).*kMember); }};
}

Status CheckListenAddress(std::string_view text, std::span<const std::string> earlier) {
  const Result<ListenAddress> address = ParseListenAddress(text);
  if (!address) {
    return address.error();
  }
  const bool covered = std::ranges::any_of(
      earlier, [&](const std::string& other) { return Overlap(ParseListenAddress(other).value(), address.value()); });
  return covered ? Error{"listen", "another address of the list covers it"} : Status(Success{});
}

Status CheckNetwork(std::string_view text, std::span<const std::string> earlier) {
  const Result<AllowedNetwork> network = ParseAllowedNetwork(text);
  if (!network) {
    return network.error();
  }
  const bool repeated = std::ranges::any_of(
      earlier, [&](const std::string& other) { return ParseAllowedNetwork(other).value() == network.value(); });
  return repeated ? Error{"allow", "it is in the list twice"} : Status(Success{});
}

Status CheckPath(std::string_view text, std::span<const std::string> /*earlier*/) { return CheckTelemetryPath(text); }

Status CheckFileName(std::string_view text, std::span<const std::string> /*earlier*/) {
  return text.empty() ? Status(Error()) : Success{};
}

Status CheckNameGroup(std::span<const std::string> fields) {
  return ValidateNameGroup({.match = fields[0], .name = fields[1]});
}

Status CheckNameGroupsSize(std::span<const std::string> fields) {
  std::vector<NameGroup> groups;
  FromValue(std::vector(fields.begin(), fields.end()), groups);
  return ValidateNameGroupsSize(groups);
}

constexpr std::uint64_t kSecond = 1000;  // in milliseconds
constexpr std::uint64_t kMinute = 60 * kSecond;
constexpr std::uint64_t kHour = 60 * kMinute;
constexpr std::uint64_t kMaxDuration = 720 * kHour;
constexpr std::array<std::string_view, 2> kGroupFields{"match", "name"};

constexpr std::array kSchema{
    Option{.key = "web.listen_addresses",
           .type = TextType{"ADDRESS:PORT", "an address like 0.0.0.0:13675", CheckListenAddress},
           .list = ListRule{.max_items = 16, .items = "addresses", .example = "[0.0.0.0:13675]"},
           .field = Member<&Config::server, &ServerOptions::listen_addresses>(),
           .help =
               "Addresses that serve the metrics: IPv4 or localhost, with a port. 0.0.0.0, or a port alone, is every "
               "address of the machine.",
           .other_flag = "web.listen-address"},
    Option{.key = "web.telemetry_path",
           .type = TextType{"PATH", "a plain path like /metrics, not /, /-/healthy or /-/ready", CheckPath},
           .field = Member<&Config::server, &ServerOptions::telemetry_path>(),
           .help = "Path of the metrics."},
    Option{.key = "web.allow",
           .type = TextType{"NETWORK", "an address or a network like 10.0.0.0/8", CheckNetwork},
           .list = ListRule{.max_items = 64, .items = "addresses or networks", .example = "[127.0.0.1, 10.0.0.0/8]"},
           .empty_word = "all",
           .field = Member<&Config::server, &ServerOptions::allow>(),
           .help = "Clients that may connect. In a network, the bits after the prefix length are 0.",
           .restricts_access = true},
    Option{.key = "web.max_requests",
           .type = QuantityType{&kCount, 1, 64},
           .field = Member<&Config::server, &ServerOptions::max_requests>(),
           .help = "Scrapes served at once; further ones get 503. The server has 64 threads."},
    Option{.key = "source.receive_buffer",
           .type = QuantityType{&kSize, 64U << 10U, 1U << 30U},
           .field = Member<&Config::connector, &ConnectorOptions::receive_buffer_bytes>(),
           .help = "Size of the receive buffer, where the kernel queues events until the exporter reads them. An event "
                   "takes about 832 bytes, and the kernel doubles the size: 32MiB hold 80 000 events."},
    Option{.key = "source.events",
           .type = WordType{std::span(kEventNames).subspan(1, kSelectableEvents)},
           .list = ListRule{.max_items = kSelectableEvents, .items = "event names", .example = "[fork, exec, exit]"},
           .empty_word = "all",
           .field = Member<&Config::connector, &ConnectorOptions::events>(),
           .help = "Events to subscribe to. comm is always included. Lost events are counted exactly, by the kernel's "
                   "sequence numbers, only with all."},
    Option{.key = "source.replay",
           .type = TextType{"FILE", "the path of a capture", CheckFileName},
           .empty_word = "none",
           .field = Member<&Config::replay, &ReplayOptions::file>(),
           .help = "Capture to replay instead of the kernel's events. `procevent_exporter record` writes one. A replay "
                   "needs no privilege, and ignores the keys above in this section."},
    Option{.key = "source.replay_speed",
           .type = QuantityType{&kCount, 1, 1000},
           .empty_word = "max",
           .field = Member<&Config::replay, &ReplayOptions::speed>(),
           .help = "Multiple of the recorded speed. max is as fast as possible."},
    Option{.key = "source.replay_loop",
           .type = WordType{kBoolNames},
           .field = Member<&Config::replay, &ReplayOptions::loop>(),
           .help = "Start again at the end of the capture."},
    Option{.key = "reader.drain_interval",
           .type = QuantityType{&kDuration, 1, kSecond},
           .field = Member<&Config::reader, &ReaderOptions::drain_interval>(),
           .help = "Time between two reads while events arrive. A longer interval costs less CPU, fills more of the "
                   "receive buffer, and leaves more short-lived programs without a name."},
    Option{.key = "reader.canary_interval",
           .type = QuantityType{&kDuration, kSecond, kMinute},
           .field = Member<&Config::reader, &ReaderOptions::canary_interval>(),
           .help = "Time between two canaries. A canary is an event that the exporter causes itself, to check that the "
                   "kernel still delivers events to it."},
    Option{.key = "processes.limit",
           .type = QuantityType{&kCount, 1024, 4'194'304},
           .field = Member<&Config::counting, &CountingOptions::process_limit>(),
           .help =
               "Size of the process table. If it is full, the exporter drops the oldest process and counts it. "
               "Memory: 128 bytes per process in the table, plus up to 36 bytes per process that the limit allows."},
    Option{.key = "groups.limit",
           .type = QuantityType{&kCount, 10, 10'000},
           .field = Member<&Config::counting, &CountingOptions::group_limit>(),
           .help = "Groups with their own series. Further groups share comm=\"[groups beyond the limit]\".",
           .former_key = "comms.limit",
           .reload = ReloadRule::kIncrease},
    Option{.key = "groups.retire_after",
           .type = QuantityType{&kDuration, kMinute, kMaxDuration},
           .field = Member<&Config::counting, &CountingOptions::group_retire_after>(),
           .help = "Time without an event after which a group loses its series. Its counts are added to "
                   "procevent_retired_total.",
           .former_key = "comms.retire_after"},
    Option{.key = "groups.first_scrapes",
           .type = QuantityType{&kCount, 1, 10},
           .field = Member<&Config::server, &ServerOptions::first_scrapes>(),
           .help =
               "Complete scrapes that show a new series of a group as 0 before its counts, because increase() ignores "
               "the first value of a series: 1 per Prometheus server that scrapes this exporter, so 2 for a pair. "
               "The counts are pending meanwhile, for at most 60 s."},
    Option{.key = "name_groups",
           .type = MapType{"RULE", "a rule like {match: kworker/.*, name: kworker}", kGroupFields, CheckNameGroup},
           .list = ListRule{.min_items = 0,
                            .max_items = 100,
                            .items = "rules",
                            .example = "[{match: kworker/.*, name: kworker}]",
                            .check = CheckNameGroupsSize},
           .field = Member<&Config::counting, &CountingOptions::name_groups>(),
           .help =
               "Commands that are counted under one name. The first rule with an RE2 expression that matches the "
               "whole name applies. Names are bytes: a dot matches any byte. `name` has 1 to 63 bytes. In it, \\0 is "
               "the whole name, and \\1 to \\9 are the capture groups of the expression. If the result is empty, the "
               "name is unchanged. All rules together take 16 MiB of memory at most. A list here replaces the "
               "default list, and an empty list ([]) disables the rules.",
           .reload = ReloadRule::kAny},
    Option{.key = "histograms.exit_code.buckets",
           .type = QuantityType{&kCount, 0, 255},
           .list = ListRule{.max_items = 32, .items = "numbers", .example = "[0, 1, 127]", .rising = true},
           .field = Member<&Config::counting, &CountingOptions::exit_code_bounds>(),
           .help = "Upper bounds of procevent_exit_code. Death by signal N counts as 128 + N."},
    Option{.key = "histograms.exit_code.by_group",
           .type = WordType{kBoolNames},
           .field = Member<&Config::counting, &CountingOptions::exit_code_by_group>(),
           .help = "One histogram for each group, instead of one for all.",
           .former_key = "histograms.exit_code.by_comm"},
    Option{.key = "histograms.lifetime.buckets",
           .type = QuantityType{&kDuration, 1, kMaxDuration},
           .list = ListRule{.max_items = 32, .items = "durations", .example = "[1ms, 1s, 1h]", .rising = true},
           .field = Member<&Config::counting, &CountingOptions::lifetime_bounds>(),
           .help = "Upper bounds of procevent_process_lifetime_seconds."},
    Option{.key = "histograms.lifetime.by_group",
           .type = WordType{kBoolNames},
           .field = Member<&Config::counting, &CountingOptions::lifetime_by_group>(),
           .help = "One histogram for each group, instead of one for all.",
           .former_key = "histograms.lifetime.by_comm"},
    Option{.key = "log.level",
           .type = WordType{kLogLevelNames, {"warn", "warning"}},
           .field = Member<&Config::log, &LogOptions::level>(),
           .help = "Lowest level that is logged. debug logs the same as info today.",
           .reload = ReloadRule::kAny},
    Option{.key = "log.format",
           .type = WordType{kLogFormatNames},
           .field = Member<&Config::log, &LogOptions::format>(),
           .help = "Format of the log lines."},
};

}  // namespace

std::span<const Option> Schema() { return kSchema; }

}  // namespace procevent
