#include "cmd/flags.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>
#include <exception>
#include <sstream>

#include "config/environment.h"
#include "config/keys.h"
#include "config/near_miss.h"
#include "config/reverse_proxy.h"
#include "config/text.h"
#include "exporter/build_info.h"

namespace procevent {
namespace {

constexpr const char* kName = "procevent_exporter";
constexpr const char* kFileFlag = "--config.file";
constexpr std::array<std::string_view, 5> kBareFlags{"--json", "--hex", "--version", "--help", "-h"};
constexpr std::string_view kUsage =
    "usage: procevent_exporter [--config.file=FILE] [--web.listen-address=HOST:PORT]... [--web.telemetry-path=PATH] "
    "[--web.allow=NETWORK]... [--web.max-requests=N] [--log.level=LEVEL] [--log.format=FORMAT] [--version] [--help] "
    "[check-config | doctor [--json] | decode [--hex] [FILE|-] | encode [FILE|-]]\n";

struct SettingFlag {
  const char* flag;
  std::string_view path;
  const char* value;
  const char* help;
  bool repeatable = false;
};

constexpr std::array kSettingFlags{
    SettingFlag{"--web.listen-address", "web.listen_addresses", "HOST:PORT ...",
                "Where to serve, as in 127.0.0.1:13675; may be given several times", true},
    SettingFlag{"--web.telemetry-path", "web.telemetry_path", "PATH", "The path of the metrics, as in /metrics"},
    SettingFlag{"--web.allow", "web.allow", "NETWORK ...", "Who may ask, as in 10.0.0.0/8; may be given several times",
                true},
    SettingFlag{"--web.max-requests", "web.max_requests", "N", "How many scrapes are served at once"},
    SettingFlag{"--log.level", "log.level", "LEVEL", "debug, info, warning or error"},
    SettingFlag{"--log.format", "log.format", "FORMAT", "logfmt or json"},
};

Flags Exit(int code, std::string out, std::string err) {
  Flags flags;
  flags.command = Flags::Command::kExit;
  flags.code = code;
  flags.out = std::move(out);
  flags.err = std::move(err);
  return flags;
}

Flags UsageFault(std::string_view message) {
  constexpr std::size_t kMostBytes = 400;
  constexpr int kWrongUsage = 2;
  return Exit(kWrongUsage, {}, kName + (": " + Printable(message, kMostBytes)) + '\n' + std::string(kUsage));
}

// A flag of ours without its value, or one with a value that has none: CLI11 would take `--flag=`, or give it the flag
// that follows.
std::optional<Fault> WrongValue(std::span<const char* const> arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const std::string_view flag = argument.substr(0, argument.find('='));
    if (flag != argument && std::ranges::find(kBareFlags, flag) != kBareFlags.end()) {
      return Fault{{}, {}, std::string(flag), "a value", "the flag alone"};
    }
    const bool ends = i + 1 == arguments.size() || std::string_view(arguments[i + 1]).starts_with("--");
    const bool lacks = flag == argument ? ends : flag.size() + 1 == argument.size();
    const auto setting = std::ranges::find(kSettingFlags, flag, &SettingFlag::flag);
    if (lacks && setting != kSettingFlags.end()) {
      return Fault{{}, {}, std::string(flag), "no value", AllowedAlone(*FindKey(setting->path))};
    }
    if (lacks && flag == kFileFlag) {
      return Fault{{}, {}, std::string(flag), "no value", "the path of a file"};
    }
  }
  return std::nullopt;
}

// Texts are taken as they are, each time a flag is given; what they may be is the configuration's to say.
class CommandLine {
 public:
  CommandLine() {
    app_.set_help_flag("-h,--help", "Print this and exit");
    app_.set_version_flag("--version", std::string(kName) + ' ' + std::string(Version()), "Print the version and exit");
    app_.add_option(kFileFlag, files_, "The configuration, in YAML; without it the defaults")
        ->option_text("FILE")
        ->allow_extra_args(false);
    for (std::size_t i = 0; i < kSettingFlags.size(); ++i) {
      const SettingFlag& flag = kSettingFlags.at(i);
      app_.add_option(flag.flag, values_.at(i), flag.help)->option_text(flag.value)->allow_extra_args(false);
    }
    check_->set_help_flag("-h,--help", "Print this and exit");
    check_->fallthrough();  // all flags are its own too, wherever they stand
    check_->footer("It takes all flags of procevent_exporter: they are part of the configuration.");
    doctor_->set_help_flag("-h,--help", "Print this and exit");
    doctor_->add_flag("--json", json_, "Print one JSON object");
    doctor_->fallthrough();  // the flags above may follow it, too
    decode_->add_flag("--hex", hex_, "Read hex digits, one datagram a line, instead of a capture");
    for (CLI::App* const filter : {decode_, encode_}) {
      filter->set_help_flag("-h,--help", "Print this and exit");
      filter->add_option("FILE", file_, "What to read; without it, or as -, the standard input");
      filter->footer("It needs no privilege and reads no configuration.");
      filter->fallthrough();  // so that the flags above are told to be none of its own
    }
    app_.require_subcommand(0, 1);
  }

  Flags Parse(std::span<const char* const> arguments) {
    if (const auto fault = WrongValue(arguments)) {
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
    return Collect();
  }

 private:
  // The first argument that nobody knows; what follows may be its value.
  [[nodiscard]] Flags Unknown(const std::string& argument) const {
    constexpr std::size_t kMostBytes = 100;
    const std::string cut = argument.substr(0, argument.find('='));  // what is behind it may be a secret
    const std::string shown = Quoted(argument.starts_with('-') ? cut : argument, kMostBytes);
    if (!argument.starts_with('-')) {
      std::vector<std::string_view> commands;
      for (const CLI::App* const command : app_.get_subcommands({})) {
        commands.push_back(command->get_name());
      }
      if (Filter() != nullptr) {
        return UsageFault("a second file, " + shown + ": give one at a time");
      }
      if (std::ranges::find(commands, argument) != commands.end()) {
        return UsageFault("a second command, " + shown + ": give one at a time");
      }
      return UsageFault("unknown command " + shown + DidYouMean(Suggest(argument, commands)));
    }
    const std::string_view name = NameOf(argument);
    if (IsReverseProxys(name)) {
      return UsageFault(Describe(ReverseProxyFault({}, {}, Printable(cut, kMostBytes))));
    }
    std::vector<std::string_view> flags;
    for (const CLI::App* const app : {static_cast<const CLI::App*>(&app_), Filter()}) {
      for (const CLI::Option* const option : app == nullptr ? std::vector<const CLI::Option*>{} : app->get_options()) {
        for (const std::string& flag : option->get_lnames()) {
          flags.push_back(flag);
        }
      }
    }
    const std::string_view meant = SuggestPath(name, flags);
    if (meant.empty() && FindKey(name) != nullptr) {
      return UsageFault("unknown flag " + shown + ": set it in the file, or as " + VariableOf(name));
    }
    return UsageFault("unknown flag " + shown + DidYouMean(meant.empty() ? "" : "--" + std::string(meant)));
  }

  // "log.level" of "--log.level=info".
  static std::string_view NameOf(std::string_view argument) {
    argument.remove_prefix(std::min(argument.find_first_not_of('-'), argument.size()));
    return argument.substr(0, argument.find('='));
  }

  // The command that reads a file and no configuration, if it was given.
  [[nodiscard]] const CLI::App* Filter() const {
    return decode_->parsed() ? decode_ : encode_->parsed() ? encode_ : nullptr;
  }

  Flags CollectOfFilter() {
    const auto& options = app_.get_options();
    const auto given = std::ranges::find_if(options, [](const CLI::Option* option) { return option->count() > 0; });
    if (given != options.end()) {
      return UsageFault((*given)->get_name() + " is no flag of " + Filter()->get_name() +
                        ", which reads no configuration: leave it out");
    }
    Flags flags;
    flags.command = decode_->parsed() ? Flags::Command::kDecode : Flags::Command::kEncode;
    flags.hex = hex_;
    flags.file = file_;
    return flags;
  }

  Flags Collect() {
    if (Filter() != nullptr) {
      return CollectOfFilter();
    }
    Flags flags;
    if (files_.size() > 1) {
      return UsageFault(std::string(kFileFlag) + " is given more than once: give it once");
    }
    if (!files_.empty()) {
      flags.config_file = files_.front();
    }
    for (std::size_t i = 0; i < kSettingFlags.size(); ++i) {
      const SettingFlag& flag = kSettingFlags.at(i);
      if (values_.at(i).size() > 1 && !flag.repeatable) {
        return UsageFault(std::string(flag.flag) + " is given more than once: give it once");
      }
      if (!values_.at(i).empty()) {
        flags.settings.push_back({flag.flag, flag.path, values_.at(i)});
      }
    }
    if (check_->parsed()) {
      flags.command = Flags::Command::kCheckConfig;
    }
    if (doctor_->parsed()) {
      flags.command = Flags::Command::kDoctor;
      flags.json = json_;
    }
    return flags;
  }

  std::vector<std::string> files_;
  std::array<std::vector<std::string>, kSettingFlags.size()> values_;
  CLI::App app_{"Tells Prometheus what the Linux process-event connector says, and what it lost", kName};
  CLI::App* check_ = app_.add_subcommand(
      "check-config", "Print the configuration and where each value is from, or what is wrong with it");
  bool json_ = false;
  bool hex_ = false;
  std::string file_ = "-";
  CLI::App* decode_ = app_.add_subcommand("decode", "Print what a capture, or datagrams in hex, say, as JSON lines");
  CLI::App* encode_ = app_.add_subcommand("encode", "Print JSON lines, as decode prints them, as datagrams in hex");
  CLI::App* doctor_ = app_.add_subcommand("doctor", "Tell whether it would work here and what helps, and exit");
};

}  // namespace

Flags ParseFlags(std::span<const char* const> arguments) {
  return arguments.empty() ? Flags{} : CommandLine().Parse(arguments);  // CLI11 wants a name in front
}

}  // namespace procevent
