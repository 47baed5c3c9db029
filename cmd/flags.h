// The command line: what to do, and what it says about the configuration. Prints nothing and reads no file.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/record.h"
#include "cmd/watch.h"

namespace procevent {

// A flag that replaces what the file says at a key.
struct Setting {
  std::string_view flag;  // "--log.level"
  std::string_view path;  // "log.level"
  std::vector<std::string> values;
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
  std::vector<Setting> settings;  // those that were given
  bool json = false;              // kDoctor: what it prints
  RecordOrder record;             // kRecord
  bool hex = false;               // kDecode: what it reads
  std::string file = "-";         // kDecode, kEncode: from where
  WatchOrder watch;               // kWatch

  // kExit: what to print where, and the code.
  std::string out;
  std::string err;
  int code = 0;
};

Flags ParseFlags(std::span<const char* const> arguments);

}  // namespace procevent
