#include "cmd/cli/flags.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <sstream>

#include "cmd/cli/usage.h"
#include "config/schema/environment.h"
#include "config/schema/keys.h"
#include "config/schema/option_values.h"
#include "config/schema/validator.h"
#include "core/base/input_error.h"
#include "core/base/text.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {
namespace {

Flags Exit(int code, std::string out, std::string err) {
  Flags flags;
  flags.command = Flags::Command::kExit;
  flags.code = code;
  flags.out = std::move(out);
  flags.err = std::move(err);
  return flags;
}

Flags UsageError(std::string_view message) {
  constexpr int kWrongUsage = 2;
  return Exit(kWrongUsage, {}, FormatUsageError(message));
}

// Parses the values of --duration. Returns an error message, or an empty text.
std::string ParseDurationFlag(const std::vector<std::string>& given,
                              std::optional<std::chrono::milliseconds>& duration) {
  constexpr std::chrono::milliseconds kMaxDuration = std::chrono::hours(720);
  if (given.size() > 1) {
    return FormatRepeatedFlagError(kDurationFlag);
  }
  if (!given.empty()) {
    duration = ParseDuration(given.front());
    if (!duration || duration->count() == 0 || *duration > kMaxDuration) {
      return Describe(MakeDurationError(given.front()));
    }
  }
  return {};
}

// Parses the values of --type. Returns an error message, or an empty text.
std::string ParseTypes(const std::vector<std::string>& given, EventTypes& types) {
  if (!given.empty()) {
    types = {};
  }
  for (const std::string& type : given) {
    const auto* const name = std::ranges::find(kEventNames, type);
    if (name == kEventNames.end()) {
      return Describe(MakeTypeError(type));
    }
    types.at(static_cast<std::size_t>(name - kEventNames.begin())) = true;
  }
  return {};
}

// Parses with CLI11. Collects the values of each flag as raw text, and leaves their validation to the configuration.
class CommandLine {
 public:
  CommandLine() {
    app_.set_help_flag("-h,--help", "Print this help and exit");
    app_.set_version_flag("--version", std::string(kProgram) + ' ' + std::string(Version()),
                          "Print the version and exit");
    AddText(app_, kFileFlag, files_, "FILE", "Configuration file in YAML; without it, the defaults");
    for (std::size_t i = 0; i < kSettingFlags.size(); ++i) {
      const SettingFlag& flag = kSettingFlags.at(i);
      AddText(app_, flag.flag, values_.at(i), flag.value, flag.help);
    }
    for (CLI::App* const command : {check_config_, doctor_, health_check_, record_, decode_, encode_, watch_}) {
      command->set_help_flag("-h,--help", "Print this help and exit");
      command->fallthrough();  // the flags above may follow a command; CollectStandaloneCommand rejects them where they
                               // do not apply
    }
    for (CLI::App* const command : {check_config_, health_check_}) {
      command->footer("It takes all flags of procevent_exporter: they are part of the configuration.");
    }
    doctor_->add_flag("--json", json_, "Print one JSON object");
    record_->add_option("FILE", record_file_, "Output: a path, or - for the standard output")->required();
    AddText(*record_, kDurationFlag, durations_, "TIME",
            "Duration, such as 10s; without it, until SIGINT, SIGTERM or SIGHUP");
    decode_->add_flag("--hex", hex_, "Read datagrams as hex digits, one per line, instead of a capture");
    for (CLI::App* const command : {decode_, encode_}) {
      command->add_option("FILE", file_, "Input; without it, or as -, the standard input");
      command->footer("It needs no privilege and reads no configuration.");
    }
    AddWatchFlags();
    app_.footer("Without a command, it serves the metrics.");
    app_.require_subcommand(0, 1);
  }

  Flags Parse(std::span<const char* const> arguments) {
    if (const auto error = FindFlagValueError(arguments)) {
      return UsageError(Describe(*error));
    }
    try {
      app_.parse(static_cast<int>(arguments.size()), arguments.data());
    } catch (const CLI::Success& done) {  // --help, --version
      std::ostringstream out;
      std::ostringstream err;
      app_.exit(done, out, err);
      return Exit(0, out.str(), err.str());
    } catch (const CLI::ExtrasError&) {
      return UnknownArgument(app_.remaining(true).front());
    } catch (const CLI::RequiredError&) {  // only FILE of record is required
      return MissingFile();
    } catch (const CLI::Error& error) {
      return UsageError(error.what());
    }
    if (file_.empty() || (record_->parsed() && record_file_.empty())) {
      return MissingFile();
    }
    return StandaloneCommand() == nullptr ? CollectConfigCommand() : CollectStandaloneCommand();
  }

 private:
  static void AddText(CLI::App& app, const char* flag, std::vector<std::string>& texts, const char* value,
                      const char* help) {
    app.add_option(flag, texts, help)->option_text(value)->allow_extra_args(false);
  }

  void AddWatchFlags() {
    watch_->add_flag("--events", events_, "Print each event as it arrives");
    AddText(*watch_, kTypeFlag, types_, "TYPE,...", "Only events of these types, such as fork,exec,exit");
    watch_->get_option(kTypeFlag)->delimiter(',');
    AddText(*watch_, kCommFlag, comms_, "PATTERN", "Only events of commands that match, such as kworker*");
    watch_->add_flag("--json", json_, "Print JSON lines in the format of decode");
    AddText(*watch_, kDurationFlag, durations_, "TIME",
            "Duration, such as 10s; without it, until SIGINT, SIGTERM or SIGHUP");
    watch_->footer("It reads no configuration.");
  }

  [[nodiscard]] Flags MissingFile() const {
    const std::string command = app_.get_subcommands().front()->get_name();
    return UsageError(Describe(InputError{{}, {}, command + " FILE", "missing value", "a path, or -"}));
  }

  // Reports only the first unknown argument, because the following ones may be its values.
  [[nodiscard]] Flags UnknownArgument(const std::string& argument) const {
    constexpr std::size_t kMaxBytes = 100;
    const std::string flag = argument.substr(0, argument.find('='));  // without the value, which may be a secret
    const std::string shown = QuotePrintable(argument.starts_with('-') ? flag : argument, kMaxBytes);
    if (!argument.starts_with('-')) {
      return UnknownCommand(argument, shown);
    }
    const std::string_view name = NameOf(argument);
    if (IsTlsSetting(name)) {
      return UsageError(Describe(TlsSettingError({}, {}, EscapeUnprintable(flag, kMaxBytes))));
    }
    const std::vector<std::string_view> flags = KnownFlags();
    const std::string_view suggestion = SuggestPath(name, flags);
    if (suggestion.empty() && FindKey(name) != nullptr) {
      return UsageError("unknown flag " + shown + ": expected the key " + std::string(name) + " in the file, or " +
                        EnvironmentVariableName(name));
    }
    return UsageError("unknown flag " + shown + DidYouMean(suggestion.empty() ? "" : "--" + std::string(suggestion)));
  }

  [[nodiscard]] Flags UnknownCommand(const std::string& argument, const std::string& shown) const {
    if (decode_->parsed() || encode_->parsed() || record_->parsed()) {
      return UsageError("unexpected second file " + shown + ": expected one");
    }
    std::vector<std::string_view> commands;
    for (const CLI::App* const command : app_.get_subcommands({})) {
      commands.push_back(command->get_name());
    }
    if (std::ranges::find(commands, argument) != commands.end()) {
      return UsageError("unexpected second command " + shown + ": expected one");
    }
    if (const auto parsed = app_.get_subcommands(); !parsed.empty()) {
      const std::string remedy = watch_->parsed() ? " takes no argument" : " takes no file; use --config.file=FILE";
      return UsageError("unexpected argument " + shown + ": " + parsed.front()->get_name() + remedy);
    }
    return UsageError("unknown command " + shown + DidYouMean(SuggestWord(argument, commands)));
  }

  // The flags of the program, and of the command on the command line.
  [[nodiscard]] std::vector<std::string_view> KnownFlags() const {
    std::vector<const CLI::App*> apps{&app_};
    std::ranges::copy(app_.get_subcommands(), std::back_inserter(apps));
    std::vector<std::string_view> flags;
    for (const CLI::App* const app : apps) {
      for (const CLI::Option* const option : app->get_options()) {
        std::ranges::copy(option->get_lnames(), std::back_inserter(flags));
      }
    }
    std::ranges::sort(flags);
    flags.erase(std::unique(flags.begin(), flags.end()), flags.end());  // --help belongs to each
    return flags;
  }

  // Returns "log.level" for "--log.level=info".
  static std::string_view NameOf(std::string_view argument) {
    argument.remove_prefix(std::min(argument.find_first_not_of('-'), argument.size()));
    return argument.substr(0, argument.find('='));
  }

  // For the commands that read the configuration.
  Flags CollectConfigCommand() {
    Flags flags;
    if (files_.size() > 1) {
      return UsageError(FormatRepeatedFlagError(kFileFlag));
    }
    if (!files_.empty()) {
      flags.config_file = files_.front();
    }
    for (std::size_t i = 0; i < kSettingFlags.size(); ++i) {
      const SettingFlag& flag = kSettingFlags.at(i);
      if (values_.at(i).size() > 1 && !flag.repeatable) {
        return UsageError(FormatRepeatedFlagError(flag.flag));
      }
      if (!values_.at(i).empty()) {
        flags.settings.push_back({flag.flag, flag.path, values_.at(i)});
      }
    }
    flags.json = json_;
    if (check_config_->parsed()) {
      flags.command = Flags::Command::kCheckConfig;
    } else if (doctor_->parsed()) {
      flags.command = Flags::Command::kDoctor;
    } else if (health_check_->parsed()) {
      flags.command = Flags::Command::kHealthCheck;
    } else if (record_->parsed()) {
      flags.command = Flags::Command::kRecord;
      flags.record.file = record_file_;
      if (const std::string error = ParseDurationFlag(durations_, flags.record.duration); !error.empty()) {
        return UsageError(error);
      }
    }
    return flags;
  }

  // The parsed command, if it is one that reads no configuration.
  [[nodiscard]] const CLI::App* StandaloneCommand() const {
    const auto commands = {decode_, encode_, watch_};
    const auto* const parsed =
        std::ranges::find_if(commands, [](const CLI::App* command) { return command->parsed(); });
    return parsed == commands.end() ? nullptr : *parsed;
  }

  // For the commands that read no configuration.
  Flags CollectStandaloneCommand() {
    for (const CLI::Option* const option : app_.get_options()) {
      if (option->count() > 0) {
        return UsageError(option->get_name() + ": unexpected flag: " + StandaloneCommand()->get_name() +
                          " reads no configuration; leave it out");
      }
    }
    if (watch_->parsed()) {
      return CollectWatch();
    }
    Flags flags;
    flags.command = decode_->parsed() ? Flags::Command::kDecode : Flags::Command::kEncode;
    flags.hex = hex_;
    flags.file = file_;
    return flags;
  }

  Flags CollectWatch() {
    Flags flags;
    flags.command = Flags::Command::kWatch;
    flags.watch.json = json_;
    if (!events_) {
      return UsageError("--events: missing flag: expected with watch");
    }
    if (comms_.size() > 1) {
      return UsageError(FormatRepeatedFlagError(kCommFlag));
    }
    if (!comms_.empty()) {
      flags.watch.command = comms_.front();
    }
    for (const std::string& error :
         {ParseTypes(types_, flags.watch.types), ParseDurationFlag(durations_, flags.watch.duration)}) {
      if (!error.empty()) {
        return UsageError(error);
      }
    }
    return flags;
  }

  std::vector<std::string> files_;
  std::array<std::vector<std::string>, kSettingFlags.size()> values_;
  CLI::App app_{"Exposes Linux process events (netlink connector) to Prometheus, with exact counts of lost events",
                kProgram};
  CLI::App* check_config_ =
      app_.add_subcommand("check-config", "Print the configuration with the origin of each value, or its errors");
  CLI::App* doctor_ =
      app_.add_subcommand("doctor", "Check whether the exporter works on this machine, and print remedies");
  CLI::App* health_check_ =
      app_.add_subcommand("healthcheck", "Query the health of the exporter that serves on this machine");
  CLI::App* record_ = app_.add_subcommand("record", "Record events to a capture for replay, decode or Wireshark");
  CLI::App* decode_ = app_.add_subcommand("decode", "Decode a capture, or datagrams in hex, to JSON lines");
  CLI::App* encode_ = app_.add_subcommand("encode", "Encode JSON lines in the format of decode to datagrams in hex");
  CLI::App* watch_ = app_.add_subcommand("watch", "Show process events live");
  bool json_ = false;
  std::string record_file_;
  std::vector<std::string> durations_;
  bool hex_ = false;
  std::string file_ = "-";
  bool events_ = false;
  std::vector<std::string> types_;
  std::vector<std::string> comms_;
};

}  // namespace

Flags ParseFlags(std::span<const char* const> arguments) {
  return arguments.empty() ? Flags{} : CommandLine().Parse(arguments);  // CLI11 expects the program name first
}

}  // namespace procevent
