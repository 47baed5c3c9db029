// The keys there are: where each stands, what is allowed, and how its text becomes an option. Knows neither YAML nor
// flags; used by the check of both.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "config/config.h"

namespace procevent {

// What became of one text.
struct Verdict {
  bool taken = false;
  std::string reason;  // why not, where `allowed` alone does not say it
};
using Take = Verdict (*)(std::string_view text, Config& config);
using TakeFields = Verdict (*)(std::span<const std::string> texts, Config& config);

struct ConfigKey {
  std::string_view path{};     // "source.receive_buffer"
  std::string_view allowed{};  // "a size from 64KiB to 1GiB, like 32MiB": fits after "allowed is"
  Take take = nullptr;         // a single text; nullptr: it must be a list

  // Where a list may stand, of 1 to `most_items`:
  std::size_t most_items = 0;
  bool may_be_empty = false;  // or of none
  std::string_view allowed_item{};
  Take take_item = nullptr;                    // each is a text,
  std::span<const std::string_view> fields{};  // or each is a map with just these,
  TakeFields take_fields = nullptr;            // whose texts come in that order
  void (*start)(Config& config) = nullptr;     // before the first item
  void (*finish)(Config& config) = nullptr;    // after the last; may be nullptr
};

std::span<const ConfigKey> Schema();

}  // namespace procevent
