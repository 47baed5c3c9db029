#include "cmd/cli/usage.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "config/schema/keys.h"
#include "core/base/input_error.h"
#include "core/base/text.h"
#include "core/protocol/event.h"

namespace procevent {
namespace {

constexpr std::array<std::string_view, 6> kFlagsWithoutValue{"--json",    "--hex",  "--events",
                                                             "--version", "--help", "-h"};
constexpr std::string_view kUsage =
    "usage: procevent_exporter [--config.file=FILE] [--web.listen-address=ADDRESS:PORT]... [--web.telemetry-path=PATH] "
    "[--web.allow=NETWORK]... [--web.max-requests=N] "
    "[--source.replay=FILE] [--source.replay-speed=N] [--source.replay-loop=BOOL] [--log.level=LEVEL] "
    "[--log.format=FORMAT] [--version] [--help] "
    "[check-config | doctor [--json] | healthcheck | record FILE [--duration=TIME] | decode [--hex] [FILE|-] | "
    "encode [FILE|-] | watch --events [--type=TYPE,...] [--comm=PATTERN] [--json] [--duration=TIME]]\n";

std::string AllowedTypes() {
  std::string allowed = "one or several of ";
  for (const std::string_view name : kEventNames) {
    allowed.append(name).append(", ");
  }
  return allowed.append("with commas between them");
}

// Describes the expected value of a flag. Empty: the flag is unknown or takes no value.
std::string DescribeExpectedValue(std::string_view flag) {
  if (flag == kFileFlag) {
    return "the path of a file";
  }
  if (flag == kDurationFlag) {
    return MakeDurationError({}).expected;
  }
  if (flag == kTypeFlag) {
    return AllowedTypes();
  }
  if (flag == kCommFlag) {
    return "a name, or a pattern like kworker*";
  }
  const auto* const setting = std::ranges::find(kSettingFlags, flag, &SettingFlag::flag);
  return setting == kSettingFlags.end() ? "" : DescribeExpectedScalar(*FindKey(setting->path));
}

}  // namespace

std::string FormatUsageError(std::string_view message) {
  constexpr std::size_t kMaxBytes = 400;
  return kProgram + (": " + EscapeUnprintable(message, kMaxBytes)) + '\n' + std::string(kUsage);
}

InputError MakeDurationError(std::string_view value) {
  return {{}, {}, kDurationFlag, InvalidValue(value), "a duration from 1ms to 720h in whole ms, s, m or h, like 10s"};
}

InputError MakeTypeError(std::string_view type) {
  return {{}, {}, kTypeFlag, InvalidValue(type), AllowedTypes() + DidYouMean(SuggestWord(type, kEventNames))};
}

std::string FormatRepeatedFlagError(std::string_view flag) {
  return Describe(InputError{{}, {}, std::string(flag), "duplicate flag", "once"});
}

std::optional<InputError> FindFlagValueError(std::span<const char* const> arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const std::string_view flag = argument.substr(0, argument.find('='));
    if (flag != argument && std::ranges::find(kFlagsWithoutValue, flag) != kFlagsWithoutValue.end()) {
      return InputError{{}, {}, std::string(flag), "unexpected value", "the flag alone"};
    }
    const bool next_is_flag = i + 1 == arguments.size() || std::string_view(arguments[i + 1]).starts_with("--");
    const bool lacks_value = flag == argument ? next_is_flag : flag.size() + 1 == argument.size();
    const std::string expected = lacks_value ? DescribeExpectedValue(flag) : "";
    if (!expected.empty()) {
      return InputError{{}, {}, std::string(flag), "missing value", expected};
    }
  }
  return std::nullopt;
}

}  // namespace procevent
