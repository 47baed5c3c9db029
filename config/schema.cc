#include "config/schema.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "config/quantity.h"
#include "exporter/listen_address.h"

namespace procevent {
namespace {

using std::chrono::milliseconds;

constexpr Verdict kTaken{true, {}};
constexpr Verdict kRefused{false, {}};

Verdict TakeListenAddress(std::string_view text, Config& config) {
  const Result<ListenAddress> address = ParseListenAddress(text);
  if (!address) {
    return {false, address.error().remedy};
  }
  for (const std::string& other : config.server.listen_addresses) {
    if (const auto parsed = ParseListenAddress(other); parsed && Overlap(parsed.value(), address.value())) {
      return {false, "another of the list covers this one already"};
    }
  }
  config.server.listen_addresses.emplace_back(text);
  return kTaken;
}

Verdict TakeTelemetryPath(std::string_view text, Config& config) {
  if (const Status status = CheckTelemetryPath(text); !status) {
    return {false, status.error().remedy};
  }
  config.server.telemetry_path = text;
  return kTaken;
}

Verdict TakeReceiveBuffer(std::string_view text, Config& config) {
  constexpr std::uint64_t kLeast = 64U << 10U;
  constexpr std::uint64_t kMost = 1U << 30U;
  const auto bytes = ParseSize(text);
  if (!bytes || *bytes < kLeast || *bytes > kMost) {
    return kRefused;
  }
  config.connector.receive_buffer_bytes = static_cast<std::uint32_t>(*bytes);
  return kTaken;
}

Verdict TakeAllEvents(std::string_view text, Config& config) {
  config.connector.events = EventMask::All();
  return text == "all" ? kTaken : kRefused;
}

Verdict TakeEvent(std::string_view text, Config& config) {
  const auto name = std::ranges::find(kEventNames, text);
  const auto kind = static_cast<EventKind>(name - kEventNames.begin());
  EventMask& events = config.connector.events;
  if (name == kEventNames.end() || EventMask::None().With(kind) == EventMask::None()) {
    return kRefused;
  }
  if (events.Has(kind)) {
    return {false, "the list names it already"};
  }
  events = events.With(kind);
  return kTaken;
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
  return interval ? kTaken : kRefused;
}

Verdict TakeCanaryInterval(std::string_view text, Config& config) {
  const auto interval = DurationWithin(text, std::chrono::seconds(1), std::chrono::minutes(1));
  config.reader.canary_interval = interval.value_or(config.reader.canary_interval);
  return interval ? kTaken : kRefused;
}

Verdict TakeLogLevel(std::string_view text, Config& config) {
  const auto name = std::ranges::find(kLogLevelNames, text);
  if (name == kLogLevelNames.end()) {
    return kRefused;
  }
  config.log.level = static_cast<LogLevel>(name - kLogLevelNames.begin());
  return kTaken;
}

Verdict TakeLogFormat(std::string_view text, Config& config) {
  const auto name = std::ranges::find(kLogFormatNames, text);
  if (name == kLogFormatNames.end()) {
    return kRefused;
  }
  config.log.format = static_cast<LogFormat>(name - kLogFormatNames.begin());
  return kTaken;
}

constexpr std::size_t kMostAddresses = 16;
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
    ConfigKey{.path = "log.level", .allowed = "debug, info, warning or error", .take = TakeLogLevel},
    ConfigKey{.path = "log.format", .allowed = "logfmt or json", .take = TakeLogFormat},
};

}  // namespace

std::span<const ConfigKey> Schema() { return kSchema; }

}  // namespace procevent
