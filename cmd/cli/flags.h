// Parses the command line into a command and its options. Prints nothing and reads no file.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema/option.h"
#include "core/base/input_error.h"
#include "core/base/result.h"
#include "core/protocol/event.h"

namespace procevent {

inline constexpr const char* kProgram = "procevent_exporter";

// The values of a flag that overrides a key of the configuration file.
struct ConfigOverride {
  std::string flag;  // "--log.level"
  const Option* option = nullptr;
  std::vector<std::string> values;
};

// Whether `watch` shows events of each kind, indexed by EventKind. ACKs answer subscriptions of any program and are
// shown only on request.
using EventTypes = std::array<bool, kEventKinds>;
consteval EventTypes AllTypesButAck() {
  EventTypes types{};
  for (std::size_t kind = 0; kind < types.size(); ++kind) {
    types.at(kind) = static_cast<EventKind>(kind) != EventKind::kAck;
  }
  return types;
}

enum class Command : std::uint8_t {
  kServe,
  kCheckConfig,
  kDoctor,
  kHealthCheck,
  kRecord,
  kDecode,
  kEncode,
  kWatch,
  kHelp,
  kVersion
};

// The parsed command line.
struct Flags {
  Command command = Command::kServe;
  Command help_topic = Command::kServe;  // kHelp: the command to explain; kServe: the program

  std::optional<std::string> config_file;
  std::vector<ConfigOverride> settings;  // of the flags on the command line

  // Of the commands:
  std::optional<std::string> file;                    // input or output; "-": the standard one; empty: not given
  std::optional<std::chrono::milliseconds> duration;  // empty: until a signal arrives
  bool json = false;                                  // print JSON
  bool hex = false;                                   // decode reads hex instead of a capture
  bool events = false;                                // watch prints each event
  std::optional<EventTypes> types;                    // watch prints only these; empty: AllTypesButAck()
  std::optional<std::string> comm;                    // watch prints only commands that match this shell pattern
};

// An error of the command line, and the command with the help that explains it.
struct UsageError {
  InputError error;
  Command command = Command::kServe;
};

// The first argument is the name of the program.
Result<Flags, UsageError> ParseFlags(std::span<const char* const> arguments);

}  // namespace procevent
