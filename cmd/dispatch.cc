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
#include <variant>
#include <vector>

#include "cmd/capture/convert.h"
#include "cmd/capture/record.h"
#include "cmd/cli/flags.h"
#include "cmd/cli/output.h"
#include "cmd/doctor/doctor.h"
#include "cmd/serve/health_check.h"
#include "cmd/serve/serve.h"
#include "cmd/serve/signals.h"
#include "cmd/watch/watch.h"
#include "config/schema/validator.h"
#include "config/yaml/config_error.h"

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

// What the file says, and its faults, with what counts more.
LoadedConfig Complete(EffectiveConfig effective, std::vector<ConfigError> faults, const Flags& flags,
                      std::span<const EnvironmentVariable> environment) {
  std::ranges::move(SetFromEnvironment(environment, effective), std::back_inserter(faults));
  for (const ConfigOverride& setting : flags.settings) {
    std::ranges::move(SetFromFlag(setting.flag, setting.path, setting.values, effective), std::back_inserter(faults));
  }
  if (!faults.empty()) {
    return faults;
  }
  return effective;
}

}  // namespace

std::optional<std::string> FindConfigFile(const Flags& flags, std::span<const EnvironmentVariable> environment) {
  const std::string_view variable = FindVariableValue(kConfigFileVariable, environment);
  return flags.config_file || variable.empty() ? flags.config_file : std::optional<std::string>(variable);
}

LoadedConfig Configure(const Flags& flags, std::span<const EnvironmentVariable> environment) {
  EffectiveConfig effective;
  std::vector<ConfigError> faults;
  const std::optional<std::string> file = FindConfigFile(flags, environment);
  if (file && file->empty()) {
    faults.push_back({{}, {}, "--config.file", InvalidValue(""), "the path of a file"});
  } else if (file) {
    LoadedConfig loaded = LoadConfigFile(*file);
    if (auto* const of_file = std::get_if<std::vector<ConfigError>>(&loaded)) {
      faults = std::move(*of_file);
      if (!flags.config_file && faults.front().position == TextPosition{}) {
        faults.front().key = kConfigFileVariable;  // it is not there, or cannot be read
      }
    } else {
      effective = std::get<EffectiveConfig>(std::move(loaded));
    }
  }
  return Complete(std::move(effective), std::move(faults), flags, environment);
}

LoadedConfig ConfigureWithoutFile(const Flags& flags, std::span<const EnvironmentVariable> environment) {
  return Complete({}, {}, flags, environment);
}

namespace {

constexpr int kWrongConfiguration = 2;
constexpr int kUnhealthy = 1;  // whatever the cause: Docker reserves 2

void PrintFault(std::string_view text) {
  static_cast<void>(WriteAll(STDERR_FILENO, text));  // there is nobody else to tell
}

int Refuse(const std::vector<ConfigError>& faults) {
  std::string lines;
  for (const ConfigError& fault : faults) {
    lines += Describe(fault) + '\n';
  }
  PrintFault(lines);
  return kWrongConfiguration;
}

// What check-config prints: a file, of which the first line says that all is well.
std::string Checked(const EffectiveConfig& effective, const std::optional<std::string>& file) {
  constexpr std::size_t kMostNameBytes = 256;
  return "# the configuration is valid; file: " + EscapeUnprintable(file.value_or("none"), kMostNameBytes) + '\n' +
         ToYaml(effective);
}

// A file may have changed since the exporter read it: one that it would refuse, and go on without, is left out.
int CheckHealth(const Flags& flags, std::span<const EnvironmentVariable> environment) {
  LoadedConfig loaded = Configure(flags, environment);
  if (const auto* const faults = std::get_if<std::vector<ConfigError>>(&loaded)) {
    LoadedConfig rest = ConfigureWithoutFile(flags, environment);
    if (std::holds_alternative<std::vector<ConfigError>>(rest)) {
      Refuse(*faults);
      return kUnhealthy;
    }
    PrintError("procevent_exporter: the configuration file has faults and is left out: check-config names them");
    loaded = std::move(rest);
  }
  return HealthCheck(std::get<EffectiveConfig>(loaded).config.server);
}

// Until a signal ends it, which it takes itself.
bool Listens(Flags::Command command) {
  return command == Flags::Command::kServe || command == Flags::Command::kRecord || command == Flags::Command::kWatch;
}

std::optional<int> RunWithoutConfiguration(const Flags& flags) {
  switch (flags.command) {
    case Flags::Command::kDecode:
      return Decode(flags.file, flags.hex ? DecodeInput::kHex : DecodeInput::kCapture);
    case Flags::Command::kEncode:
      return Encode(flags.file);
    case Flags::Command::kWatch:
      return WatchEvents(flags.watch);
    default:
      return std::nullopt;
  }
}

// Nothing, if the command goes with what is configured.
std::string WhyNot(Flags::Command command, const Config& config) {
  const bool listens = command == Flags::Command::kRecord || command == Flags::Command::kDoctor;
  return !listens || config.replay.file.empty()
             ? ""
             : "procevent_exporter: source.replay is set, and this command is about listening: leave it out\n";
}

}  // namespace

int Run(std::span<const char* const> arguments) {
  // Before all else: a signal that comes while it starts is to stop what serves, not to break it off.
  const sigset_t blocked = BlockSignals();
  const Flags flags = ParseFlags(arguments);
  if (!Listens(flags.command)) {
    RestoreSignals(blocked);
  }
  if (flags.command == Flags::Command::kExit) {
    PrintFault(flags.err);
    return PrintWithExitCode(flags.code, flags.out);
  }
  if (const std::optional<int> code = RunWithoutConfiguration(flags)) {
    return *code;
  }
  // Otherwise each thread that serves keeps the memory of its largest scrape; doctor tries what Serve has.
  ::mallopt(M_ARENA_MAX, 1);  // NOLINT(concurrency-mt-unsafe): there is one thread yet
  const std::vector<EnvironmentVariable> environment = ReadEnvironment();
  if (flags.command == Flags::Command::kHealthCheck) {
    return CheckHealth(flags, environment);
  }
  const LoadedConfig loaded = Configure(flags, environment);
  if (const auto* const faults = std::get_if<std::vector<ConfigError>>(&loaded)) {
    return Refuse(*faults);
  }
  if (flags.command == Flags::Command::kCheckConfig) {
    return PrintWithExitCode(0, Checked(std::get<EffectiveConfig>(loaded), FindConfigFile(flags, environment)));
  }
  const Config& config = std::get<EffectiveConfig>(loaded).config;
  if (const std::string fault = WhyNot(flags.command, config); !fault.empty()) {
    PrintFault(fault);
    return kWrongConfiguration;
  }
  if (flags.command == Flags::Command::kDoctor) {
    return Doctor(config, flags.json ? DoctorFormat::kJson : DoctorFormat::kLines);
  }
  if (flags.command == Flags::Command::kRecord) {
    return Record(config, flags.record);
  }
  return Serve(config, [&] { return Configure(flags, environment); });
}

}  // namespace procevent
