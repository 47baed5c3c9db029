#include "cmd/cli/flags.h"

#include <algorithm>
#include <utility>

#include "cmd/cli/commands.h"
#include "config/schema/keys.h"
#include "config/schema/schema.h"
#include "config/schema/validator.h"
#include "core/base/text.h"

namespace procevent {
namespace {

constexpr std::size_t kMaxShownBytes = 100;

InputError Problem(std::string problem) { return {{}, {}, {}, std::move(problem), {}}; }

const CommandFlag* FindFlag(std::span<const CommandFlag> flags, std::string_view name) {
  const auto flag = std::ranges::find(flags, name, &CommandFlag::name);
  return flag == flags.end() ? nullptr : &*flag;
}

const Option* FindOptionOfFlag(std::string_view name) {
  const auto option = std::ranges::find_if(
      Schema(), [name](const Option& candidate) { return name == FlagOf(candidate) || name == candidate.other_flag; });
  return name.empty() || option == Schema().end() ? nullptr : &*option;
}

std::vector<std::string_view> CommandNames() {
  std::vector<std::string_view> names;
  for (const CommandSpec& spec : Commands().subspan(1)) {
    names.push_back(spec.name);
  }
  return names;
}

// nullptr: no command has this name.
const CommandSpec* FindCommandNamed(std::string_view name) {
  const auto commands = Commands().subspan(1);
  const auto command = std::ranges::find(commands, name, &CommandSpec::name);
  return command == commands.end() ? nullptr : &*command;
}

// "doctor or watch" for "json". Empty if no command has such a flag.
std::string CommandsWithFlag(std::string_view flag) {
  std::string names;
  for (const CommandSpec& spec : Commands()) {
    if (FindFlag(spec.flags, flag) != nullptr) {
      names += (names.empty() ? "" : " or ") + std::string(spec.name);
    }
  }
  return names;
}

// Reads the arguments one by one. Each function returns the error that ends the parse.
class FlagParser {
 public:
  explicit FlagParser(std::span<const char* const> arguments) : rest_(arguments) {}

  Result<Flags, UsageError> Parse() {
    while (!rest_.empty() && flags_.command != Command::kHelp && flags_.command != Command::kVersion) {
      const std::string_view argument = Take();
      const bool is_flag = !only_arguments_ && argument.size() > 1 && argument.front() == '-';
      if (is_flag && argument == "--") {
        only_arguments_ = true;
      } else if (const InputStatus added = is_flag ? AddFlag(argument) : AddArgument(argument); !added) {
        return UsageError{added.error(), spec_->command};
      }
    }
    if (const InputStatus complete = CheckComplete(); !complete) {
      return UsageError{complete.error(), spec_->command};
    }
    return std::move(flags_);
  }

 private:
  std::string_view Take() {
    const std::string_view argument = rest_.front();
    rest_ = rest_.subspan(1);
    return argument;
  }

  InputStatus AddFlag(std::string_view argument) {
    const std::size_t equals = argument.find('=');
    const std::string written(argument.substr(0, equals));
    const auto attached = equals == std::string_view::npos ? std::nullopt : std::optional(argument.substr(equals + 1));
    const std::string_view name = written == "-h"              ? "help"
                                  : argument.starts_with("--") ? std::string_view(written).substr(2)
                                                               : "";
    if (const Option* const option = FindOptionOfFlag(name)) {
      return AddOption(*option, written, attached);
    }
    const CommandFlag* flag = FindFlag(ProgramFlags(), name);
    const bool of_program = flag != nullptr;
    flag = of_program ? flag : FindFlag(spec_->flags, name);
    if (flag == nullptr) {
      return Unknown(written);
    }
    if (flag->placeholder.empty() && attached) {
      return InputError{{}, {}, written, "unexpected value", "the flag alone"};
    }
    if (flag->set == nullptr && flag->on == nullptr) {
      flags_.command = name == "help" ? Command::kHelp : Command::kVersion;
      if (spec_->command == Command::kServe && !rest_.empty() && FindCommandNamed(rest_.front()) != nullptr) {
        spec_ = FindCommandNamed(Take());
      }
      flags_.help_topic = spec_->command;
      return Success{};
    }
    if (of_program) {
      configuration_flag_ = written;
    }
    return AddCommandFlag(*flag, written, attached);
  }

  InputStatus AddCommandFlag(const CommandFlag& flag, const std::string& written,
                             std::optional<std::string_view> attached) {
    const bool is_repeated = std::ranges::find(seen_, flag.name) != seen_.end();
    if (is_repeated && !flag.repeatable && flag.on == nullptr) {
      return InputError{{}, {}, written, "duplicate flag", "once"};
    }
    seen_.push_back(flag.name);
    if (flag.on != nullptr) {
      flags_.*flag.on = true;
      return Success{};
    }
    const auto value = TakeValue(written, attached, flag.describe_expected());
    if (!value) {
      return value.error();
    }
    if (auto stored = flag.set(value.value(), flags_); !stored) {
      InputError error = std::move(stored).error();
      error.key = written;
      return error;
    }
    return Success{};
  }

  InputStatus AddOption(const Option& option, const std::string& written, std::optional<std::string_view> attached) {
    configuration_flag_ = written;
    auto setting = std::ranges::find(flags_.settings, &option, &ConfigOverride::option);
    if (setting == flags_.settings.end()) {
      setting = flags_.settings.insert(setting, {written, &option, {}});
    } else if (!option.list) {
      return InputError{{}, {}, written, "duplicate flag", "once"};
    }
    const bool value_follows = !rest_.empty() && std::ranges::find(kBoolNames, rest_.front()) != std::end(kBoolNames);
    const auto value = IsBool(option) && !attached && !value_follows
                           ? Result<std::string_view, InputError>("true")
                           : TakeValue(written, attached, DescribeExpectedScalar(option));
    if (!value) {
      return value.error();
    }
    setting->values.emplace_back(value.value());
    return Success{};
  }

  // The value after =, or else the next argument. A flag is no value: it was probably forgotten.
  Result<std::string_view, InputError> TakeValue(const std::string& written, std::optional<std::string_view> attached,
                                                 const std::string& expected) {
    const bool follows = !attached && !rest_.empty() && !std::string_view(rest_.front()).starts_with("--");
    const std::string_view value = attached ? *attached : follows ? Take() : "";
    if (value.empty()) {
      return InputError{{}, {}, written, "missing value", expected};
    }
    return value;
  }

  // `written` is the flag without its value, which may be a secret.
  [[nodiscard]] InputError Unknown(const std::string& written) const {
    const std::string_view name =
        std::string_view(written).substr(std::min(written.find_first_not_of('-'), written.size()));
    if (IsTlsSetting(name)) {
      return TlsSettingError({}, {}, EscapeUnprintable(written, kMaxShownBytes));
    }
    std::vector<std::string> names;
    for (const Option& option : Schema()) {
      names.push_back(FlagOf(option));
    }
    for (const std::span<const CommandFlag> flags : {ProgramFlags(), spec_->flags}) {
      std::ranges::transform(flags, std::back_inserter(names), [](const auto& flag) { return std::string(flag.name); });
    }
    const std::vector<std::string_view> known(names.begin(), names.end());
    const std::string problem = "unknown flag " + QuotePrintable(written, kMaxShownBytes);
    if (const std::string commands = CommandsWithFlag(name); !commands.empty()) {
      return Problem(problem + ": expected after the command " + commands);
    }
    std::string former_key(name);
    std::ranges::replace(former_key, '-', '_');
    if (const Option* const renamed = FindOption(FindNewName(former_key)); renamed != nullptr) {
      return Problem(problem + ": expected " + DescribeNewName("--" + FlagOf(*renamed)));
    }
    std::string_view suggestion = SuggestPath(name, known);
    if (const Option* const option = FindOptionOfFlag(suggestion); option != nullptr && !option->other_flag.empty()) {
      suggestion = option->other_flag;
    }
    return Problem(problem + DidYouMean(suggestion.empty() ? "" : "--" + std::string(suggestion)));
  }

  InputStatus AddArgument(std::string_view argument) {
    const std::string shown = QuotePrintable(argument, kMaxShownBytes);
    const CommandSpec* const command = FindCommandNamed(argument);
    if (spec_->command == Command::kServe) {
      if (command == nullptr) {
        return Problem("unknown command " + shown + DidYouMean(SuggestWord(argument, CommandNames())));
      }
      spec_ = command;
      flags_.command = spec_->command;
      return Success{};
    }
    if (spec_->argument.empty()) {
      return Problem(command != nullptr ? "unexpected second command " + shown + ": expected one"
                                        : "unexpected argument " + shown + ": " + std::string(spec_->name) +
                                              " takes no file; use --config.file=FILE");
    }
    if (has_argument_) {
      return Problem("unexpected second file " + shown + ": expected one");
    }
    has_argument_ = true;
    flags_.file = argument;
    return argument.empty() ? InputStatus(MissingFile()) : Success{};
  }

  [[nodiscard]] InputError MissingFile() const {
    return InputError{{}, {}, std::string(spec_->name) + " FILE", "missing value", "a path, or -"};
  }

  // Rejects a line without a needed argument or flag, or with flags of a configuration that the command does not read.
  [[nodiscard]] InputStatus CheckComplete() const {
    if (flags_.command == Command::kHelp || flags_.command == Command::kVersion) {
      return Success{};
    }
    if (!spec_->reads_configuration && !configuration_flag_.empty()) {
      return InputError{{},
                        {},
                        configuration_flag_,
                        "unexpected flag: " + std::string(spec_->name) + " reads no configuration; leave it out",
                        {}};
    }
    if (spec_->argument == "FILE" && !has_argument_) {
      return MissingFile();
    }
    for (const CommandFlag& flag : spec_->flags) {
      if (flag.required && std::ranges::find(seen_, flag.name) == seen_.end()) {
        return InputError{{}, {}, "--" + std::string(flag.name), "missing flag", "with " + std::string(spec_->name)};
      }
    }
    return Success{};
  }

  std::span<const char* const> rest_;
  Flags flags_;
  const CommandSpec* spec_ = &Commands().front();
  bool has_argument_ = false;
  bool only_arguments_ = false;         // after --
  std::string configuration_flag_;      // the last flag that belongs to the configuration
  std::vector<std::string_view> seen_;  // names of command flags
};

}  // namespace

Result<Flags, UsageError> ParseFlags(std::span<const char* const> arguments) {
  return FlagParser(arguments.empty() ? arguments : arguments.subspan(1)).Parse();
}

}  // namespace procevent
