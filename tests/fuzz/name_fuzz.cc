// Makes a label of any bytes as a name, alone and with a grouping rule. The input is the name, NUL, the expression of
// the rule, NUL, its replacement. Checks that a label is valid UTF-8 of bounded size without control characters and is
// not reserved for the exporter, and that printable ASCII is unchanged.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/statistics/counting_options.h"
#include "core/statistics/group_name.h"
#include "require.h"
#include "tests/core/statistics/reference_utf8.h"

namespace procevent {
namespace {

std::string_view TakePart(std::string_view& input) {
  const std::string_view part = input.substr(0, input.find('\0'));
  input.remove_prefix(std::min(part.size() + 1, input.size()));
  return part;
}

void CheckLabel(const LabelValue& label) {
  const std::string_view view = label.view();
  Require(view.size() <= LabelValue::kMaxBytes, "a label fits");
  Require(IsWellFormed(view), "a label is UTF-8");
  Require(std::ranges::none_of(CodePointsOf(view), IsControl), "a label has no control characters");
  Require(LabelValue(view) == label, "the label of a label is itself");
}

void CheckNameAlone(const CommName& name) {
  Require(name.view().size() <= CommName::kMaxBytes, "a name fits");
  Require(CommName(name.view()) == name, "a copy of a name is equal");
  const NameGroups none({});
  const LabelValue label = none.LabelOf(name);
  CheckLabel(label);
  Require(label.view().empty() == name.view().empty(), "only the empty name has an empty label");
  Require(!IsReserved(label.view()), "no name has a reserved label");
  if (std::ranges::all_of(name.view(), [](char byte) { return byte >= ' ' && byte <= '~'; })) {
    Require(label.view() == name.view(), "printable ASCII is unchanged");
  }
}

void CheckGrouped(const CommName& name, const NameGroup& rule) {
  std::vector<NameGroup> rules = CountingOptions().name_groups;
  if (const Status valid = ValidateNameGroup(rule); !valid) {
    Require(!DescribeCause(valid.error()).empty(), "an error has a text");
  } else {
    rules.push_back(rule);
  }
  const LabelValue label = NameGroups(rules).LabelOf(name);
  CheckLabel(label);
  Require(!IsReserved(label.view()), "no rule makes a reserved label");
}

}  // namespace
}  // namespace procevent

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  std::string_view input = bytes;
  procevent::CheckLabel(procevent::LabelValue(input));
  const procevent::CommName name(procevent::TakePart(input));
  procevent::CheckNameAlone(name);
  const std::string match(procevent::TakePart(input));
  procevent::CheckGrouped(name, {.match = match, .name = std::string(input)});
  return 0;
}
