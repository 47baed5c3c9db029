#include "cmd/cli/commands.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "config/schema/keys.h"
#include "config/schema/option.h"

namespace procevent {
namespace {

constexpr QuantityType kDurationBounds{&kDuration, 1, std::chrono::milliseconds(std::chrono::hours(720)).count()};
std::string DescribeDuration() { return DescribeQuantity(kDurationBounds) + ", like 10s"; }

InputStatus SetDuration(std::string_view value, Flags& flags) {
  const auto parsed = ParseScalar(kDurationBounds, value);
  if (!parsed) {
    return InputError{{}, {}, {}, InvalidValue(value), DescribeDuration()};
  }
  flags.duration = std::chrono::milliseconds(std::get<std::uint64_t>(parsed.value()));
  return Success{};
}

std::string DescribeTypes() {
  return "one or several of " + JoinWithCommas(kEventNames) + ", with commas between them";
}

// Adds the types of one flag.
InputStatus AddTypes(std::string_view value, Flags& flags) {
  EventTypes types = flags.types.value_or(EventTypes{});
  for (std::string_view rest = value; !rest.empty();) {
    const std::string_view type = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(type.size() + 1, rest.size()));
    const auto* const name = std::ranges::find(kEventNames, type);
    if (name == kEventNames.end()) {
      return InputError{{}, {}, {}, InvalidValue(type), DescribeTypes() + DidYouMean(SuggestWord(type, kEventNames))};
    }
    types.at(static_cast<std::size_t>(name - kEventNames.begin())) = true;
  }
  flags.types = types;
  return Success{};
}

InputStatus SetConfigFile(std::string_view value, Flags& flags) {
  flags.config_file = value;
  return Success{};
}

InputStatus SetComm(std::string_view value, Flags& flags) {
  flags.comm = value;
  return Success{};
}

constexpr CommandFlag kDurationFlag{
    .name = "duration",
    .placeholder = "TIME",
    .help = "Stop after this time, such as 10s. Without it, on SIGINT, SIGTERM or SIGHUP.",
    .describe_expected = DescribeDuration,
    .set = SetDuration};

constexpr std::array kProgramFlags{
    CommandFlag{.name = "config.file",
                .placeholder = "FILE",
                .help = "Configuration file in YAML. Without it, the defaults.",
                .describe_expected = [] { return std::string("the path of a file"); },
                .set = SetConfigFile},
    CommandFlag{.name = "version", .placeholder = {}, .help = "Print the version and exit."},
    CommandFlag{.name = "help", .placeholder = {}, .help = "Print this help and exit. Each command has its own."},
};

constexpr std::array kDoctorFlags{
    CommandFlag{.name = "json", .placeholder = {}, .help = "Print one JSON object.", .on = &Flags::json}};

constexpr std::array kDecodeFlags{
    CommandFlag{.name = "hex",
                .placeholder = {},
                .help = "Read datagrams as hex digits, one per line, instead of a capture.",
                .on = &Flags::hex}};

constexpr std::array kWatchFlags{
    CommandFlag{
        .name = "events", .placeholder = {}, .help = "Print each event.", .on = &Flags::events, .required = true},
    CommandFlag{.name = "type",
                .placeholder = "TYPE,...",
                .help = "Only events of these types, such as fork,exec,exit.",
                .describe_expected = DescribeTypes,
                .set = AddTypes,
                .repeatable = true},
    CommandFlag{.name = "comm",
                .placeholder = "PATTERN",
                .help = "Only events of commands that match this shell pattern, such as kworker*.",
                .describe_expected = [] { return std::string("a name, or a pattern like kworker*"); },
                .set = SetComm},
    CommandFlag{.name = "json",
                .placeholder = {},
                .help = "Print JSON lines in the format of decode, with command and user.",
                .on = &Flags::json},
    kDurationFlag,
};

constexpr std::array kRecordFlags{kDurationFlag};

constexpr std::string_view kInputHelp = "Input. Without it, or as -, the standard input.";

constexpr std::array kCommands{
    CommandSpec{.command = Command::kServe, .name = {}, .summary = "Serve the metrics until SIGTERM or SIGINT."},
    CommandSpec{.command = Command::kCheckConfig,
                .name = "check-config",
                .summary = "Check the configuration. Print it with the origin of each value, or its errors."},
    CommandSpec{.command = Command::kDoctor,
                .name = "doctor",
                .summary = "Check whether the exporter works on this machine, and print remedies.",
                .flags = kDoctorFlags},
    CommandSpec{.command = Command::kHealthCheck,
                .name = "healthcheck",
                .summary = "Ask the exporter that serves on this machine whether it is healthy."},
    CommandSpec{.command = Command::kRecord,
                .name = "record",
                .summary = "Record events to a capture for replay, decode or Wireshark.",
                .argument = "FILE",
                .argument_help = "Output: a path, or - for the standard output.",
                .flags = kRecordFlags},
    CommandSpec{.command = Command::kDecode,
                .name = "decode",
                .summary = "Print a capture, or datagrams in hex, as JSON lines.",
                .argument = "[FILE]",
                .argument_help = kInputHelp,
                .flags = kDecodeFlags,
                .reads_configuration = false},
    CommandSpec{.command = Command::kEncode,
                .name = "encode",
                .summary = "Print datagrams in hex for JSON lines in the format of decode.",
                .argument = "[FILE]",
                .argument_help = kInputHelp,
                .reads_configuration = false},
    CommandSpec{.command = Command::kWatch,
                .name = "watch",
                .summary = "Show process events, live or of a capture.",
                .argument = "[FILE]",
                .argument_help = "Capture to show instead of live events.",
                .flags = kWatchFlags,
                .reads_configuration = false},
};

}  // namespace

std::span<const CommandSpec> Commands() { return kCommands; }

const CommandSpec& FindCommand(Command command) {
  return *std::ranges::find(kCommands, command, &CommandSpec::command);
}

std::span<const CommandFlag> ProgramFlags() { return kProgramFlags; }

}  // namespace procevent
