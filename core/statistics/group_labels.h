// Makes the labels of a group from the attributes of its processes.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "core/statistics/group_name.h"
#include "core/tracker/attributes.h"

namespace procevent {

inline constexpr std::array<std::string_view, 1> kGroupLabelNames{"comm"};
inline constexpr std::size_t kGroupLabels = kGroupLabelNames.size();

// One value for each name of kGroupLabelNames.
using GroupLabels = std::array<LabelValue, kGroupLabels>;

// Applies the name rules to the command. Owned by GroupTable.
class GroupLabeler {
 public:
  explicit GroupLabeler(NameGroups rules) : rules_(std::move(rules)) {}

  [[nodiscard]] GroupLabels LabelsOf(const Attributes& attributes) const { return {rules_.LabelOf(attributes.comm)}; }
  [[nodiscard]] static GroupLabels LabelsOf(ReservedGroup group) {
    return {LabelValue(kReservedGroupNames.at(static_cast<std::size_t>(group)))};
  }

 private:
  NameGroups rules_;
};

}  // namespace procevent
