#include "cmd/configure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <variant>
#include <vector>

#include "config/schema.h"
#include "tests/config/fault_lines.h"

namespace procevent {
namespace {

using testing::ElementsAre;

using Variables = std::vector<Variable>;

std::vector<std::string> FaultsOf(const Flags& flags, const Variables& environment = {}) {
  return LinesOf(Configure(flags, environment));
}

Flags FlagsOf(std::optional<std::string> file, std::vector<Setting> settings = {}) {
  Flags flags;
  flags.config_file = std::move(file);
  flags.settings = std::move(settings);
  return flags;
}

constexpr const char* kFile = "deploy/procevent_exporter.yml";

TEST(ConfigureTest, NothingMeansTheDefaults) {
  const auto effective = std::get<EffectiveConfig>(Configure({}, {}));
  EXPECT_EQ(effective.config, Config{});
  EXPECT_TRUE(effective.origins.empty());
}

TEST(ConfigureTest, FlagsCountMoreThanTheEnvironmentAndThatMoreThanTheFile) {
  const Flags flags = FlagsOf(
      kFile, {{"--web.listen-address", "web.listen_addresses", {":1", ":2"}}, {"--log.level", "log.level", {"error"}}});
  const Variables environment{
      {"PROCEVENT_LOG_LEVEL", "debug"}, {"PROCEVENT_LOG_FORMAT", "json"}, {"PROCEVENT_WEB_LISTEN_ADDRESSES", ":3"}};
  ASSERT_THAT(FaultsOf(flags, environment), ElementsAre());
  const auto effective = std::get<EffectiveConfig>(Configure(flags, environment));
  Config wanted;
  wanted.server.listen_addresses = {":1", ":2"};
  wanted.log = {LogLevel::kError, LogFormat::kJson};
  EXPECT_EQ(effective.config, wanted);
  EXPECT_EQ(effective.origins.at("log.level"), (Origin{Origin::Kind::kFlag, "--log.level", 0}));
  EXPECT_EQ(effective.origins.at("log.format"), (Origin{Origin::Kind::kEnvironment, "PROCEVENT_LOG_FORMAT", 0}));
  EXPECT_EQ(effective.origins.at("web.telemetry_path").name, kFile);
  EXPECT_EQ(effective.origins.size(), Schema().size()) << "the file has every key";
}

TEST(ConfigureTest, TellsTheFaultsOfAllAtOnce) {
  const Flags flags = FlagsOf("/nowhere/none.yml", {{"--log.level", "log.level", {"loud"}}});
  EXPECT_THAT(
      FaultsOf(flags, {{"PROCEVENT_COMMS_LIMIT", "0"}}),
      ElementsAre("/nowhere/none.yml: found no way to open it (No such file or directory), allowed is the path "
                  "of an existing file",
                  R"(PROCEVENT_COMMS_LIMIT: found "0", allowed is a number from 10 to 10000 in digits alone, like 500)",
                  R"(--log.level: found "loud", allowed is debug, info, warning or error)"));
}

TEST(ConfigureTest, WithoutTheFileTheOthersCount) {
  const Flags flags = FlagsOf("/nowhere/none.yml", {{"--log.level", "log.level", {"error"}}});
  const Variables environment{{"PROCEVENT_CONFIG_FILE", "/nowhere/either.yml"}, {"PROCEVENT_LOG_FORMAT", "json"}};
  const LoadedConfig loaded = ConfigureWithoutFile(flags, environment);
  ASSERT_THAT(LinesOf(loaded), ElementsAre());
  EXPECT_EQ(std::get<EffectiveConfig>(loaded).config.log, (LogOptions{LogLevel::kError, LogFormat::kJson}));
  EXPECT_THAT(LinesOf(ConfigureWithoutFile({}, Variables{{"PROCEVENT_LOG_LEVEL", "loud"}})), testing::SizeIs(1));
}

TEST(ConfigureTest, TheFileIsTheFlagsOrTheVariables) {
  const Variables environment{{"PROCEVENT_CONFIG_FILE", kFile}};
  EXPECT_EQ(ConfigFileOf({}, {}), std::nullopt);
  EXPECT_EQ(ConfigFileOf({}, Variables{{"PROCEVENT_CONFIG_FILE", ""}}), std::nullopt);
  EXPECT_EQ(ConfigFileOf({}, environment), kFile);
  EXPECT_EQ(ConfigFileOf(FlagsOf("a.yml"), environment), "a.yml");
  EXPECT_EQ(ConfigFileOf(FlagsOf(""), environment), "") << "which is a fault";
  EXPECT_EQ(std::get<EffectiveConfig>(Configure({}, environment)).origins.size(), Schema().size());
}

}  // namespace
}  // namespace procevent
