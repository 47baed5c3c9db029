// The table of all commands, with their arguments and flags. The parser and the help are derived from it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cmd/cli/flags.h"
#include "core/base/input_error.h"

namespace procevent {

// A flag that is not a key of the configuration.
struct CommandFlag {
  std::string_view name;         // "duration"
  std::string_view placeholder;  // "TIME"; empty: the flag takes no value
  std::string_view help;
  bool Flags::*on = nullptr;  // of a flag without a value
  // Of a flag with a value: describes it ("a duration from 1ms to 720h ..."), and stores it or says what is expected.
  std::string (*describe_expected)() = nullptr;
  InputStatus (*set)(std::string_view value, Flags& flags) = nullptr;
  bool repeatable = false;
  bool required = false;
};

struct CommandSpec {
  Command command = Command::kServe;
  std::string_view name;  // empty: serving needs no command
  std::string_view summary;
  std::string_view argument = {};  // "FILE", or "[FILE]" if it may be left out
  std::string_view argument_help = {};
  std::span<const CommandFlag> flags = {};
  bool reads_configuration = true;
};

// The first one is serving.
std::span<const CommandSpec> Commands();
const CommandSpec& FindCommand(Command command);

// --config.file, --help and --version: the flags of the program that are no keys of the configuration.
std::span<const CommandFlag> ProgramFlags();

}  // namespace procevent
