#include "cmd/dispatch.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cmd/capture/capture_check.h"
#include "cmd/capture/convert.h"
#include "cmd/capture/record.h"
#include "cmd/cli/commands.h"
#include "cmd/cli/flags.h"
#include "cmd/cli/help.h"
#include "cmd/cli/output.h"
#include "cmd/doctor/doctor.h"
#include "cmd/serve/health_check.h"
#include "cmd/serve/serve.h"
#include "cmd/serve/signals.h"
#include "cmd/watch/watch.h"
#include "cmd/watch/watch_capture.h"
#include "config/schema/validator.h"
#include "core/base/input_error.h"
#include "core/base/text.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {

std::vector<EnvironmentVariable> ReadEnvironment() {
  std::vector<EnvironmentVariable> variables;
  for (char* const* entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos && HasSimilarPrefix(text.substr(0, equals))) {
      variables.push_back({std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))});
    }
  }
  return variables;
}

namespace {

// Applies the environment and the flags to the configuration of the file, and adds their errors to those of the file.
LoadedConfig ApplyOverrides(EffectiveConfig effective, InputErrors errors, const Flags& flags,
                            std::span<const EnvironmentVariable> environment) {
  std::ranges::move(SetFromEnvironment(environment, effective), std::back_inserter(errors));
  for (const ConfigOverride& setting : flags.settings) {
    std::ranges::move(SetFromFlag(setting.flag, *setting.option, setting.values, effective),
                      std::back_inserter(errors));
  }
  if (!errors.empty()) {
    return errors;
  }
  return effective;
}

constexpr int kWrongUsage = 2;  // or wrong configuration
constexpr int kUnhealthy = 1;   // for every cause, because Docker reserves 2

void PrintToStandardError(std::string_view text) {
  static_cast<void>(WriteAll(STDERR_FILENO, text));  // a failure cannot be reported anywhere
}

int PrintErrors(const InputErrors& errors) {
  std::string lines;
  for (const InputError& error : errors) {
    lines += Describe(error) + '\n';
  }
  PrintToStandardError(lines);
  return kWrongUsage;
}

// Formats the output of check-config: a comment line, and the configuration as a YAML file.
std::string FormatValidConfig(const EffectiveConfig& effective, const std::optional<std::string>& file) {
  constexpr std::size_t kMaxNameBytes = 256;
  return "# the configuration is valid; file: " + EscapeUnprintable(file.value_or("none"), kMaxNameBytes) + '\n' +
         ToYaml(effective);
}

// The capture is a part of the configuration: without it the exporter does not start.
int CheckConfig(const EffectiveConfig& effective, const std::optional<std::string>& file) {
  const std::string& capture = effective.config.replay.file;
  if (const Status readable = capture.empty() ? Success{} : CheckCapture(capture); !readable) {
    PrintError(Describe(readable.error()));
    return kWrongUsage;
  }
  return PrintWithExitCode(0, FormatValidConfig(effective, file));
}

// The file may have changed since the exporter read it. A running exporter rejects an invalid file and keeps running,
// so the check then uses the environment and the flags alone.
int CheckHealth(const Flags& flags, std::span<const EnvironmentVariable> environment) {
  LoadedConfig loaded = Configure(flags, environment);
  if (!loaded) {
    LoadedConfig without_file = ConfigureWithoutFile(flags, environment);
    if (!without_file) {
      PrintErrors(loaded.error());
      return kUnhealthy;
    }
    const std::string& address = without_file.value().config.server.listen_addresses.front();
    constexpr std::size_t kMaxNameBytes = 256;
    PrintError("cannot use the configuration file " +
               EscapeUnprintable(FindConfigFile(flags, environment).value_or(""), kMaxNameBytes) +
               ": it is invalid; run check-config to see its errors (asking " + address + " instead)");
    loaded = std::move(without_file);
  }
  return HealthCheck(loaded.value().config.server);
}

// Whether the command runs until a signal, which it receives through a SignalReceiver.
bool RunsUntilSignal(const Flags& flags) {
  return flags.command == Command::kServe || flags.command == Command::kRecord ||
         (flags.command == Command::kWatch && !flags.file);
}

int Watch(const WatchOptions& options, const std::optional<std::string>& capture) {
  return capture ? WatchCapture(options, *capture) : WatchEvents(options);
}

std::optional<int> RunWithoutConfiguration(const Flags& flags) {
  switch (flags.command) {
    case Command::kDecode:
      return Decode(flags.file.value_or("-"), flags.hex ? DecodeInput::kHex : DecodeInput::kCapture);
    case Command::kEncode:
      return Encode(flags.file.value_or("-"));
    case Command::kWatch:
      return Watch({flags.types.value_or(AllTypesButAck()), flags.comm, flags.json, flags.duration}, flags.file);
    case Command::kHelp:
      return PrintWithExitCode(0, FormatHelp(flags.help_topic));
    case Command::kVersion:
      return PrintWithExitCode(0, std::string(kProgram) + ' ' + std::string(Version()) + '\n');
    default:
      return std::nullopt;
  }
}

// Returns an error if the command cannot be used with the configuration.
InputStatus CheckCombination(Command command, const EffectiveConfig& effective) {
  const bool reads_kernel = command == Command::kRecord || command == Command::kDoctor;
  const auto origin = effective.origins.find("source.replay");
  if (!reads_kernel || origin == effective.origins.end() || effective.config.replay.file.empty()) {
    return Success{};
  }
  return InputError{{},
                    {},
                    "source.replay",
                    InvalidValue(effective.config.replay.file) + " (" + Describe(origin->second) + ')',
                    "none, because " + std::string(FindCommand(command).name) +
                        " reads the kernel's events; add --source.replay=none"};
}

}  // namespace

std::optional<std::string> FindConfigFile(const Flags& flags, std::span<const EnvironmentVariable> environment) {
  const std::string_view variable = FindVariableValue(kConfigFileVariable, environment);
  return flags.config_file || variable.empty() ? flags.config_file : std::optional<std::string>(variable);
}

LoadedConfig Configure(const Flags& flags, std::span<const EnvironmentVariable> environment) {
  EffectiveConfig effective;
  InputErrors errors;
  const std::optional<std::string> file = FindConfigFile(flags, environment);
  if (file) {
    LoadedConfig loaded = LoadConfigFile(*file);
    if (!loaded) {
      errors = std::move(loaded).error();
      if (!flags.config_file && errors.front().position == TextPosition{}) {
        errors.front().key = kConfigFileVariable;  // without a position: the file itself cannot be read
      }
    } else {
      effective = std::move(loaded).value();
    }
  }
  return ApplyOverrides(std::move(effective), std::move(errors), flags, environment);
}

LoadedConfig ConfigureWithoutFile(const Flags& flags, std::span<const EnvironmentVariable> environment) {
  return ApplyOverrides({}, {}, flags, environment);
}

int Run(std::span<const char* const> arguments) {
  // First of all: a signal that arrives during start-up must stop the command in order, not kill the process.
  const sigset_t blocked = BlockSignals();
  const Result<Flags, UsageError> parsed = ParseFlags(arguments);
  if (!parsed || !RunsUntilSignal(parsed.value())) {
    RestoreSignals(blocked);
  }
  if (!parsed) {
    const auto& [error, command] = parsed.error();
    const std::string name(FindCommand(command).name);
    PrintError(Describe(error) + " (see " + name + (name.empty() ? "" : " ") + "--help)");
    return command == Command::kHealthCheck ? kUnhealthy : kWrongUsage;
  }
  const Flags& flags = parsed.value();
  if (const std::optional<int> code = RunWithoutConfiguration(flags)) {
    return *code;
  }
  // One malloc arena: otherwise each server thread keeps the memory of its largest scrape. Also for doctor, which
  // checks that the memory of Serve is available.
  ::mallopt(M_ARENA_MAX, 1);  // NOLINT(concurrency-mt-unsafe): no other thread runs yet
  const std::vector<EnvironmentVariable> environment = ReadEnvironment();
  if (flags.command == Command::kHealthCheck) {
    return CheckHealth(flags, environment);
  }
  const LoadedConfig loaded = Configure(flags, environment);
  if (!loaded) {
    return PrintErrors(loaded.error());
  }
  if (flags.command == Command::kCheckConfig) {
    return CheckConfig(loaded.value(), FindConfigFile(flags, environment));
  }
  const Config& config = loaded.value().config;
  if (const InputStatus usable = CheckCombination(flags.command, loaded.value()); !usable) {
    PrintError(Describe(usable.error()));
    return kWrongUsage;
  }
  if (flags.command == Command::kDoctor) {
    return Doctor(config, flags.json ? DoctorFormat::kJson : DoctorFormat::kLines);
  }
  if (flags.command == Command::kRecord) {
    return Record(config, {flags.file.value_or("-"), flags.duration});
  }
  return Serve(config, [&] { return Configure(flags, environment); });
}

}  // namespace procevent
