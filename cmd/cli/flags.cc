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
#include "config/yaml/config_error.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {
namespace {

using Durations = std::vector<std::string>;

Flags Exit(int code, std::string out, std::string err) {
  Flags flags;
  flags.command = Flags::Command::kExit;
  flags.code = code;
  flags.out = std::move(out);
  flags.err = std::move(err);
  return flags;
}

Flags UsageFault(std::string_view message) {
  constexpr int kWrongUsage = 2;
  return Exit(kWrongUsage, {}, FormatUsageError(message));
}

// What is wrong with how often a text was given, or with the duration that it is; empty: nothing.
std::string TakeDuration(const Durations& given, std::optional<std::chrono::milliseconds>& duration) {
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(720);
  if (given.size() > 1) {
    return FormatRepeatedFlagError(kDurationFlag);
  }
  if (!given.empty()) {
    duration = ParseDuration(given.front());
    if (!duration || duration->count() == 0 || *duration > kLongest) {
      return Describe(DurationFault(given.front()));
    }
  }
  return {};
}

std::string TakeTypes(const std::vector<std::string>& given, EventTypes& types) {
  if (!given.empty()) {
    types = {};
  }
  for (const std::string& type : given) {
    const auto* const name = std::ranges::find(kEventNames, type);
    if (name == kEventNames.end()) {
      return Describe(TypeFault(type));
    }
    types.at(static_cast<std::size_t>(name - kEventNames.begin())) = true;
  }
  return {};
}

// Texts are taken as they are, each time a flag is given; what they may be is the configuration's to say.
class CommandLine {
 public:
  CommandLine() {
    app_.set_help_flag("-h,--help", "Print this and exit");
    app_.set_version_flag("--version", std::string(kProgram) + ' ' + std::string(Version()),
                          "Print the version and exit");
    AddText(app_, kFileFlag, files_, "FILE", "The configuration, in YAML; without it the defaults");
    for (std::size_t i = 0; i < kSettingFlags.size(); ++i) {
      const SettingFlag& flag = kSettingFlags.at(i);
      AddText(app_, flag.flag, values_.at(i), flag.value, flag.help);
    }
    for (CLI::App* const command : {check_, doctor_, health_, record_, decode_, encode_, watch_}) {
      command->set_help_flag("-h,--help", "Print this and exit");
      command->fallthrough();  // all flags above may follow it; what takes none of them says so
    }
    for (CLI::App* const command : {check_, health_}) {
      command->footer("It takes all flags of procevent_exporter: they are part of the configuration.");
    }
    doctor_->add_flag("--json", json_, "Print one JSON object");
    record_->add_option("FILE", record_file_, "Where to: a path, or - for the standard output")->required();
    AddText(*record_, kDurationFlag, durations_, "TIME", "How long, as in 10s; without it until SIGINT or SIGTERM");
    decode_->add_flag("--hex", hex_, "Read hex digits, one datagram a line, instead of a capture");
    for (CLI::App* const filter : {decode_, encode_}) {
      filter->add_option("FILE", file_, "What to read; without it, or as -, the standard input");
      filter->footer("It needs no privilege and reads no configuration.");
    }
    AddWatch();
    app_.require_subcommand(0, 1);
  }

  Flags Parse(std::span<const char* const> arguments) {
    if (const auto fault = FindFlagValueFault(arguments)) {
      return UsageFault(Describe(*fault));
    }
    try {
      app_.parse(static_cast<int>(arguments.size()), arguments.data());
    } catch (const CLI::Success& done) {  // --help, --version
      std::ostringstream out;
      std::ostringstream err;
      app_.exit(done, out, err);
      return Exit(0, out.str(), err.str());
    } catch (const CLI::ExtrasError&) {
      return Unknown(app_.remaining(true).front());
    } catch (const CLI::Error& error) {
      return UsageFault(error.what());
    }
    if (file_.empty() || (record_->parsed() && record_file_.empty())) {
      return UsageFault("FILE is empty: give a path, or -");
    }
    return WithoutConfiguration() == nullptr ? Collect() : CollectTool();
  }

 private:
  static void AddText(CLI::App& app, const char* flag, std::vector<std::string>& texts, const char* value,
                      const char* help) {
    app.add_option(flag, texts, help)->option_text(value)->allow_extra_args(false);
  }

  void AddWatch() {
    watch_->add_flag("--events", events_, "Print each event as it comes");
    AddText(*watch_, kTypeFlag, types_, "TYPE,...", "Only of these types, as in fork,exec,exit");
    watch_->get_option(kTypeFlag)->delimiter(',');
    AddText(*watch_, kCommFlag, comms_, "PATTERN", "Only of commands like this, as in kworker*");
    watch_->add_flag("--json", json_, "Print JSON lines, as decode does");
    AddText(*watch_, kDurationFlag, durations_, "TIME", "How long, as in 10s; without it until SIGINT or SIGTERM");
    watch_->footer("It reads no configuration.");
  }

  // The first argument that nobody knows; what follows may be its value.
  [[nodiscard]] Flags Unknown(const std::string& argument) const {
    constexpr std::size_t kMostBytes = 100;
    const std::string cut = argument.substr(0, argument.find('='));  // what is behind it may be a secret
    const std::string shown = QuotePrintable(argument.starts_with('-') ? cut : argument, kMostBytes);
    if (!argument.starts_with('-')) {
      return UnknownCommand(argument, shown);
    }
    const std::string_view name = NameOf(argument);
    if (IsTlsSetting(name)) {
      return UsageFault(Describe(TlsSettingError({}, {}, EscapeUnprintable(cut, kMostBytes))));
    }
    const std::vector<std::string_view> flags = KnownFlags();
    const std::string_view meant = SuggestPath(name, flags);
    if (meant.empty() && FindKey(name) != nullptr) {
      return UsageFault("unknown flag " + shown + ": set it in the file, or as " + EnvironmentVariableName(name));
    }
    return UsageFault("unknown flag " + shown + DidYouMean(meant.empty() ? "" : "--" + std::string(meant)));
  }

  [[nodiscard]] Flags UnknownCommand(const std::string& argument, const std::string& shown) const {
    if (decode_->parsed() || encode_->parsed() || record_->parsed()) {
      return UsageFault("a second file, " + shown + ": give one at a time");
    }
    std::vector<std::string_view> commands;
    for (const CLI::App* const command : app_.get_subcommands({})) {
      commands.push_back(command->get_name());
    }
    if (std::ranges::find(commands, argument) != commands.end()) {
      return UsageFault("a second command, " + shown + ": give one at a time");
    }
    return UsageFault("unknown command " + shown + DidYouMean(SuggestWord(argument, commands)));
  }

  // Those of the program, and of the command that was given.
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
    flags.erase(std::unique(flags.begin(), flags.end()), flags.end());  // --help is of each
    return flags;
  }

  // "log.level" of "--log.level=info".
  static std::string_view NameOf(std::string_view argument) {
    argument.remove_prefix(std::min(argument.find_first_not_of('-'), argument.size()));
    return argument.substr(0, argument.find('='));
  }

  Flags Collect() {
    Flags flags;
    if (files_.size() > 1) {
      return UsageFault(FormatRepeatedFlagError(kFileFlag));
    }
    if (!files_.empty()) {
      flags.config_file = files_.front();
    }
    for (std::size_t i = 0; i < kSettingFlags.size(); ++i) {
      const SettingFlag& flag = kSettingFlags.at(i);
      if (values_.at(i).size() > 1 && !flag.repeatable) {
        return UsageFault(FormatRepeatedFlagError(flag.flag));
      }
      if (!values_.at(i).empty()) {
        flags.settings.push_back({flag.flag, flag.path, values_.at(i)});
      }
    }
    flags.json = json_;
    if (check_->parsed()) {
      flags.command = Flags::Command::kCheckConfig;
    } else if (doctor_->parsed()) {
      flags.command = Flags::Command::kDoctor;
    } else if (health_->parsed()) {
      flags.command = Flags::Command::kHealthCheck;
    } else if (record_->parsed()) {
      flags.command = Flags::Command::kRecord;
      flags.record.file = record_file_;
      if (const std::string fault = TakeDuration(durations_, flags.record.duration); !fault.empty()) {
        return UsageFault(fault);
      }
    }
    return flags;
  }

  // The command that reads no configuration, if it was given.
  [[nodiscard]] const CLI::App* WithoutConfiguration() const {
    const auto tools = {decode_, encode_, watch_};
    const auto* const given = std::ranges::find_if(tools, [](const CLI::App* tool) { return tool->parsed(); });
    return given == tools.end() ? nullptr : *given;
  }

  Flags CollectTool() {
    for (const CLI::Option* const option : app_.get_options()) {
      if (option->count() > 0) {
        return UsageFault(option->get_name() + " is no flag of " + WithoutConfiguration()->get_name() +
                          ", which reads no configuration: leave it out");
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
      return UsageFault("watch shows nothing yet but events: give it --events");
    }
    if (comms_.size() > 1) {
      return UsageFault(FormatRepeatedFlagError(kCommFlag));
    }
    if (!comms_.empty()) {
      flags.watch.command = comms_.front();
    }
    for (const std::string& fault :
         {TakeTypes(types_, flags.watch.types), TakeDuration(durations_, flags.watch.duration)}) {
      if (!fault.empty()) {
        return UsageFault(fault);
      }
    }
    return flags;
  }

  std::vector<std::string> files_;
  std::array<std::vector<std::string>, kSettingFlags.size()> values_;
  CLI::App app_{"Tells Prometheus what the Linux process-event connector says, and what it lost", kProgram};
  CLI::App* check_ = app_.add_subcommand(
      "check-config", "Print the configuration and where each value is from, or what is wrong with it");
  CLI::App* doctor_ = app_.add_subcommand("doctor", "Tell whether it would work here and what helps, and exit");
  CLI::App* health_ = app_.add_subcommand("healthcheck", "Ask the exporter that serves here whether it is healthy");
  CLI::App* record_ = app_.add_subcommand("record", "Write a capture: for a replay, for decode, for Wireshark");
  CLI::App* decode_ = app_.add_subcommand("decode", "Print what a capture, or datagrams in hex, say, as JSON lines");
  CLI::App* encode_ = app_.add_subcommand("encode", "Print JSON lines, as decode prints them, as datagrams in hex");
  CLI::App* watch_ = app_.add_subcommand("watch", "Print what happens as it happens");
  bool json_ = false;
  std::string record_file_;
  Durations durations_;
  bool hex_ = false;
  std::string file_ = "-";
  bool events_ = false;
  std::vector<std::string> types_;
  std::vector<std::string> comms_;
};

}  // namespace

Flags ParseFlags(std::span<const char* const> arguments) {
  return arguments.empty() ? Flags{} : CommandLine().Parse(arguments);  // CLI11 wants a name in front
}

}  // namespace procevent
