#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ledger/group_name.h"

namespace procevent {
namespace {

std::string LabelOf(const std::vector<NameGroup>& rules, std::string_view name) {
  return std::string(NameGroups(rules).LabelOf(CommName(name)).view());
}

struct Row {
  std::string name;
  std::vector<NameGroup> rules;
  std::string_view comm;
  std::string_view label;
};
class NameGroupsTableTest : public testing::TestWithParam<Row> {};
TEST_P(NameGroupsTableTest, Books) { EXPECT_EQ(LabelOf(GetParam().rules, GetParam().comm), GetParam().label); }

const std::vector<NameGroup> kDefault = LedgerOptions().name_groups;
INSTANTIATE_TEST_SUITE_P(
    Rules, NameGroupsTableTest,
    testing::Values(
        Row{"DefaultFoldsKworkers", kDefault, "kworker/3:1H-kblockd", "kworker"},
        Row{"DefaultFoldsUnboundKworkers", kDefault, "kworker/u8:0", "kworker"},
        Row{"DefaultLeavesKworker", kDefault, "kworker", "kworker"},
        Row{"DefaultWantsTheSlash", kDefault, "kworkers", "kworkers"},
        Row{"DefaultLeavesOthers", kDefault, "bash", "bash"}, Row{"NoRules", {}, "kworker/3:1", "kworker/3:1"},
        Row{"FirstMatchWins", {{"ba.*", "first"}, {"bash", "second"}}, "bash", "first"},
        Row{"SecondIfTheFirstDoesNot", {{"ca.*", "first"}, {"bash", "second"}}, "bash", "second"},
        Row{"NotAPrefix", {{"ba", "part"}}, "bash", "bash"}, Row{"NotASuffix", {{"sh", "part"}}, "bash", "bash"},
        Row{"NotTheMiddle", {{"as", "part"}}, "bash", "bash"},
        Row{"TheLongAlternative", {{"ba|bash", "whole"}}, "bash", "whole"},
        Row{"LazyIsWholeToo", {{"b.*?", "whole"}}, "bash", "whole"},
        Row{"Captures", {{R"((python)\d.*)", R"(\1)"}}, "python3.11", "python"},
        Row{"CapturesInText", {{R"((\w+)-(\w+)-\d+)", R"(\2 of \1)"}}, "pool-worker-7", "worker of pool"},
        Row{"CapturesTheNinth", {{"(.)(.)(.)(.)(.)(.)(.)(.)(.).*", R"(\9\1)"}}, "abcdefghijkl", "ia"},
        Row{"TenGroups", {{"(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)", R"(\9)"}}, "abcdefghij", "i"},
        Row{"TheWholeIsNull", {{"a.*", R"(x\0)"}}, "abc", "xabc"}, Row{"ABackslash", {{"a", R"(\\)"}}, "a", R"(\)"},
        Row{"WhatCaughtNothing", {{"(x)?a(.*)", R"(\1\2b)"}}, "a", "b"},
        Row{"ChainsDoNotForm", {{"a", "b"}, {"b", "c"}}, "a", "b"},
        Row{"DotIsAnyByte", {{"a.b", "dot"}}, "a\nb", "dot"},
        Row{"BytesThatAreNoCharacter", {{".*", "any"}}, "a\xFF", "any"},
        Row{"BytesByC", {{R"(a\C*)", "any"}}, "a\xFF\xC3", "any"},
        Row{"CharactersAreTheirBytes", {{"caf\xC3\xA9", "coffee"}, {"caf.", "one byte"}}, "caf\xC3\xA9", "coffee"},
        Row{"WhatIsCaughtIsCleaned", {{"(?s)x(.)", R"(\1)"}}, "x\n", R"(\x0a)"},
        Row{"TheEmptyName", {{"", "none"}}, "", "none"},
        Row{"IgnoresCaseIfTold", {{"(?i)BASH", "shell"}}, "bash", "shell"}),
    [](const auto& row) { return row.param.name; });

TEST(NameGroupsTest, NoRuleMakesANameEmpty) { EXPECT_EQ(LabelOf({{"x(.*)", R"(\1)"}}, "x"), "x"); }

TEST(NameGroupsTest, NoRewriteYieldsAReservedLabel) {
  for (const std::string_view reserved : kReservedCommNames) {
    const std::string kept(reserved.substr(4, 12));
    const std::string around = std::string(reserved.substr(0, 4)) + R"(\1)" + std::string(reserved.substr(16));
    const std::vector<NameGroup> rules{{"(.*)", around}};
    ASSERT_FALSE(ValidateNameGroup(rules[0]));
    EXPECT_EQ(LabelOf(rules, kept), kept) << reserved;
    EXPECT_NE(LabelOf(rules, "bash"), "bash") << "other names are rewritten";
  }
}

TEST(NameGroupsTest, ALongRewriteIsCut) {
  EXPECT_EQ(LabelOf({{"(.*)", R"(\1\1\1\1\1\1)"}}, "0123456789abcde").size(), CommLabel::kMaxBytes);
}

TEST(NameGroupsTest, CanBeMoved) {
  NameGroups first(kDefault);
  NameGroups second(std::move(first));
  EXPECT_EQ(second.LabelOf(CommName("kworker/1")).view(), "kworker");
  NameGroups third({});
  third = std::move(second);
  EXPECT_EQ(third.LabelOf(CommName("kworker/1")).view(), "kworker");
}

// A backtracking matcher would take years.
TEST(NameGroupsTest, NoPatternIsSlow) {
  const std::vector<NameGroup> rules{{"(a*)*(a*)*(a*)*(a*)*b", "never"},
                                     {"((((a|a)*)*)*)*c", "never"},
                                     {"(.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?){1,8}d", R"(\1)"}};
  const NameGroups groups(rules);
  const CommName name("aaaaaaaaaaaaaaa");
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(groups.LabelOf(name).view(), name.view());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

std::string Repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

struct Fault {
  std::string name;
  NameGroup rule;
  std::optional<std::string> fault;
};
class FaultTableTest : public testing::TestWithParam<Fault> {};
TEST_P(FaultTableTest, IsNamed) { EXPECT_EQ(ValidateNameGroup(GetParam().rule), GetParam().fault); }

constexpr const char* kBadName = "a name that is not 1 to 63 bytes of visible characters";
INSTANTIATE_TEST_SUITE_P(
    Rules, FaultTableTest,
    testing::Values(
        Fault{"None", {"a(.*)", R"(a\1)"}, std::nullopt}, Fault{"NoneOfTheDefault", kDefault[0], std::nullopt},
        Fault{"NoneOfTheEmptyMatch", {"", "x"}, std::nullopt},
        Fault{"NoneAt63Bytes", {"a", std::string(63, 'x')}, std::nullopt},
        Fault{"OpenBracket", {"a(", "x"}, "an invalid regular expression: missing ): a("},
        Fault{"OpenClass", {"[a", "x"}, "an invalid regular expression: missing ]: [a"},
        Fault{"NothingToRepeat", {"*", "x"}, "an invalid regular expression: no argument for repetition operator: *"},
        Fault{"BackReference", {R"((a)\1)", "x"}, R"(an invalid regular expression: invalid escape sequence: \1)"},
        Fault{"LookAhead", {"(?=a)", "x"}, "an invalid regular expression: invalid perl operator: (?="},
        Fault{"TooLarge",
              {Repeated(".{1000}", 100), "x"},
              "an invalid regular expression: pattern too large - compile failed"},
        Fault{"NoSuchGroup",
              {"a(.*)", R"(\2)"},
              "a name with an invalid capture reference: Rewrite schema requests 2 matches, but the regexp only has 1 "
              "parenthesized subexpressions."},
        Fault{
            "BackslashOfNothing",
            {"a", R"(\x)"},
            R"(a name with an invalid capture reference: Rewrite schema error: '\' must be followed by a digit or '\'.)"},
        Fault{"BackslashAtTheEnd",
              {"a", R"(x\)"},
              R"(a name with an invalid capture reference: Rewrite schema error: '\' not allowed at end.)"},
        Fault{"EmptyName", {"a", ""}, kBadName}, Fault{"LongName", {"a", std::string(64, 'x')}, kBadName},
        Fault{"NameOfTwoLines", {"a", "x\ny"}, kBadName}, Fault{"NameIsNoUtf8", {"a", "\xC3"}, kBadName},
        Fault{"Untracked", {"a", "[untracked processes]"}, "a reserved name"},
        Fault{"Overflow", {"a", "[other comms beyond limit]"}, "a reserved name"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace procevent
