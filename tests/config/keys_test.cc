#include "config/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace procevent {
namespace {

using testing::ElementsAre;

TEST(KeysTest, AreATree) {
  EXPECT_THAT(NamesUnder("histograms"), ElementsAre("exit_code", "lifetime"));
  EXPECT_THAT(NamesUnder("histograms.lifetime"), ElementsAre("buckets", "by_comm"));
  EXPECT_THAT(NamesUnder("log.level"), ElementsAre());
  EXPECT_THAT(NamesUnder("lo"), ElementsAre());
  EXPECT_EQ(Joined(NamesUnder("log")), "level, format");
}

TEST(KeysTest, AreFoundByTheirWholePath) {
  ASSERT_NE(FindKey("log.level"), nullptr);
  EXPECT_EQ(FindKey("log.level")->path, "log.level");
  EXPECT_EQ(FindKey("log"), nullptr);
  EXPECT_EQ(FindKey("level"), nullptr);
}

TEST(KeysTest, WhatIsMeantStandsHereOrElsewhere) {
  EXPECT_EQ(SuggestKey("log", "levels"), "level");
  EXPECT_EQ(SuggestKey("web", "levels"), "log.level");
  EXPECT_EQ(SuggestKey("", "exit_code"), "histograms.exit_code");
  EXPECT_EQ(SuggestKey("", "log.level"), "log: {level: ...}");
  EXPECT_EQ(SuggestKey("histograms", "lifetime.buckets"), "lifetime: {buckets: ...}");
  EXPECT_EQ(SuggestKey("", "histograms.lifetime"), "histograms: {lifetime: ...}");
  EXPECT_EQ(SuggestKey("", "buckets"), "") << "there are two";
  EXPECT_EQ(SuggestKey("", "colour"), "");
}

TEST(KeysTest, ATextAloneMayBeTheKeysOwnOrAnItem) {
  EXPECT_EQ(AllowedAlone(*FindKey("log.format")), "logfmt or json");
  EXPECT_EQ(AllowedAlone(*FindKey("web.listen_addresses")), "an address like 0.0.0.0:13675");
  EXPECT_EQ(AllowedAlone(*FindKey("web.allow")), "all, or an address or a network like 10.0.0.0/8");
}

// Which of them a reload may apply is a promise of the README.
TEST(KeysTest, TwoAreLive) {
  std::vector<std::string_view> live;
  for (const ConfigKey& key : Schema()) {
    if (key.live) {
      live.push_back(key.path);
    }
  }
  EXPECT_THAT(live, ElementsAre("name_groups", "log.level"));
}

}  // namespace
}  // namespace procevent
