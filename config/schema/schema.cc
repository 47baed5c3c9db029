#include "config/schema/schema.h"

#include <array>

#include "config/schema/option_values.h"

namespace procevent {
namespace {

constexpr std::size_t kMostAddresses = 16;
constexpr std::size_t kMostNetworks = 64;
constexpr std::size_t kMostGroups = 100;
constexpr std::size_t kMostBuckets = 32;
constexpr std::array<std::string_view, 2> kGroupFields{"match", "name"};
constexpr std::array<std::string_view, 2> kBoolNames{"true", "false"};
constexpr std::array<std::string_view, 1> kAll{"all"};
constexpr std::array<std::string_view, 1> kMax{"max"};
constexpr std::size_t kNamedEvents = kEventKinds - 2;  // all but ack and unknown, the first and the last

// The canary is a COMM event.
void KeepComm(Config& config) { config.connector.events = config.connector.events.With(EventKind::kComm); }

constexpr std::array kSchema{
    ConfigKey{.path = "web.listen_addresses",
              .allowed = "a list of 1 to 16 addresses like 0.0.0.0:13675",
              .most_items = kMostAddresses,
              .allowed_item = "an address like 0.0.0.0:13675",
              .take_item = ParseListenAddressItem,
              .start = [](Config& config) { config.server.listen_addresses.clear(); },
              .show = [](const Config& config) { return FormatTexts(config.server.listen_addresses); }},
    ConfigKey{.path = "web.telemetry_path",
              .allowed = "a plain path like /metrics, not /, /-/healthy or /-/ready",
              .take = ParseTelemetryPath,
              .show = [](const Config& config) { return FormatText(config.server.telemetry_path); }},
    ConfigKey{.path = "web.allow",
              .allowed = "all, or a list of 1 to 64 addresses or networks like 10.0.0.0/8",
              .take = ParseAllowAll,
              .names = kAll,
              .most_items = kMostNetworks,
              .allowed_item = "an address or a network like 10.0.0.0/8",
              .take_item = ParseAllowedItem,
              .start = [](Config& config) { config.server.allow.clear(); },
              .show = [](const Config& config) { return FormatNetworks(config.server.allow); },
              .guards = true},
    ConfigKey{.path = "web.max_requests",
              .allowed = "a number from 1 to 64 in digits alone, like 40",
              .take = ParseMaxRequests,
              .show = [](const Config& config) { return std::to_string(config.server.max_requests); }},
    ConfigKey{.path = "source.receive_buffer",
              .allowed = "a size from 64KiB to 1GiB in bytes or with KiB, MiB or GiB, like 32MiB",
              .take = ParseReceiveBuffer,
              .show = [](const Config& config) { return SizeText(config.connector.receive_buffer_bytes); }},
    ConfigKey{.path = "source.events",
              .allowed = "all, or a list of event names, like [fork, exec, exit]",
              .take = ParseAllEvents,
              .names = kAll,
              .most_items = kNamedEvents,
              .allowed_item = "one of fork, exec, exit, uid, gid, sid, ptrace, comm, coredump",
              .item_names = std::span(kEventNames).subspan(1, kNamedEvents),
              .take_item = ParseEventItem,
              .start = [](Config& config) { config.connector.events = EventMask::None(); },
              .finish = KeepComm,
              .show = [](const Config& config) { return FormatEventMask(config.connector.events); }},
    ConfigKey{
        .path = "source.replay",
        .allowed = "none, or the path of a capture",
        .take = ParseReplay,
        .show =
            [](const Config& config) { return config.replay.file.empty() ? "none" : FormatText(config.replay.file); }},
    ConfigKey{.path = "source.replay_speed",
              .allowed = "max, or a number from 1 to 1000 in digits alone, like 10",
              .take = ParseReplaySpeed,
              .names = kMax,
              .show =
                  [](const Config& config) {
                    return config.replay.speed == 0 ? "max" : std::to_string(config.replay.speed);
                  }},
    ConfigKey{.path = "source.replay_loop",
              .allowed = "true or false",
              .take = [](std::string_view text, Config& config) { return ParseBool(text, config.replay.loop); },
              .names = kBoolNames,
              .show = [](const Config& config) { return FormatBool(config.replay.loop); }},
    ConfigKey{.path = "reader.drain_interval",
              .allowed = "a duration from 1ms to 1s in whole ms, s, m or h, like 10ms",
              .take = ParseDrainInterval,
              .show = [](const Config& config) { return DurationText(config.reader.drain_interval); }},
    ConfigKey{.path = "reader.canary_interval",
              .allowed = "a duration from 1s to 60s in whole ms, s, m or h, like 5s",
              .take = ParseCanaryInterval,
              .show = [](const Config& config) { return DurationText(config.reader.canary_interval); }},
    ConfigKey{.path = "processes.limit",
              .allowed = "a number from 1024 to 4194304 in digits alone, like 65536",
              .take = ParseProcessLimit,
              .show = [](const Config& config) { return std::to_string(config.ledger.process_limit); }},
    ConfigKey{.path = "comms.limit",
              .allowed = "a number from 10 to 10000 in digits alone, like 500",
              .take = ParseCommLimit,
              .show = [](const Config& config) { return std::to_string(config.ledger.comm_limit); }},
    ConfigKey{.path = "comms.retire_after",
              .allowed = "a duration from 1m to 720h in whole ms, s, m or h, like 1h",
              .take = ParseRetireAfter,
              .show = [](const Config& config) { return DurationText(config.ledger.comm_retire_after); }},
    ConfigKey{.path = "name_groups",
              .allowed = "a list of at most 100 rules, like [{match: kworker/.*, name: kworker}]",
              .most_items = kMostGroups,
              .may_be_empty = true,
              .allowed_item = "a rule like {match: kworker/.*, name: kworker}",
              .fields = kGroupFields,
              .take_fields = ParseNameGroupItem,
              .start = [](Config& config) { config.ledger.name_groups.clear(); },
              .show = [](const Config& config) { return FormatNameGroups(config.ledger.name_groups); },
              .live = true},
    ConfigKey{.path = "histograms.exit_code.buckets",
              .allowed = "a list of 1 to 32 rising numbers from 0 to 255, like [0, 1, 127]",
              .most_items = kMostBuckets,
              .allowed_item = "a number from 0 to 255 in digits alone, like 127",
              .take_item = ParseExitCodeBucketItem,
              .start = [](Config& config) { config.ledger.exit_code_bounds.clear(); },
              .show = [](const Config& config) { return FormatCounts(config.ledger.exit_code_bounds); }},
    ConfigKey{
        .path = "histograms.exit_code.by_comm",
        .allowed = "true or false",
        .take = [](std::string_view text, Config& config) { return ParseBool(text, config.ledger.exit_code_by_comm); },
        .names = kBoolNames,
        .show = [](const Config& config) { return FormatBool(config.ledger.exit_code_by_comm); }},
    ConfigKey{.path = "histograms.lifetime.buckets",
              .allowed = "a list of 1 to 32 rising durations from 1ms to 720h, like [1ms, 1s, 1h]",
              .most_items = kMostBuckets,
              .allowed_item = "a duration from 1ms to 720h in whole ms, s, m or h, like 5s",
              .take_item = ParseLifetimeBucketItem,
              .start = [](Config& config) { config.ledger.lifetime_bounds.clear(); },
              .show = [](const Config& config) { return FormatDurations(config.ledger.lifetime_bounds); }},
    ConfigKey{
        .path = "histograms.lifetime.by_comm",
        .allowed = "true or false",
        .take = [](std::string_view text, Config& config) { return ParseBool(text, config.ledger.lifetime_by_comm); },
        .names = kBoolNames,
        .show = [](const Config& config) { return FormatBool(config.ledger.lifetime_by_comm); }},
    ConfigKey{.path = "log.level",
              .allowed = "debug, info, warning or error",
              .take = ParseLogLevel,
              .names = kLogLevelNames,
              .show = [](const Config& config) { return FormatEnumerator(kLogLevelNames, config.log.level); },
              .live = true},
    ConfigKey{.path = "log.format",
              .allowed = "logfmt or json",
              .take = ParseLogFormat,
              .names = kLogFormatNames,
              .show = [](const Config& config) { return FormatEnumerator(kLogFormatNames, config.log.format); }},
};

}  // namespace

std::span<const ConfigKey> Schema() { return kSchema; }

}  // namespace procevent
