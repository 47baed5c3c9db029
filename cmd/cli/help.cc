#include "cmd/cli/help.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "cmd/cli/commands.h"
#include "config/schema/schema.h"
#include "core/base/text.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {
namespace {

constexpr std::size_t kColumn = 40;  // where the descriptions begin
constexpr std::size_t kWidth = 110;

// One entry in two columns: the left one is a flag or a command, and the text is wrapped in the right one.
void AppendEntry(std::string& help, std::string_view left, std::string_view text) {
  std::string line = "  " + std::string(left);
  if (line.size() + 2 > kColumn) {
    help += line + '\n';
    line.clear();
  }
  line.append(kColumn - std::min(line.size(), kColumn), ' ');
  for (std::string_view word = TakeWord(text); !word.empty(); word = TakeWord(text)) {
    if (line.size() > kColumn && line.size() + 1 + word.size() > kWidth) {
      help += line + '\n';
      line.assign(kColumn, ' ');
    }
    line += (line.size() > kColumn ? " " : "") + std::string(word);
  }
  help += line + '\n';
}

// Without its full stop.
std::string FirstSentence(std::string_view text) {
  text = text.substr(0, text.find(". "));
  return std::string(text.substr(0, text.size() - (text.ends_with('.') ? 1 : 0)));
}

void AppendOption(std::string& help, const Option& option) {
  const std::string name = option.other_flag.empty() ? FlagOf(option) : std::string(option.other_flag);
  AppendEntry(help, "--" + name + (IsBool(option) ? "" : ' ' + PlaceholderOf(option)),
              FirstSentence(option.help) + (option.list ? " (repeatable; default: " : " (default: ") +
                  FormatDefault(option) + ')');
}

void AppendFlags(std::string& help, std::span<const CommandFlag> flags) {
  for (const CommandFlag& flag : flags) {
    AppendEntry(help,
                (flag.name == "help" ? "-h, --" : "--") + std::string(flag.name) +
                    (flag.placeholder.empty() ? "" : ' ' + std::string(flag.placeholder)),
                flag.help);
  }
}

std::string FormatProgramHelp() {
  std::string help = std::string(Description()) +
                     "\nUsage: procevent_exporter [FLAG]... [COMMAND]\n\n"
                     "Without a command, it serves the metrics.\n\nCommands:\n";
  for (const CommandSpec& spec : Commands().subspan(1)) {
    AppendEntry(help, spec.name, spec.summary);
  }
  help += "\nFlags:\n";
  AppendFlags(help, ProgramFlags());
  for (const Option& option : Schema()) {
    AppendOption(help, option);
  }
  return help +
         "\nEach key of the configuration file has a flag, and an environment variable like PROCEVENT_LOG_LEVEL.\n"
         "Flags override variables, and variables override the file.\n";
}

std::string FormatCommandHelp(const CommandSpec& spec) {
  std::string help = std::string(spec.summary) + "\nUsage: procevent_exporter " + std::string(spec.name) +
                     " [FLAG]..." + (spec.argument.empty() ? "" : ' ' + std::string(spec.argument)) + '\n';
  if (!spec.argument.empty()) {
    help += "\nArguments:\n";
    AppendEntry(help, "FILE", spec.argument_help);
  }
  if (!spec.flags.empty()) {
    help += "\nFlags:\n";
    AppendFlags(help, spec.flags);
  }
  return help + (spec.reads_configuration
                     ? "\nIt also takes the flags of procevent_exporter, which belong to the configuration.\n"
                     : "\nIt reads no configuration.\n");
}

}  // namespace

std::string FormatHelp(Command topic) {
  return topic == Command::kServe ? FormatProgramHelp() : FormatCommandHelp(FindCommand(topic));
}

}  // namespace procevent
