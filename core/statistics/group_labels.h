// Makes the labels of a group from the attributes of its processes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/hash.h"
#include "core/base/intern_table.h"
#include "core/statistics/group_name.h"
#include "core/tracker/attributes.h"

namespace procevent {

inline constexpr std::array<std::string_view, 1> kGroupLabelNames{"comm"};
inline constexpr std::size_t kGroupLabels = kGroupLabelNames.size();

// One value for each name of kGroupLabelNames.
using GroupLabels = std::array<LabelValue, kGroupLabels>;

// The labels of a group as the key of a table.
struct GroupKey {
  GroupLabels labels;

  [[nodiscard]] std::uint64_t hash(std::uint64_t seed) const {
    for (const LabelValue& label : labels) {
      seed = label.hash(seed);
    }
    return seed;
  }
  bool operator==(const GroupKey&) const = default;
};
using GroupKeyTable = InternTable<GroupKey>;
using GroupId = GroupKeyTable::Id;

// Applies the name rules to the command. Owned by GroupTable.
class GroupLabeler {
 public:
  explicit GroupLabeler(NameGroups rules) : rules_(std::move(rules)) {}

  [[nodiscard]] GroupLabels LabelsOf(const Attributes& attributes) const { return {rules_.LabelOf(attributes.comm)}; }
  [[nodiscard]] static GroupLabels LabelsOf(ReservedGroup group) {
    return {LabelValue(kReservedGroupNames.at(static_cast<std::size_t>(group)))};
  }
  // The reserved group of attributes that have these labels. Empty if they belong to a group of their own.
  [[nodiscard]] static std::optional<ReservedGroup> ReservedGroupOf(const Attributes& attributes,
                                                                    const GroupLabels& labels) {
    switch (attributes.missing) {
      case Attributes::Missing::kUntracked:
        return ReservedGroup::kUntracked;
      case Attributes::Missing::kUnattributed:
        return ReservedGroup::kUnattributed;
      case Attributes::Missing::kNone:
        break;
    }
    return labels.front().view().empty() ? std::optional(ReservedGroup::kNameless) : std::nullopt;  // the command
  }

 private:
  NameGroups rules_;
};

}  // namespace procevent
