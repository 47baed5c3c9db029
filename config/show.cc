#include "config/show.h"

#include <cstddef>
#include <vector>

#include "config/quantity.h"
#include "config/yaml_text.h"

namespace procevent {
namespace {

template <typename Items, typename Show>
std::string List(const Items& items, Show show) {
  std::string text;
  for (const auto& item : items) {
    text += (text.empty() ? "" : ", ") + show(item);
  }
  return '[' + text + ']';
}

}  // namespace

std::string ShowBool(bool value) { return value ? "true" : "false"; }

std::string ShowText(std::string_view text) { return YamlText(text); }

std::string ShowTexts(std::span<const std::string> texts) { return List(texts, YamlText); }

std::string ShowNetworks(std::span<const std::string> networks) {
  return networks.empty() ? "all" : ShowTexts(networks);
}

std::string ShowEvents(EventMask events) {
  if (events == EventMask::All()) {
    return "all";
  }
  std::vector<std::string> names;
  for (std::size_t kind = 0; kind < kEventKinds; ++kind) {
    if (events.Has(static_cast<EventKind>(kind))) {
      names.emplace_back(kEventNames.at(kind));
    }
  }
  return List(names, [](const std::string& name) { return name; });
}

std::string ShowCounts(std::span<const std::uint64_t> counts) {
  return List(counts, [](std::uint64_t count) { return std::to_string(count); });
}

std::string ShowDurations(std::span<const std::chrono::milliseconds> durations) {
  return List(durations, DurationText);
}

std::string ShowGroups(std::span<const NameGroup> groups) {
  return List(groups, [](const NameGroup& group) {
    return "{match: " + YamlQuoted(group.match) + ", name: " + YamlQuoted(group.name) + '}';
  });
}

}  // namespace procevent
