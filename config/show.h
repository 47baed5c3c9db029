// How options are written: YAML of one line, that the schema's table reads back as the same option. Pure; only that
// table calls these.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/ledger/ledger_options.h"
#include "core/protocol/event_mask.h"

namespace procevent {

std::string ShowBool(bool value);
std::string ShowText(std::string_view text);
// The name of an enumerator, of those in its order.
template <typename Enumerator>
std::string ShowName(std::span<const std::string_view> names, Enumerator value) {
  return std::string(names[static_cast<std::size_t>(value)]);
}
std::string ShowTexts(std::span<const std::string> texts);                        // ["127.0.0.1:1", /m]
std::string ShowNetworks(std::span<const std::string> networks);                  // none is "all"
std::string ShowEvents(EventMask events);                                         // all, or [fork, comm]
std::string ShowCounts(std::span<const std::uint64_t> counts);                    // [0, 255]
std::string ShowDurations(std::span<const std::chrono::milliseconds> durations);  // [1ms, 5s]
std::string ShowGroups(std::span<const NameGroup> groups);                        // [{match: "a.*", name: "a"}]

}  // namespace procevent
