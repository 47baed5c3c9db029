// The keys there are: where each stands, what is allowed, how its text becomes an option, and an option its text.
// Knows neither where a text came from nor YAML; used by the checks of file, environment and flags.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "config/schema/effective_config.h"
#include "config/schema/option_values.h"

namespace procevent {

using ValueParser = ParseResult (*)(std::string_view text, Config& config);
using FieldsParser = ParseResult (*)(std::span<const std::string> texts, Config& config);

struct ConfigKey {
  std::string_view path{};     // "source.receive_buffer"
  std::string_view allowed{};  // "a number from 1 to 64 in digits alone, like 40": fits after "allowed is"
  ValueParser take = nullptr;  // a text alone; of a list, a word that stands for another one
  std::span<const std::string_view> names{};  // the words there are for it, for near misses; empty: it is no word

  // Where a list may stand, of 1 to `most_items`:
  std::size_t most_items = 0;
  bool may_be_empty = false;  // or of none
  std::string_view allowed_item{};
  std::span<const std::string_view> item_names{};
  ValueParser take_item = nullptr;                  // each is a text,
  std::span<const std::string_view> fields{};       // or each is a map with just these,
  FieldsParser take_fields = nullptr;               // whose texts come in that order
  void (*start)(Config& config) = nullptr;          // before the first item
  void (*finish)(Config& config) = [](Config&) {};  // after the last

  std::string (*show)(const Config& config) = nullptr;  // as YAML of one line: read back, it is the same
  bool guards = false;                                  // it keeps somebody out: an empty variable is a fault
  bool live = false;                                    // it can change while the exporter runs
};

std::span<const ConfigKey> Schema();

}  // namespace procevent
