#include "cmd/run.h"

#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cmd/configure.h"
#include "cmd/decode.h"
#include "cmd/doctor.h"
#include "cmd/encode.h"
#include "cmd/environment.h"
#include "cmd/flags.h"
#include "cmd/health_check.h"
#include "cmd/output.h"
#include "cmd/record.h"
#include "cmd/serve.h"
#include "cmd/signals.h"
#include "cmd/watch.h"
#include "config/text.h"

namespace procevent {
namespace {

constexpr int kWrongConfiguration = 2;
constexpr int kUnhealthy = 1;  // whatever the cause: Docker reserves 2

void PrintFault(std::string_view text) {
  static_cast<void>(WriteAll(STDERR_FILENO, text));  // there is nobody else to tell
}

int Refuse(const std::vector<Fault>& faults) {
  std::string lines;
  for (const Fault& fault : faults) {
    lines += Describe(fault) + '\n';
  }
  PrintFault(lines);
  return kWrongConfiguration;
}

// What check-config prints: a file, of which the first line says that all is well.
std::string Checked(const EffectiveConfig& effective, const std::optional<std::string>& file) {
  constexpr std::size_t kMostNameBytes = 256;
  return "# the configuration is valid; file: " + Printable(file.value_or("none"), kMostNameBytes) + '\n' +
         ToYaml(effective);
}

// A file may have changed since the exporter read it: one that it would refuse, and go on without, is left out.
int CheckHealth(const Flags& flags, std::span<const Variable> environment) {
  LoadedConfig loaded = Configure(flags, environment);
  if (const auto* const faults = std::get_if<std::vector<Fault>>(&loaded)) {
    LoadedConfig rest = ConfigureWithoutFile(flags, environment);
    if (std::holds_alternative<std::vector<Fault>>(rest)) {
      Refuse(*faults);
      return kUnhealthy;
    }
    TellFault("procevent_exporter: the configuration file has faults and is left out: check-config names them");
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
      return Decode(flags.file, flags.hex ? DecodeFrom::kHex : DecodeFrom::kCapture);
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
    return PrintAndExitWith(flags.code, flags.out);
  }
  if (const std::optional<int> code = RunWithoutConfiguration(flags)) {
    return *code;
  }
  // Otherwise each thread that serves keeps the memory of its largest scrape; doctor tries what Serve has.
  ::mallopt(M_ARENA_MAX, 1);  // NOLINT(concurrency-mt-unsafe): there is one thread yet
  const std::vector<Variable> environment = ReadEnvironment();
  if (flags.command == Flags::Command::kHealthCheck) {
    return CheckHealth(flags, environment);
  }
  const LoadedConfig loaded = Configure(flags, environment);
  if (const auto* const faults = std::get_if<std::vector<Fault>>(&loaded)) {
    return Refuse(*faults);
  }
  if (flags.command == Flags::Command::kCheckConfig) {
    return PrintAndExitWith(0, Checked(std::get<EffectiveConfig>(loaded), ConfigFileOf(flags, environment)));
  }
  const Config& config = std::get<EffectiveConfig>(loaded).config;
  if (const std::string fault = WhyNot(flags.command, config); !fault.empty()) {
    PrintFault(fault);
    return kWrongConfiguration;
  }
  if (flags.command == Flags::Command::kDoctor) {
    return Doctor(config, flags.json ? DoctorForm::kJson : DoctorForm::kLines);
  }
  if (flags.command == Flags::Command::kRecord) {
    return Record(config, flags.record);
  }
  return Serve(config, [&] { return Configure(flags, environment); });
}

}  // namespace procevent
