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
              .take_item = TakeListenAddress,
              .start = [](Config& config) { config.server.listen_addresses.clear(); },
              .show = [](const Config& config) { return ShowTexts(config.server.listen_addresses); }},
    ConfigKey{.path = "web.telemetry_path",
              .allowed = "a plain path like /metrics, not /, /-/healthy or /-/ready",
              .take = TakeTelemetryPath,
              .show = [](const Config& config) { return ShowText(config.server.telemetry_path); }},
    ConfigKey{.path = "web.allow",
              .allowed = "all, or a list of 1 to 64 addresses or networks like 10.0.0.0/8",
              .take = TakeEverybody,
              .names = kAll,
              .most_items = kMostNetworks,
              .allowed_item = "an address or a network like 10.0.0.0/8",
              .take_item = TakeAllowed,
              .start = [](Config& config) { config.server.allow.clear(); },
              .show = [](const Config& config) { return ShowNetworks(config.server.allow); },
              .guards = true},
    ConfigKey{.path = "web.max_requests",
              .allowed = "a number from 1 to 64 in digits alone, like 40",
              .take = TakeMaxRequests,
              .show = [](const Config& config) { return std::to_string(config.server.max_requests); }},
    ConfigKey{.path = "source.receive_buffer",
              .allowed = "a size from 64KiB to 1GiB in bytes or with KiB, MiB or GiB, like 32MiB",
              .take = TakeReceiveBuffer,
              .show = [](const Config& config) { return SizeText(config.connector.receive_buffer_bytes); }},
    ConfigKey{.path = "source.events",
              .allowed = "all, or a list of event names, like [fork, exec, exit]",
              .take = TakeAllEvents,
              .names = kAll,
              .most_items = kNamedEvents,
              .allowed_item = "one of fork, exec, exit, uid, gid, sid, ptrace, comm, coredump",
              .item_names = std::span(kEventNames).subspan(1, kNamedEvents),
              .take_item = TakeEvent,
              .start = [](Config& config) { config.connector.events = EventMask::None(); },
              .finish = KeepComm,
              .show = [](const Config& config) { return ShowEvents(config.connector.events); }},
    ConfigKey{
        .path = "source.replay",
        .allowed = "none, or the path of a capture",
        .take = TakeReplay,
        .show =
            [](const Config& config) { return config.replay.file.empty() ? "none" : ShowText(config.replay.file); }},
    ConfigKey{.path = "source.replay_speed",
              .allowed = "max, or a number from 1 to 1000 in digits alone, like 10",
              .take = TakeReplaySpeed,
              .names = kMax,
              .show =
                  [](const Config& config) {
                    return config.replay.speed == 0 ? "max" : std::to_string(config.replay.speed);
                  }},
    ConfigKey{.path = "source.replay_loop",
              .allowed = "true or false",
              .take = [](std::string_view text, Config& config) { return TakeBool(text, config.replay.loop); },
              .names = kBoolNames,
              .show = [](const Config& config) { return ShowBool(config.replay.loop); }},
    ConfigKey{.path = "reader.drain_interval",
              .allowed = "a duration from 1ms to 1s in whole ms, s, m or h, like 10ms",
              .take = TakeDrainInterval,
              .show = [](const Config& config) { return DurationText(config.reader.drain_interval); }},
    ConfigKey{.path = "reader.canary_interval",
              .allowed = "a duration from 1s to 60s in whole ms, s, m or h, like 5s",
              .take = TakeCanaryInterval,
              .show = [](const Config& config) { return DurationText(config.reader.canary_interval); }},
    ConfigKey{.path = "processes.limit",
              .allowed = "a number from 1024 to 4194304 in digits alone, like 65536",
              .take = TakeProcessLimit,
              .show = [](const Config& config) { return std::to_string(config.ledger.process_limit); }},
    ConfigKey{.path = "comms.limit",
              .allowed = "a number from 10 to 10000 in digits alone, like 500",
              .take = TakeCommLimit,
              .show = [](const Config& config) { return std::to_string(config.ledger.comm_limit); }},
    ConfigKey{.path = "comms.retire_after",
              .allowed = "a duration from 1m to 720h in whole ms, s, m or h, like 1h",
              .take = TakeRetireAfter,
              .show = [](const Config& config) { return DurationText(config.ledger.comm_retire_after); }},
    ConfigKey{.path = "name_groups",
              .allowed = "a list of at most 100 rules, like [{match: kworker/.*, name: kworker}]",
              .most_items = kMostGroups,
              .may_be_empty = true,
              .allowed_item = "a rule like {match: kworker/.*, name: kworker}",
              .fields = kGroupFields,
              .take_fields = TakeNameGroup,
              .start = [](Config& config) { config.ledger.name_groups.clear(); },
              .show = [](const Config& config) { return ShowGroups(config.ledger.name_groups); },
              .live = true},
    ConfigKey{.path = "histograms.exit_code.buckets",
              .allowed = "a list of 1 to 32 rising numbers from 0 to 255, like [0, 1, 127]",
              .most_items = kMostBuckets,
              .allowed_item = "a number from 0 to 255 in digits alone, like 127",
              .take_item = TakeExitCodeBucket,
              .start = [](Config& config) { config.ledger.exit_code_bounds.clear(); },
              .show = [](const Config& config) { return ShowCounts(config.ledger.exit_code_bounds); }},
    ConfigKey{
        .path = "histograms.exit_code.by_comm",
        .allowed = "true or false",
        .take = [](std::string_view text, Config& config) { return TakeBool(text, config.ledger.exit_code_by_comm); },
        .names = kBoolNames,
        .show = [](const Config& config) { return ShowBool(config.ledger.exit_code_by_comm); }},
    ConfigKey{.path = "histograms.lifetime.buckets",
              .allowed = "a list of 1 to 32 rising durations from 1ms to 720h, like [1ms, 1s, 1h]",
              .most_items = kMostBuckets,
              .allowed_item = "a duration from 1ms to 720h in whole ms, s, m or h, like 5s",
              .take_item = TakeLifetimeBucket,
              .start = [](Config& config) { config.ledger.lifetime_bounds.clear(); },
              .show = [](const Config& config) { return ShowDurations(config.ledger.lifetime_bounds); }},
    ConfigKey{
        .path = "histograms.lifetime.by_comm",
        .allowed = "true or false",
        .take = [](std::string_view text, Config& config) { return TakeBool(text, config.ledger.lifetime_by_comm); },
        .names = kBoolNames,
        .show = [](const Config& config) { return ShowBool(config.ledger.lifetime_by_comm); }},
    ConfigKey{.path = "log.level",
              .allowed = "debug, info, warning or error",
              .take = TakeLogLevel,
              .names = kLogLevelNames,
              .show = [](const Config& config) { return ShowName(kLogLevelNames, config.log.level); },
              .live = true},
    ConfigKey{.path = "log.format",
              .allowed = "logfmt or json",
              .take = TakeLogFormat,
              .names = kLogFormatNames,
              .show = [](const Config& config) { return ShowName(kLogFormatNames, config.log.format); }},
};

}  // namespace

std::span<const ConfigKey> Schema() { return kSchema; }

}  // namespace procevent
