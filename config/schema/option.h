// Describes a configuration key: its type and bounds, where its value is stored, and its help. Files, variables, flags,
// the output of --help and check-config, and reloads are derived from this description. All functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/result.h"

namespace procevent {

struct Config;

// A value in a form that all keys share: a number (of bytes, milliseconds, or the index of a word), a text, or a list
// of them. A map is stored as its fields, one after the other.
using OptionValue = std::variant<std::uint64_t, std::string, std::vector<std::uint64_t>, std::vector<std::string>>;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// A number that is written with a unit.
struct QuantityKind {
  std::span<const Unit> units;   // ascending
  std::string_view noun;         // "size"
  std::string_view syntax;       // " in bytes or with KiB, MiB or GiB"
  std::string_view placeholder;  // "SIZE": the value in the help of a flag
};
inline constexpr Unit kCountUnits[]{{"", 1}};
inline constexpr Unit kSizeUnits[]{{"", 1}, {"KiB", 1U << 10U}, {"MiB", 1U << 20U}, {"GiB", 1U << 30U}};
inline constexpr Unit kDurationUnits[]{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
inline constexpr QuantityKind kCount{kCountUnits, "whole number", ", without sign or leading zeros", "N"};
inline constexpr QuantityKind kSize{kSizeUnits, "size", " in bytes or with KiB, MiB or GiB", "SIZE"};
inline constexpr QuantityKind kDuration{kDurationUnits, "duration", " in whole ms, s, m or h", "TIME"};

// Parses "32MiB" or "10ms". At most 2^63 - 1; no sign, fraction, space or leading zero.
std::optional<std::uint64_t> ParseQuantity(std::string_view text, const QuantityKind& kind);
// The inverse. Uses the largest unit that divides the number.
std::string FormatQuantity(std::uint64_t number, const QuantityKind& kind);

// The types of a value, or of the items of a list.
struct QuantityType {
  const QuantityKind* kind = nullptr;
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};
// One of several words. Its value is the index of the word.
inline constexpr std::string_view kBoolNames[]{"false", "true"};
struct WordType {
  std::span<const std::string_view> names;
  std::pair<std::string_view, std::string_view> synonym = {};  // accepted, and the name that it stands for
};
struct TextType {
  std::string_view placeholder;  // "PATH"
  std::string_view expected;     // "a plain path like /metrics"
  // Rejects a text with a cause. `earlier` are the items before it in a list.
  Status (*check)(std::string_view text, std::span<const std::string> earlier);
};
// A map with exactly these fields, whose values are texts. Only in lists.
struct MapType {
  std::string_view placeholder;
  std::string_view expected;
  std::span<const std::string_view> fields;
  Status (*check)(std::span<const std::string> fields);
};
using ValueType = std::variant<QuantityType, WordType, TextType, MapType>;

// The rules of a list, in addition to the type of its items. Words occur once.
struct ListRule {
  std::size_t min_items = 1;
  std::size_t max_items = 0;
  std::string_view items;    // "addresses"
  std::string_view example;  // "[0, 1, 127]"
  bool rising = false;       // each number exceeds the previous one
  // Rejects what only a whole list of texts or maps shows. May be left out.
  Status (*check)(std::span<const std::string> items) = nullptr;
};

// Reads and writes the member of Config that stores a value.
struct OptionField {
  OptionValue (*get)(const Config& config) = nullptr;
  void (*set)(const OptionValue& value, Config& config) = nullptr;
};

// Which changes of a value a reload applies. The others need a restart.
enum class ReloadRule : std::uint8_t {
  kRestart,   // none
  kIncrease,  // to a larger number
  kAny,
};

// One key. To add a key, add an entry to the table in schema.cc.
struct Option {
  std::string_view key;  // "source.receive_buffer"
  ValueType type;
  std::optional<ListRule> list = {};
  std::string_view empty_word = {};  // how 0, the empty text or the empty list is written: "max", "none", "all"
  OptionField field;
  std::string_view help;             // sentences; --help shows the first one
  std::string_view other_flag = {};  // a second name of the flag
  std::string_view former_key = {};  // of an earlier version; an error names the key instead
  bool restricts_access = false;     // an empty variable is an error instead of an unset one
  ReloadRule reload = ReloadRule::kRestart;
};

bool IsBool(const Option& option);  // its words are kBoolNames

// "source.receive-buffer" for "source.receive_buffer": the flag without its two dashes.
std::string FlagOf(const Option& option);
// How the value is written in the help of the flag: "SIZE".
std::string PlaceholderOf(const Option& option);

// Whether a reload applies the change of the value from `running` to `fresh`.
bool ReloadApplies(const Option& option, const Config& running, const Config& fresh);

// "a size from 64KiB to 1GiB in bytes or with KiB, MiB or GiB, like 32MiB": follows "expected" in an error.
std::string DescribeExpected(const Option& option);
// The same for a scalar in the place of the value, or for an item where the value is a list.
std::string DescribeExpectedScalar(const Option& option);
std::string DescribeExpectedItem(const Option& option);
std::string DescribeQuantity(const QuantityType& quantity);

// The words that the value, or an item, can be. Suggestions for a misspelled one.
std::vector<std::string_view> WordsOf(const Option& option);

// Parses one scalar or item. The error has no cause where the expected value explains it.
Result<OptionValue> ParseScalar(const ValueType& type, std::string_view text,
                                std::span<const std::string> earlier = {});

// The value as YAML in one line, which parses as the same value.
std::string FormatValue(const Option& option, const OptionValue& value);
std::string FormatDefault(const Option& option);

}  // namespace procevent
