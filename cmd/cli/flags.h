// The command line: what to do, and what it says about the configuration. Prints nothing and reads no file.
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

// A flag that replaces what the file says at a key.
struct ConfigOverride {
  std::string_view flag;  // "--log.level"
  std::string_view path;  // "log.level"
  std::vector<std::string> values;
};

struct RecordOptions {
  std::string file;                                   // "-" is the standard output
  std::optional<std::chrono::milliseconds> duration;  // nothing: until a signal comes
};

// Which kinds of events are shown, by their places. ACKs answer somebody's subscription: only who asks sees them.
using EventTypes = std::array<bool, kEventKinds>;
inline constexpr EventTypes kDefaultEventTypes{false, true, true, true, true, true, true, true, true, true, true};

struct WatchOptions {
  EventTypes types = kDefaultEventTypes;
  std::optional<std::string> command = {};  // what it must be, as a pattern like those of a shell
  bool json = false;
  std::optional<std::chrono::milliseconds> duration = {};  // nothing: until a signal comes, or nobody reads
};

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
  std::vector<ConfigOverride> settings;  // those that were given
  bool json = false;                     // kDoctor: what it prints
  RecordOptions record;                  // kRecord
  bool hex = false;                      // kDecode: what it reads
  std::string file = "-";                // kDecode, kEncode: from where
  WatchOptions watch;                    // kWatch

  // kExit: what to print where, and the code.
  std::string out;
  std::string err;
  int code = 0;
};

Flags ParseFlags(std::span<const char* const> arguments);

}  // namespace procevent
