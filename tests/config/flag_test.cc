#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "config/check.h"

namespace procevent {
namespace {

using testing::ElementsAre;

std::vector<std::string> Set(const char* flag, const char* path, const std::vector<std::string>& values,
                             Config& config) {
  std::vector<std::string> lines;
  std::ranges::transform(SetFromFlag(flag, path, values, config), std::back_inserter(lines), Describe);
  return lines;
}

TEST(FlagTest, ReplacesAText) {
  Config config;
  EXPECT_THAT(Set("--log.level", "log.level", {"error"}, config), ElementsAre());
  EXPECT_EQ(config.log.level, LogLevel::kError);
}

TEST(FlagTest, ReplacesAListAsAWhole) {
  Config config;
  EXPECT_THAT(Set("--web.listen-address", "web.listen_addresses", {":1", ":2"}, config), ElementsAre());
  EXPECT_THAT(config.server.listen_addresses, ElementsAre(":1", ":2"));
}

TEST(FlagTest, FaultsNameTheFlag) {
  Config config;
  EXPECT_THAT(Set("--log.level", "log.level", {"loud"}, config),
              ElementsAre(R"(--log.level: found "loud", allowed is debug, info, warning or error)"));
  EXPECT_THAT(Set("--log.level", "log.level", {""}, config),
              ElementsAre(R"(--log.level: found "", allowed is debug, info, warning or error)"));
  EXPECT_THAT(Set("--web.listen-address", "web.listen_addresses", {":1", ":1"}, config),
              ElementsAre(R"(--web.listen-address: found ":1", allowed is an address like 0.0.0.0:13675 )"
                          "(another of the list covers this one already)"));
}

}  // namespace
}  // namespace procevent
