// Compares the prefilter of all name rules with the rules tried one after the other, on random rules and names.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/statistics/group_name.h"

namespace procevent {
namespace {

// Generates valid rules of a small alphabet, so that several of them often match the same name.
class RuleGenerator {
 public:
  std::vector<NameGroup> Rules(std::size_t count) {
    std::vector<NameGroup> rules;
    while (rules.size() < count) {
      NameGroup rule{.match = Expression(3), .name = Result()};
      if (ValidateNameGroup(rule)) {
        rules.push_back(std::move(rule));
      }
    }
    return rules;
  }
  CommName Name() {
    std::string name;
    for (std::size_t length = Below(CommName::kMaxBytes + 1); name.size() < length;) {
      name += OneIn(20) ? static_cast<char>(1 + Below(255)) : kLetters[Below(kLetters.size())];
    }
    return CommName(name);
  }
  std::size_t Below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }

 private:
  static constexpr std::string_view kLetters = "aabAB-/0";

  bool OneIn(std::size_t times) { return Below(times) == 0; }
  std::string Expression(int depth) {
    static const std::vector<std::string> atoms{"a",     "b",     "-",    "/",      "0",        ".",         R"(\d)",
                                                R"(\w)", "[^a]",  "^",    "$",      R"(\b)",    R"(\B)",     "\\C",
                                                "\n",    "(?i)A", "a{2}", "[a-b]",  ".*",       R"(\x{ff})", "(?:)",
                                                ".*?",   "a+",    "\xC3", "(?i)b0", "(?i)\xC9", "aB",        "A"};
    if (depth == 0 || OneIn(4)) {
      return atoms[Below(atoms.size())];
    }
    const std::string first = Expression(depth - 1);
    const std::string second = Expression(depth - 1);
    switch (Below(6)) {
      case 0:
        return "(" + first + ")" + second;
      case 1:
        return "(?:" + first + "|" + second + ")";
      case 2:
        return "(?:" + first + ")*" + second;
      case 3:
        return "(?:" + first + ")?" + second;
      default:
        return first + second;
    }
  }
  std::string Result() {
    static const std::vector<std::string> results{"rule", R"(\0)", R"(x\1)", R"(\1)", R"(\2-\1)", R"(\\)"};
    return results[Below(results.size())] + (OneIn(2) ? std::to_string(Below(1000)) : "");
  }

  std::mt19937 random_{16};
};

// Each rule alone, which is matched without a prefilter.
class Reference {
 public:
  explicit Reference(const std::vector<NameGroup>& rules) {
    for (const NameGroup& rule : rules) {
      rules_.emplace_back(NameGroups({{{rule.match, std::string(kMatched)}}}), NameGroups({{rule}}));
    }
  }
  [[nodiscard]] LabelValue LabelOf(const CommName& name) const {
    for (const auto& [matches, label] : rules_) {
      if (matches.LabelOf(name).view() == kMatched) {
        return label.LabelOf(name);
      }
    }
    return LabelValue(name.view());
  }

 private:
  static constexpr std::string_view kMatched = "longer than a name";
  std::vector<std::pair<NameGroups, NameGroups>> rules_;
};

TEST(NameGroupsPropertyTest, FindsTheSameRuleAsTryingOneAfterTheOther) {
  RuleGenerator random;
  std::size_t changed = 0;
  for (int round = 0; round < 300; ++round) {
    const std::vector<NameGroup> rules = random.Rules(1 + random.Below(round % 10 == 0 ? 99 : 8));
    const Reference reference(rules);
    const NameGroups all(rules);
    for (int i = 0; i < 300; ++i) {
      const CommName name = random.Name();
      const LabelValue expected = reference.LabelOf(name);
      ASSERT_EQ(all.LabelOf(name).view(), expected.view()) << "round " << round << ", name " << name.view();
      changed += expected == LabelValue(name.view()) ? 0U : 1U;
    }
  }
  EXPECT_GT(changed, 10'000U) << "few rules matched: this test shows little";
}

}  // namespace
}  // namespace procevent
