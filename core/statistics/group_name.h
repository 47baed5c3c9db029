// Maps the name of a process to the label of its group: escapes it, and applies the configured name rules.
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

#include "core/base/hash.h"
#include "core/base/result.h"
#include "core/protocol/event.h"
#include "core/statistics/counting_options.h"

namespace procevent {

// A process name in a form that is safe as a label: valid UTF-8 on one line, with visible characters only. The group
// table makes one for each distinct name.
class LabelValue {
 public:
  static constexpr std::size_t kMaxBytes = 63;  // 15 bytes of a comm as \xNN take 60

  LabelValue() = default;
  // Replaces every byte that is not part of a visible character with the four characters \xNN. A name that contains
  // these four characters itself gets the same label. A label that is too long is cut, never inside a character.
  explicit LabelValue(std::string_view bytes);

  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }
  [[nodiscard]] std::uint64_t hash(std::uint64_t seed) const { return HashBytes(view(), seed); }
  bool operator==(const LabelValue& other) const { return view() == other.view(); }

 private:
  std::array<char, kMaxBytes> bytes_{};
  std::uint8_t size_ = 0;
};

// The groups that stand for no command. Each label is longer than the 15 bytes of a comm, so that no process can forge
// one.
enum class ReservedGroup : std::uint8_t {
  kUntracked,     // events of processes that are not in the process table
  kUnattributed,  // events of programs that could not be named
  kNameless,      // processes with an empty name
  kOverflow,      // names that occurred first while the group table was full
};
inline constexpr std::size_t kReservedGroups = 4;
inline constexpr std::array<std::string_view, kReservedGroups> kReservedGroupNames{
    "[untracked processes]", "[unattributed programs]", "[processes without a name]", "[groups beyond the limit]"};
static_assert(std::ranges::all_of(kReservedGroupNames,
                                  [](std::string_view name) { return name.size() > CommName::kMaxBytes; }));

constexpr bool IsReserved(std::string_view label) {
  return std::ranges::find(kReservedGroupNames, label) != kReservedGroupNames.end();
}

// Checks one rule. The details of an error are RE2's message, quoted.
Status ValidateNameGroup(const NameGroup& group);

// The memory that one rule may take, and all of them together: once for the compiled expressions with the states that
// matching adds, and once for the parsed expressions.
inline constexpr std::size_t kNameRuleBytes = std::size_t{256} << 10;
inline constexpr std::size_t kNameRulesBytes = std::size_t{8} << 20;

// Checks that no rule is too large beside the others, all of which are valid.
Status ValidateNameGroupsSize(std::span<const NameGroup> groups);

// The configured name rules. The first rule that matches the whole name decides. This is the only user of RE2, which
// matches in linear time, whatever the expressions and the names are.
//
// A name is matched only against the rules whose literal texts it contains (RE2's prefilter). One automaton of all
// rules (RE2::Set) is faster for names that resemble each other, but with rules that begin with `.*` it builds new
// states for each new name: 50 times slower than one rule after the other.
class NameGroups {
 public:
  // Every rule must be valid, see ValidateNameGroup.
  explicit NameGroups(std::span<const NameGroup> groups);

  // Returns the label that a name is counted under. A rule whose result is empty or reserved leaves the name unchanged.
  [[nodiscard]] LabelValue LabelOf(const CommName& name) const;

 private:
  class Matcher;
  struct Result {
    std::string name;
    int captures = 0;  // the highest one in `name`
  };
  std::shared_ptr<const Matcher> matcher_;  // null without rules
  std::vector<Result> results_;             // of each rule
};

}  // namespace procevent
