// Parses the command line into a command and its options. Prints nothing and reads no file.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/event.h"

namespace procevent {

// The values of a flag that overrides a key of the configuration file.
struct ConfigOverride {
  std::string_view flag;  // "--log.level"
  std::string_view path;  // "log.level"
  std::vector<std::string> values;
};

// Options of the command `record`.
struct RecordOptions {
  std::string file;                                   // "-" is the standard output
  std::optional<std::chrono::milliseconds> duration;  // empty: until a signal arrives
};

// Whether `watch` shows events of each kind, indexed by EventKind. ACKs answer subscriptions of any program and are
// shown only on request.
using EventTypes = std::array<bool, kEventKinds>;
inline constexpr EventTypes kDefaultEventTypes{false, true, true, true, true, true, true, true, true, true, true};

// Options of the command `watch`.
struct WatchOptions {
  EventTypes types = kDefaultEventTypes;
  std::optional<std::string> command = {};  // a shell pattern that the command must match
  bool json = false;
  // Empty: until a signal arrives, or the output is closed.
  std::optional<std::chrono::milliseconds> duration = {};
};

// The parsed command line.
struct Flags {
  enum class Command : std::uint8_t {
    kServe,
    kCheckConfig,
    kDoctor,
    kHealthCheck,
    kRecord,
    kDecode,
    kEncode,
    kWatch,
    kExit
  };
  Command command = Command::kServe;

  std::optional<std::string> config_file;
  std::vector<ConfigOverride> settings;  // of the flags on the command line
  bool json = false;                     // kDoctor: print JSON
  RecordOptions record;                  // kRecord
  bool hex = false;                      // kDecode: read hex instead of a capture
  std::string file = "-";                // kDecode, kEncode: the input
  WatchOptions watch;                    // kWatch

  // kExit: texts for the standard output and error, and the exit code.
  std::string out;
  std::string err;
  int code = 0;
};

Flags ParseFlags(std::span<const char* const> arguments);

}  // namespace procevent
