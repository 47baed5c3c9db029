// The table of all configuration keys: path, bounds, parser and formatter of each. Independent of YAML and of where a
// value came from.
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

// Describes one key. To add a key, add an entry to the table in schema.cc.
struct ConfigKey {
  std::string_view path{};      // "source.receive_buffer"
  std::string_view expected{};  // "a whole number from 1 to 64, without sign or leading zeros, like 40": follows
                                // "expected" in an error
  ValueParser parse = nullptr;  // of a scalar; where lists are accepted, of a word that replaces the list, like `all`
  std::span<const std::string_view> names{};  // the words that `parse` accepts, for suggestions; empty: not words

  // Where a list is accepted, of 1 to `max_items`:
  std::size_t max_items = 0;
  bool may_be_empty = false;  // the list may have no item
  std::string_view expected_item{};
  std::span<const std::string_view> item_names{};  // the words that `parse_item` accepts
  ValueParser parse_item = nullptr;                // of an item that is a scalar,
  std::span<const std::string_view> fields{};      // or the keys of an item that is a map,
  FieldsParser parse_fields = nullptr;             // and the parser of their values, in this order
  void (*clear)(Config& config) = nullptr;         // called before the first item
  // Called after the last item; rejects what only the whole list shows.
  ParseResult (*finish)(Config& config) = [](Config&) { return ParseResult{.accepted = true, .reason = {}}; };

  std::string (*show)(const Config& config) = nullptr;  // the value as YAML of one line, which parses as the same value
  bool restricts_access = false;                        // then an empty variable is an error, not an unset one
  bool live = false;                                    // a reload applies it without a restart
};

std::span<const ConfigKey> Schema();

}  // namespace procevent
