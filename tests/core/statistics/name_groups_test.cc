#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/text.h"
#include "core/statistics/group_name.h"

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
TEST_P(NameGroupsTableTest, MapsToLabel) { EXPECT_EQ(LabelOf(GetParam().rules, GetParam().comm), GetParam().label); }

const std::vector<NameGroup> kDefault = CountingOptions().name_groups;
INSTANTIATE_TEST_SUITE_P(
    Rules, NameGroupsTableTest,
    testing::Values(
        Row{"DefaultFoldsKworkers", kDefault, "kworker/3:1H-kblockd", "kworker"},
        Row{"DefaultFoldsUnboundKworkers", kDefault, "kworker/u8:0", "kworker"},
        Row{"DefaultLeavesKworker", kDefault, "kworker", "kworker"},
        Row{"DefaultRequiresTheSlash", kDefault, "kworkers", "kworkers"},
        Row{"DefaultLeavesOthers", kDefault, "bash", "bash"}, Row{"NoRules", {}, "kworker/3:1", "kworker/3:1"},
        Row{"FirstMatchWins", {{"ba.*", "first"}, {"bash", "second"}}, "bash", "first"},
        Row{"SecondIfTheFirstDoesNotMatch", {{"ca.*", "first"}, {"bash", "second"}}, "bash", "second"},
        Row{"NotAPrefix", {{"ba", "part"}}, "bash", "bash"}, Row{"NotASuffix", {{"sh", "part"}}, "bash", "bash"},
        Row{"NotTheMiddle", {{"as", "part"}}, "bash", "bash"},
        Row{"TheLongAlternative", {{"ba|bash", "whole"}}, "bash", "whole"},
        Row{"LazyIsWholeToo", {{"b.*?", "whole"}}, "bash", "whole"},
        Row{"Captures", {{R"((python)\d.*)", R"(\1)"}}, "python3.11", "python"},
        Row{"CapturesInText", {{R"((\w+)-(\w+)-\d+)", R"(\2 of \1)"}}, "pool-worker-7", "worker of pool"},
        Row{"CapturesTheNinth", {{"(.)(.)(.)(.)(.)(.)(.)(.)(.).*", R"(\9\1)"}}, "abcdefghijkl", "ia"},
        Row{"TenGroups", {{"(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)", R"(\9)"}}, "abcdefghij", "i"},
        Row{"TheWholeIsNull", {{"a.*", R"(x\0)"}}, "abc", "xabc"}, Row{"ABackslash", {{"a", R"(\\)"}}, "a", R"(\)"},
        Row{"EmptyCapture", {{"(x)?a(.*)", R"(\1\2b)"}}, "a", "b"},
        Row{"ResultIsNotMatchedAgain", {{"a", "b"}, {"b", "c"}}, "a", "b"},
        Row{"DotIsAnyByte", {{"a.b", "dot"}}, "a\nb", "dot"},
        Row{"BytesThatAreNoCharacter", {{".*", "any"}}, "a\xFF", "any"},
        Row{"BytesByC", {{R"(a\C*)", "any"}}, "a\xFF\xC3", "any"},
        Row{"CharactersAreTheirBytes", {{"caf\xC3\xA9", "coffee"}, {"caf.", "one byte"}}, "caf\xC3\xA9", "coffee"},
        Row{"CaptureIsEscaped", {{"(?s)x(.)", R"(\1)"}}, "x\n", R"(\x0a)"},
        Row{"TheEmptyName", {{"", "none"}}, "", "none"},
        Row{"IgnoresCaseWithTheFlag", {{"(?i)BASH", "shell"}}, "bash", "shell"}),
    [](const auto& row) { return row.param.name; });

TEST(NameGroupsTest, KeepsANameThatARuleWouldMakeEmpty) { EXPECT_EQ(LabelOf({{"x(.*)", R"(\1)"}}, "x"), "x"); }

TEST(NameGroupsTest, KeepsANameThatARuleWouldMakeReserved) {
  for (const std::string_view reserved : kReservedGroupNames) {
    const std::string kept(reserved.substr(4, 12));
    const std::string around = std::string(reserved.substr(0, 4)) + R"(\1)" + std::string(reserved.substr(16));
    const std::vector<NameGroup> rules{{"(.*)", around}};
    ASSERT_TRUE(ValidateNameGroup(rules[0]));
    EXPECT_EQ(LabelOf(rules, kept), kept) << reserved;
    EXPECT_NE(LabelOf(rules, "bash"), "bash") << "the rule applies to other names";
  }
}

TEST(NameGroupsTest, CutsALongResult) {
  EXPECT_EQ(LabelOf({{"(.*)", R"(\1\1\1\1\1\1)"}}, "0123456789abcde").size(), LabelValue::kMaxBytes);
}

TEST(NameGroupsTest, CanBeMoved) {
  NameGroups first(kDefault);
  NameGroups second(std::move(first));
  EXPECT_EQ(second.LabelOf(CommName("kworker/1")).view(), "kworker");
  NameGroups third({});
  third = std::move(second);
  EXPECT_EQ(third.LabelOf(CommName("kworker/1")).view(), "kworker");
}

// A backtracking matcher would need exponential time.
TEST(NameGroupsTest, MatchesInLinearTime) {
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

struct InvalidGroup {
  std::string name;
  NameGroup rule;
  std::string part;   // of the rule, as the message names it
  std::string cause;  // within the message
};
class ValidateNameGroupTest : public testing::TestWithParam<InvalidGroup> {};
TEST_P(ValidateNameGroupTest, NamesThePartAndTheCause) {
  const Status valid = ValidateNameGroup(GetParam().rule);
  ASSERT_FALSE(valid);
  const std::string quoted = QuotePrintable(GetParam().cause);
  EXPECT_THAT(DescribeCause(valid.error()), testing::AllOf(testing::StartsWith(GetParam().part),
                                                           testing::HasSubstr(quoted.substr(1, quoted.size() - 2))));
}

TEST(NameGroupsTest, AcceptsValidRules) {
  for (const NameGroup& rule :
       {NameGroup{"a(.*)", R"(a\1)"}, kDefault[0], NameGroup{"", "x"}, NameGroup{"a", std::string(63, 'x')}}) {
    EXPECT_TRUE(ValidateNameGroup(rule)) << rule.match;
  }
}

TEST(NameGroupsTest, RejectsRulesThatAreTooLargeTogether) {
  const std::vector<NameGroup> large(100, {"(a|b.){1000}(c|d.){900}", "x"});
  EXPECT_TRUE(ValidateNameGroup(large.front()));
  const Status share = ValidateNameGroupsSize(large);
  ASSERT_FALSE(share);
  EXPECT_THAT(share.error().details, testing::HasSubstr("for each of 100 rules"));
  EXPECT_TRUE(ValidateNameGroupsSize(std::span(large).first(2)));
  const Status together = ValidateNameGroupsSize(std::span(large).first(8));
  ASSERT_FALSE(together);
  EXPECT_THAT(together.error().details, testing::StartsWith("76032 of at most "));
  EXPECT_TRUE(ValidateNameGroupsSize({}));
  EXPECT_TRUE(ValidateNameGroupsSize(std::vector<NameGroup>(100, {R"((.*)[-/]\d+)", R"(\1)"})));
}

constexpr const char* kMatch = "match is not an RE2 expression (";
constexpr const char* kCapture = "name has an invalid capture reference (";
INSTANTIATE_TEST_SUITE_P(
    Rules, ValidateNameGroupTest,
    testing::Values(
        InvalidGroup{"OpenBracket", {"a(", "x"}, kMatch, "missing ): a("},
        InvalidGroup{"OpenClass", {"[a", "x"}, kMatch, "missing ]: [a"},
        InvalidGroup{"NothingToRepeat", {"*", "x"}, kMatch, "no argument for repetition operator: *"},
        InvalidGroup{"BackReference", {R"((a)\1)", "x"}, kMatch, R"(invalid escape sequence: \1)"},
        InvalidGroup{"LookAhead", {"(?=a)", "x"}, kMatch, "invalid perl operator: (?="},
        InvalidGroup{"TooLarge", {Repeated(".{1000}", 100), "x"}, kMatch, "pattern too large"},
        InvalidGroup{"NoSuchGroup", {"a(.*)", R"(\2)"}, kCapture, "requests 2 matches, but the regexp only has 1"},
        InvalidGroup{"BackslashBeforeALetter", {"a", R"(\x)"}, kCapture, R"('\' must be followed by a digit or '\')"},
        InvalidGroup{"BackslashAtTheEnd", {"a", R"(x\)"}, kCapture, R"('\' not allowed at end)"},
        InvalidGroup{"EmptyName", {"a", ""}, "name is ", "not 1 to 63 bytes of visible characters"},
        InvalidGroup{"LongName", {"a", std::string(64, 'x')}, "name is ", "not 1 to 63 bytes of visible characters"},
        InvalidGroup{"NameOfTwoLines", {"a", "x\ny"}, "name is ", "not 1 to 63 bytes of visible characters"},
        InvalidGroup{"NameIsNoUtf8", {"a", "\xC3"}, "name is ", "not 1 to 63 bytes of visible characters"},
        InvalidGroup{"Untracked", {"a", "[untracked processes]"}, "name is ", "reserved"},
        InvalidGroup{"Overflow", {"a", "[groups beyond the limit]"}, "name is ", "reserved"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace procevent
