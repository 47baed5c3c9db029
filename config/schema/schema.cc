#include "config/schema/schema.h"

#include <array>

#include "config/schema/option_values.h"

namespace procevent {
namespace {

constexpr std::size_t kMaxAddresses = 16;
constexpr std::size_t kMaxNetworks = 64;
constexpr std::size_t kMaxGroups = 100;
constexpr std::size_t kMaxBuckets = 32;
constexpr std::array<std::string_view, 2> kGroupFields{"match", "name"};
constexpr std::array<std::string_view, 2> kBoolNames{"true", "false"};
constexpr std::array<std::string_view, 1> kAllName{"all"};
constexpr std::array<std::string_view, 1> kMaxName{"max"};
constexpr std::size_t kSelectableEvents = kEventKinds - 2;  // all but ack and unknown, which are the first and the last

// The canary is a comm event: without it the reader cannot detect that it lost its subscription.
ParseResult AddCommEvent(Config& config) {
  config.connector.events = config.connector.events.With(EventKind::kComm);
  return {.accepted = true, .reason = {}};
}

constexpr std::array kSchema{
    ConfigKey{.path = "web.listen_addresses",
              .expected = "a list of 1 to 16 addresses like 0.0.0.0:13675",
              .max_items = kMaxAddresses,
              .expected_item = "an address like 0.0.0.0:13675",
              .parse_item = ParseListenAddressItem,
              .clear = [](Config& config) { config.server.listen_addresses.clear(); },
              .show = [](const Config& config) { return FormatTexts(config.server.listen_addresses); }},
    ConfigKey{.path = "web.telemetry_path",
              .expected = "a plain path like /metrics, not /, /-/healthy or /-/ready",
              .parse = ParseTelemetryPath,
              .show = [](const Config& config) { return FormatText(config.server.telemetry_path); }},
    ConfigKey{.path = "web.allow",
              .expected = "all, or a list of 1 to 64 addresses or networks like 10.0.0.0/8",
              .parse = ParseAllowAll,
              .names = kAllName,
              .max_items = kMaxNetworks,
              .expected_item = "an address or a network like 10.0.0.0/8",
              .parse_item = ParseAllowedItem,
              .clear = [](Config& config) { config.server.allow.clear(); },
              .show = [](const Config& config) { return FormatNetworks(config.server.allow); },
              .restricts_access = true},
    ConfigKey{.path = "web.max_requests",
              .expected = "a whole number from 1 to 64, without sign or leading zeros, like 40",
              .parse = ParseMaxRequests,
              .show = [](const Config& config) { return std::to_string(config.server.max_requests); }},
    ConfigKey{.path = "source.receive_buffer",
              .expected = "a size from 64KiB to 1GiB in bytes or with KiB, MiB or GiB, like 32MiB",
              .parse = ParseReceiveBuffer,
              .show = [](const Config& config) { return FormatSize(config.connector.receive_buffer_bytes); }},
    ConfigKey{.path = "source.events",
              .expected = "all, or a list of event names, like [fork, exec, exit]",
              .parse = ParseAllEvents,
              .names = kAllName,
              .max_items = kSelectableEvents,
              .expected_item = "one of fork, exec, exit, uid, gid, sid, ptrace, comm, coredump",
              .item_names = std::span(kEventNames).subspan(1, kSelectableEvents),
              .parse_item = ParseEventItem,
              .clear = [](Config& config) { config.connector.events = EventMask::None(); },
              .finish = AddCommEvent,
              .show = [](const Config& config) { return FormatEventMask(config.connector.events); }},
    ConfigKey{
        .path = "source.replay",
        .expected = "none, or the path of a capture",
        .parse = ParseReplay,
        .show =
            [](const Config& config) { return config.replay.file.empty() ? "none" : FormatText(config.replay.file); }},
    ConfigKey{.path = "source.replay_speed",
              .expected = "max, or a whole number from 1 to 1000, without sign or leading zeros, like 10",
              .parse = ParseReplaySpeed,
              .names = kMaxName,
              .show =
                  [](const Config& config) {
                    return config.replay.speed == 0 ? "max" : std::to_string(config.replay.speed);
                  }},
    ConfigKey{.path = "source.replay_loop",
              .expected = "true or false",
              .parse = [](std::string_view text, Config& config) { return ParseBool(text, config.replay.loop); },
              .names = kBoolNames,
              .show = [](const Config& config) { return FormatBool(config.replay.loop); }},
    ConfigKey{.path = "reader.drain_interval",
              .expected = "a duration from 1ms to 1s in whole ms, s, m or h, like 10ms",
              .parse = ParseDrainInterval,
              .show = [](const Config& config) { return FormatDuration(config.reader.drain_interval); }},
    ConfigKey{.path = "reader.canary_interval",
              .expected = "a duration from 1s to 60s in whole ms, s, m or h, like 5s",
              .parse = ParseCanaryInterval,
              .show = [](const Config& config) { return FormatDuration(config.reader.canary_interval); }},
    ConfigKey{.path = "processes.limit",
              .expected = "a whole number from 1024 to 4194304, without sign or leading zeros, like 65536",
              .parse = ParseProcessLimit,
              .show = [](const Config& config) { return std::to_string(config.ledger.process_limit); }},
    ConfigKey{.path = "comms.limit",
              .expected = "a whole number from 10 to 10000, without sign or leading zeros, like 500",
              .parse = ParseCommLimit,
              .show = [](const Config& config) { return std::to_string(config.ledger.comm_limit); }},
    ConfigKey{.path = "comms.retire_after",
              .expected = "a duration from 1m to 720h in whole ms, s, m or h, like 1h",
              .parse = ParseRetireAfter,
              .show = [](const Config& config) { return FormatDuration(config.ledger.comm_retire_after); }},
    ConfigKey{.path = "name_groups",
              .expected = "a list of at most 100 rules, like [{match: kworker/.*, name: kworker}]",
              .max_items = kMaxGroups,
              .may_be_empty = true,
              .expected_item = "a rule like {match: kworker/.*, name: kworker}",
              .fields = kGroupFields,
              .parse_fields = ParseNameGroupItem,
              .clear = [](Config& config) { config.ledger.name_groups.clear(); },
              .finish = CheckNameGroupsSize,
              .show = [](const Config& config) { return FormatNameGroups(config.ledger.name_groups); },
              .live = true},
    ConfigKey{.path = "histograms.exit_code.buckets",
              .expected = "a list of 1 to 32 rising numbers from 0 to 255, like [0, 1, 127]",
              .max_items = kMaxBuckets,
              .expected_item = "a whole number from 0 to 255, without sign or leading zeros, like 127",
              .parse_item = ParseExitCodeBucketItem,
              .clear = [](Config& config) { config.ledger.exit_code_bounds.clear(); },
              .show = [](const Config& config) { return FormatCounts(config.ledger.exit_code_bounds); }},
    ConfigKey{
        .path = "histograms.exit_code.by_comm",
        .expected = "true or false",
        .parse = [](std::string_view text, Config& config) { return ParseBool(text, config.ledger.exit_code_by_comm); },
        .names = kBoolNames,
        .show = [](const Config& config) { return FormatBool(config.ledger.exit_code_by_comm); }},
    ConfigKey{.path = "histograms.lifetime.buckets",
              .expected = "a list of 1 to 32 rising durations from 1ms to 720h, like [1ms, 1s, 1h]",
              .max_items = kMaxBuckets,
              .expected_item = "a duration from 1ms to 720h in whole ms, s, m or h, like 5s",
              .parse_item = ParseLifetimeBucketItem,
              .clear = [](Config& config) { config.ledger.lifetime_bounds.clear(); },
              .show = [](const Config& config) { return FormatDurations(config.ledger.lifetime_bounds); }},
    ConfigKey{
        .path = "histograms.lifetime.by_comm",
        .expected = "true or false",
        .parse = [](std::string_view text, Config& config) { return ParseBool(text, config.ledger.lifetime_by_comm); },
        .names = kBoolNames,
        .show = [](const Config& config) { return FormatBool(config.ledger.lifetime_by_comm); }},
    ConfigKey{.path = "log.level",
              .expected = "debug, info, warning or error",
              .parse = ParseLogLevel,
              .names = kLogLevelNames,
              .show = [](const Config& config) { return FormatEnumerator(kLogLevelNames, config.log.level); },
              .live = true},
    ConfigKey{.path = "log.format",
              .expected = "logfmt or json",
              .parse = ParseLogFormat,
              .names = kLogFormatNames,
              .show = [](const Config& config) { return FormatEnumerator(kLogFormatNames, config.log.format); }},
};

}  // namespace

std::span<const ConfigKey> Schema() { return kSchema; }

}  // namespace procevent
