// Rules that book many names under one: the first that matches the whole name decides. Only user of RE2.
// The comm table applies them; the configuration has each rule checked.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/ledger/comm_label.h"
#include "core/ledger/ledger_options.h"
#include "core/protocol/comm_name.h"

namespace re2 {
class RE2;
}

namespace procevent {

// What was found in a rule that is wrong; nothing if it is right.
std::optional<std::string> FaultOf(const NameGroup& group);

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
