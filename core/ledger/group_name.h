// FOLDED: comm_label.h, reserved_comms.h, name_groups.h
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ledger/ledger_options.h"
#include "core/protocol/event.h"

namespace re2 {
class RE2;
}

namespace procevent {

// A name as it may stand in a label: valid UTF-8, one line, nothing that a terminal or a dashboard would not show.
// Pure; the comm table makes labels, once per distinct name.

class CommLabel {
 public:
  static constexpr std::size_t kMaxBytes = 63;  // all of a comm's 15 bytes as \xNN, and some more for groups

  CommLabel() = default;
  // Every byte that is not part of a visible character becomes \xNN, as in a name that says so in four characters. Cut
  // where it grows too long, never inside of a character.
  explicit CommLabel(std::string_view bytes);

  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }
  bool operator==(const CommLabel& other) const { return view() == other.view(); }

 private:
  [[nodiscard]] bool Append(std::string_view piece);

  std::array<char, kMaxBytes> bytes_{};
  std::uint8_t size_ = 0;
};

// The rows that stand for no command: each longer than the 15 bytes of a command's name, so that no process can call
// itself so. For the comm table, and for whoever reads its rows.

enum class ReservedComm : std::uint8_t {
  kUntracked,     // events of processes that are not in the process table
  kUnattributed,  // programs that nothing named before they ended
  kNameless,      // processes that have made their name empty
  kOverflow,      // names that came when the comm table was full
  kRetired,       // what had been counted under names that were idle for long
};
inline constexpr std::size_t kReservedComms = 5;
inline constexpr std::array<std::string_view, kReservedComms> kReservedCommNames{
    "[untracked processes]", "[unattributed programs]", "[processes without a name]", "[other comms beyond limit]",
    "[retired comms here]"};
static_assert(std::ranges::all_of(kReservedCommNames,
                                  [](std::string_view name) { return name.size() > CommName::kMaxBytes; }));

constexpr bool IsReserved(std::string_view label) {
  return std::ranges::find(kReservedCommNames, label) != kReservedCommNames.end();
}

// Rules that book many names under one: the first that matches the whole name decides. Only user of RE2.
// The comm table applies them; the configuration has each rule checked.

// What was found in a rule that is wrong; nothing if it is right.
std::optional<std::string> ValidateNameGroup(const NameGroup& group);

class NameGroups {
 public:
  // Each rule must be right.
  explicit NameGroups(std::span<const NameGroup> groups);

  // The label that a name is booked under: its group's, or its own where that is empty or reserved.
  [[nodiscard]] CommLabel LabelOf(const CommName& name) const;

 private:
  struct Rule {
    std::shared_ptr<const re2::RE2> match;
    std::string name;
  };
  std::vector<Rule> rules_;
};

}  // namespace procevent
