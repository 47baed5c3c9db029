#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/check.h"

namespace procevent {
namespace {

using testing::ElementsAre;

EffectiveConfig Set(const char* flag, const char* path, const std::vector<std::string>& values) {
  EffectiveConfig effective;
  EXPECT_THAT(SetFromFlag(flag, path, values, effective), ElementsAre());
  return effective;
}

TEST(FlagTest, ReplacesAText) {
  const EffectiveConfig effective = Set("--log.level", "log.level", {"error"});
  EXPECT_EQ(effective.config.log.level, LogLevel::kError);
  EXPECT_THAT(effective.origins, ElementsAre(testing::Pair("log.level", Origin{Origin::Kind::kFlag, "--log.level"})));
}

TEST(FlagTest, ReplacesAListAsAWhole) {
  EXPECT_THAT(Set("--web.listen-address", "web.listen_addresses", {":1", ":2"}).config.server.listen_addresses,
              ElementsAre(":1", ":2"));
  EXPECT_THAT(Set("--web.listen-address", "web.listen_addresses", {":1"}).config.server.listen_addresses,
              ElementsAre(":1"));
}

TEST(FlagTest, AWordThatStandsForAListIsNoListOfOne) {
  EffectiveConfig effective = Set("--web.allow", "web.allow", {"10.0.0.0/8"});
  EXPECT_THAT(effective.config.server.allow, ElementsAre("10.0.0.0/8"));
  EXPECT_THAT(SetFromFlag("--web.allow", "web.allow", std::vector<std::string>{"all"}, effective), ElementsAre());
  EXPECT_THAT(effective.config.server.allow, ElementsAre());
}

}  // namespace
}  // namespace procevent
