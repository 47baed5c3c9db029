#include "config/schema/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>

#include "config/schema/environment.h"
#include "config/schema/schema.h"
#include "config/schema/validator.h"

namespace procevent {

namespace {

using testing::ElementsAre;

TEST(KeysTest, ListsTheNamesUnderASection) {
  EXPECT_THAT(NamesUnder("histograms"), ElementsAre("exit_code", "lifetime"));
  EXPECT_THAT(NamesUnder("histograms.lifetime"), ElementsAre("buckets", "by_group"));
  EXPECT_THAT(NamesUnder("log.level"), ElementsAre());
  EXPECT_THAT(NamesUnder("lo"), ElementsAre());
  EXPECT_EQ(JoinWithCommas(NamesUnder("log")), "level, format");
}

TEST(KeysTest, FindsOnlyWholePaths) {
  ASSERT_NE(FindOption("log.level"), nullptr);
  EXPECT_EQ(FindOption("log.level")->key, "log.level");
  EXPECT_EQ(FindOption("log"), nullptr);
  EXPECT_EQ(FindOption("level"), nullptr);
}

TEST(KeysTest, FindsTheNewNameOfAFormerKeyOrSection) {
  EXPECT_EQ(FindNewName("comms.limit"), "groups.limit");
  EXPECT_EQ(FindNewName("histograms.lifetime.by_comm"), "histograms.lifetime.by_group");
  EXPECT_EQ(FindNewName("comms"), "groups");
  for (const char* path : {"", "histograms", "histograms.lifetime", "comm", "comms.", "comms.limits", "groups"}) {
    EXPECT_EQ(FindNewName(path), "") << path;
  }
}

TEST(KeysTest, SuggestsKeysInTheSectionOrElsewhere) {
  EXPECT_EQ(SuggestKey("log", "levels"), "level");
  EXPECT_EQ(SuggestKey("web", "levels"), "log.level");
  EXPECT_EQ(SuggestKey("", "exit_code"), "histograms.exit_code");
  EXPECT_EQ(SuggestKey("", "log.level"), "log: {level: ...}");
  EXPECT_EQ(SuggestKey("histograms", "lifetime.buckets"), "lifetime: {buckets: ...}");
  EXPECT_EQ(SuggestKey("", "histograms.lifetime"), "histograms: {lifetime: ...}");
  EXPECT_EQ(SuggestKey("", "buckets"), "") << "there are two";
  EXPECT_EQ(SuggestKey("", "colour"), "");
}

// docs/configuration.md lists the keys that a reload applies.
TEST(KeysTest, ReloadAppliesChangesOfThreeKeys) {
  std::vector<std::string_view> any;
  std::vector<std::string_view> increase;
  for (const Option& option : Schema()) {
    if (option.reload == ReloadRule::kAny) {
      any.push_back(option.key);
    } else if (option.reload == ReloadRule::kIncrease) {
      increase.push_back(option.key);
    }
  }
  EXPECT_THAT(any, ElementsAre("name_groups", "log.level"));
  EXPECT_THAT(increase, ElementsAre("groups.limit"));
}

// The definition of the distance, as a recursion without a table.
std::size_t ReferenceDistance(std::string_view one, std::string_view other) {
  if (one.empty() || other.empty()) {
    return one.size() + other.size();
  }
  const std::size_t substituted = ReferenceDistance(one.substr(1), other.substr(1)) + (one[0] == other[0] ? 0 : 1);
  std::size_t distance =
      std::min({substituted, ReferenceDistance(one.substr(1), other) + 1, ReferenceDistance(one, other.substr(1)) + 1});
  if (one.size() > 1 && other.size() > 1 && one[0] == other[1] && one[1] == other[0]) {
    distance = std::min(distance, ReferenceDistance(one.substr(2), other.substr(2)) + 1);
  }
  return distance;
}

TEST(SuggestionTest, DistanceAgreesWithReference) {
  std::mt19937 random(1);
  const auto word = [&random] {
    std::string text(random() % 7, '\0');
    std::ranges::generate(text, [&random] { return "abc"[random() % 3]; });
    return text;
  };
  for (int i = 0; i < 2'000; ++i) {
    const std::string one = word();
    const std::string other = word();
    ASSERT_EQ(EditDistance(one, other), ReferenceDistance(one, other)) << one << ' ' << other;
  }
}

constexpr std::array<std::string_view, 8> kWords{"fork", "exec",  "exit",     "uid",
                                                 "gid",  "level", "coredump", "listen_addresses"};

struct Row {
  const char* name;
  std::string word;
  std::string_view closest;
  std::string_view suggested;
};

class SuggestTest : public testing::TestWithParam<Row> {};

TEST_P(SuggestTest, SuggestsOnlyTheClosestWord) {
  EXPECT_EQ(FindClosestWord(GetParam().word, kWords), GetParam().closest);
  EXPECT_EQ(SuggestWord(GetParam().word, kWords), GetParam().suggested);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, SuggestTest,
    testing::Values(Row{"Changed", "fark", "fork", "fork"}, Row{"Removed", "frk", "fork", "fork"},
                    Row{"Inserted", "forks", "fork", "fork"}, Row{"Swapped", "frok", "fork", "fork"},
                    Row{"Capitals", "FORK", "fork", "fork"}, Row{"TwoEditsOfAShortWord", "fakr", "", ""},
                    Row{"TwoEditsOfALongerWord", "coerdmup", "coredump", "coredump"},
                    Row{"FourEditsOfALongWord", "listen_adres", "", ""},
                    Row{"ThreeEditsOfALongWord", "listn_adresss", "listen_addresses", "listen_addresses"},
                    Row{"FiveEditsOfALongWord", "lstn_adresss", "", ""},
                    Row{"HyphenForUnderscore", "listen-addresses", "listen_addresses", "listen_addresses"},
                    Row{"TwoCandidates", "pid", "", ""}, Row{"TwoCandidatesAtOneEdit", "exet", "", ""},
                    Row{"CloserOfTwo", "exect", "exec", "exec"}, Row{"Prefix", "listen", "", "listen_addresses"},
                    Row{"PrefixOfTwoLetters", "co", "", ""}, Row{"PrefixOfThreeLetters", "cor", "", "coredump"},
                    Row{"PrefixOfTwoWords", "ex", "", ""}, Row{"Empty", "", "", ""}, Row{"Other", "colour", "", ""},
                    Row{"Long", std::string(1000, 'f'), "", ""}),
    [](const auto& row) { return row.param.name; });

TEST(SuggestionTest, FindsPathsByTheirLastPart) {
  constexpr std::array<std::string_view, 5> kPaths{"config.file", "log.level", "groups.limit", "processes.limit",
                                                   "web.listen_addresses"};
  EXPECT_EQ(SuggestPath("log.levle", kPaths), "log.level");
  EXPECT_EQ(SuggestPath("levle", kPaths), "log.level");
  EXPECT_EQ(SuggestPath("listen-address", kPaths), "web.listen_addresses");
  EXPECT_EQ(SuggestPath("limit", kPaths), "") << "there are two";
  EXPECT_EQ(SuggestPath("log.file", kPaths), "") << "it has a section";
  EXPECT_EQ(SuggestPath("config", kPaths), "config.file");
}

TEST(SuggestionTest, FormatsTheSuggestion) {
  EXPECT_EQ(DidYouMean("fork"), R"(; did you mean "fork"?)");
  EXPECT_EQ(DidYouMean(""), "");
}

TEST(TlsSettingTest, RecognizesTlsAndAuthentication) {
  for (const char* const name : {"web.tls",
                                 "web.tls_cert_file",
                                 "web.tls-key",
                                 "web.ssl",
                                 "web.auth",
                                 "web.basic_auth.users",
                                 "web.cert_file",
                                 "web.client_ca_file",
                                 "web.config",
                                 "web.config.file",
                                 "--web.config.file",
                                 "--web.tls-cert",
                                 "--tls",
                                 "tls",
                                 "Web.TLS",
                                 "auth",
                                 "basic_auth_users",
                                 "tls_server_config",
                                 "WEB_TLS_CERT",
                                 "TLS_CERT",
                                 "AUTH_TOKEN"}) {
    EXPECT_TRUE(IsTlsSetting(name)) << name;
  }
}

TEST(TlsSettingTest, RecognizesNothingElse) {
  for (const char* const name : {"", "-", "--", "web", "web.", "config.file", "log.tls", "colour", "web.listen_tls"}) {
    EXPECT_FALSE(IsTlsSetting(name)) << name;
  }
  for (const Option& option : Schema()) {
    EXPECT_FALSE(IsTlsSetting(option.key)) << option.key;
    EXPECT_FALSE(IsTlsSetting(EnvironmentVariableName(option.key).substr(kVariablePrefix.size()))) << option.key;
  }
}

}  // namespace

}  // namespace procevent
