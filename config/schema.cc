#include "config/schema.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/quantity.h"
#include "config/text.h"
#include "core/ledger/name_groups.h"
#include "exporter/listen_address.h"

namespace procevent {
namespace {

using std::chrono::milliseconds;

Verdict Taken() { return {true, {}}; }
Verdict Refused() { return {false, {}}; }

constexpr std::chrono::hours kLongest(720);
constexpr std::size_t kMostReasonBytes = 200;

Verdict TakeListenAddress(std::string_view text, Config& config) {
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

Verdict TakeTelemetryPath(std::string_view text, Config& config) {
  if (const Status status = CheckTelemetryPath(text); !status) {
    return {false, std::string(status.error().remedy)};
  }
  config.server.telemetry_path = text;
  return Taken();
}

Verdict TakeReceiveBuffer(std::string_view text, Config& config) {
  constexpr std::uint64_t kLeast = 64U << 10U;
  constexpr std::uint64_t kMost = 1U << 30U;
  const auto bytes = ParseSize(text);
  if (!bytes || *bytes < kLeast || *bytes > kMost) {
    return Refused();
  }
  config.connector.receive_buffer_bytes = static_cast<std::uint32_t>(*bytes);
  return Taken();
}

Verdict TakeAllEvents(std::string_view text, Config& config) {
  config.connector.events = EventMask::All();
  return text == "all" ? Taken() : Refused();
}

Verdict TakeEvent(std::string_view text, Config& config) {
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

// The canary is a COMM event.
void KeepComm(Config& config) { config.connector.events = config.connector.events.With(EventKind::kComm); }

std::optional<milliseconds> DurationWithin(std::string_view text, milliseconds least, milliseconds most) {
  const auto duration = ParseDuration(text);
  return duration && *duration >= least && *duration <= most ? duration : std::nullopt;
}

Verdict TakeDrainInterval(std::string_view text, Config& config) {
  const auto interval = DurationWithin(text, milliseconds(1), std::chrono::seconds(1));
  config.reader.drain_interval = interval.value_or(config.reader.drain_interval);
  return interval ? Taken() : Refused();
}

Verdict TakeCanaryInterval(std::string_view text, Config& config) {
  const auto interval = DurationWithin(text, std::chrono::seconds(1), std::chrono::minutes(1));
  config.reader.canary_interval = interval.value_or(config.reader.canary_interval);
  return interval ? Taken() : Refused();
}

std::optional<std::uint64_t> CountWithin(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto count = ParseCount(text);
  return count && *count >= least && *count <= most ? count : std::nullopt;
}

Verdict TakeProcessLimit(std::string_view text, Config& config) {
  const auto limit = CountWithin(text, 1024, 4'194'304);
  config.ledger.process_limit = limit.value_or(config.ledger.process_limit);
  return limit ? Taken() : Refused();
}

Verdict TakeCommLimit(std::string_view text, Config& config) {
  const auto limit = CountWithin(text, 10, 10'000);
  config.ledger.comm_limit = limit.value_or(config.ledger.comm_limit);
  return limit ? Taken() : Refused();
}

Verdict TakeRetireAfter(std::string_view text, Config& config) {
  const auto idle = DurationWithin(text, std::chrono::minutes(1), kLongest);
  config.ledger.comm_retire_after = idle.value_or(config.ledger.comm_retire_after);
  return idle ? Taken() : Refused();
}

Verdict TakeNameGroup(std::span<const std::string> texts, Config& config) {
  NameGroup group{.match = texts[0], .name = texts[1]};
  if (auto fault = FaultOf(group)) {
    return {false, Printable(*fault, kMostReasonBytes)};
  }
  config.ledger.name_groups.push_back(std::move(group));
  return Taken();
}

template <typename Bound>
Verdict TakeBound(const std::optional<Bound>& bound, std::vector<Bound>& bounds) {
  if (!bound) {
    return Refused();
  }
  if (!bounds.empty() && *bound <= bounds.back()) {
    return {false, "each is above the one before"};
  }
  bounds.push_back(*bound);
  return Taken();
}

Verdict TakeExitCodeBucket(std::string_view text, Config& config) {
  return TakeBound(CountWithin(text, 0, 255), config.ledger.exit_code_bounds);
}

Verdict TakeLifetimeBucket(std::string_view text, Config& config) {
  return TakeBound(DurationWithin(text, milliseconds(1), kLongest), config.ledger.lifetime_bounds);
}

Verdict TakeBool(std::string_view text, bool& value) {
  value = text == "true";
  return value || text == "false" ? Taken() : Refused();
}

Verdict TakeLogLevel(std::string_view text, Config& config) {
  const auto name = std::ranges::find(kLogLevelNames, text);
  if (name == kLogLevelNames.end()) {
    return Refused();
  }
  config.log.level = static_cast<LogLevel>(name - kLogLevelNames.begin());
  return Taken();
}

Verdict TakeLogFormat(std::string_view text, Config& config) {
  const auto name = std::ranges::find(kLogFormatNames, text);
  if (name == kLogFormatNames.end()) {
    return Refused();
  }
  config.log.format = static_cast<LogFormat>(name - kLogFormatNames.begin());
  return Taken();
}

constexpr std::size_t kMostAddresses = 16;
constexpr std::size_t kMostGroups = 100;
constexpr std::size_t kMostBuckets = 32;
constexpr std::array<std::string_view, 2> kGroupFields{"match", "name"};
constexpr std::size_t kNamedEvents = kEventKinds - 2;  // all but ack and unknown

constexpr std::array kSchema{
    ConfigKey{.path = "web.listen_addresses",
              .allowed = "a list of 1 to 16 addresses like 0.0.0.0:13675",
              .most_items = kMostAddresses,
              .allowed_item = "an address like 0.0.0.0:13675",
              .take_item = TakeListenAddress,
              .start = [](Config& config) { config.server.listen_addresses.clear(); }},
    ConfigKey{.path = "web.telemetry_path", .allowed = "a path like /metrics", .take = TakeTelemetryPath},
    ConfigKey{
        .path = "source.receive_buffer", .allowed = "a size from 64KiB to 1GiB, like 32MiB", .take = TakeReceiveBuffer},
    ConfigKey{.path = "source.events",
              .allowed = "all, or a list of event names, like [fork, exec, exit]",
              .take = TakeAllEvents,
              .most_items = kNamedEvents,
              .allowed_item = "one of fork, exec, exit, uid, gid, sid, ptrace, comm, coredump",
              .take_item = TakeEvent,
              .start = [](Config& config) { config.connector.events = EventMask::None(); },
              .finish = KeepComm},
    ConfigKey{
        .path = "reader.drain_interval", .allowed = "a duration from 1ms to 1s, like 10ms", .take = TakeDrainInterval},
    ConfigKey{
        .path = "reader.canary_interval", .allowed = "a duration from 1s to 60s, like 5s", .take = TakeCanaryInterval},
    ConfigKey{
        .path = "processes.limit", .allowed = "a number from 1024 to 4194304, like 65536", .take = TakeProcessLimit},
    ConfigKey{.path = "comms.limit", .allowed = "a number from 10 to 10000, like 500", .take = TakeCommLimit},
    ConfigKey{.path = "comms.retire_after", .allowed = "a duration from 1m to 720h, like 1h", .take = TakeRetireAfter},
    ConfigKey{.path = "name_groups",
              .allowed = "a list of at most 100 rules like {match: kworker/.*, name: kworker}",
              .most_items = kMostGroups,
              .may_be_empty = true,
              .allowed_item = "a rule like {match: kworker/.*, name: kworker}",
              .fields = kGroupFields,
              .take_fields = TakeNameGroup,
              .start = [](Config& config) { config.ledger.name_groups.clear(); }},
    ConfigKey{.path = "histograms.exit_code.buckets",
              .allowed = "a list of 1 to 32 rising numbers from 0 to 255",
              .most_items = kMostBuckets,
              .allowed_item = "a number from 0 to 255, like 127",
              .take_item = TakeExitCodeBucket,
              .start = [](Config& config) { config.ledger.exit_code_bounds.clear(); }},
    ConfigKey{
        .path = "histograms.exit_code.by_comm",
        .allowed = "true or false",
        .take = [](std::string_view text, Config& config) { return TakeBool(text, config.ledger.exit_code_by_comm); }},
    ConfigKey{.path = "histograms.lifetime.buckets",
              .allowed = "a list of 1 to 32 rising durations from 1ms to 720h",
              .most_items = kMostBuckets,
              .allowed_item = "a duration from 1ms to 720h, like 5s",
              .take_item = TakeLifetimeBucket,
              .start = [](Config& config) { config.ledger.lifetime_bounds.clear(); }},
    ConfigKey{
        .path = "histograms.lifetime.by_comm",
        .allowed = "true or false",
        .take = [](std::string_view text, Config& config) { return TakeBool(text, config.ledger.lifetime_by_comm); }},
    ConfigKey{.path = "log.level", .allowed = "debug, info, warning or error", .take = TakeLogLevel},
    ConfigKey{.path = "log.format", .allowed = "logfmt or json", .take = TakeLogFormat},
};

}  // namespace

std::span<const ConfigKey> Schema() { return kSchema; }

}  // namespace procevent
