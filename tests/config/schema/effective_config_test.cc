#include "config/schema/effective_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "config/load.h"
#include "config/schema/keys.h"
#include "config/schema/schema.h"
#include "config/schema/validator.h"
#include "tests/config/random_config.h"

namespace procevent {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(EffectiveConfigTest, PrintsTheOriginOfEachValue) {
  EffectiveConfig effective;
  effective.config.log.level = LogLevel::kError;
  effective.config.server.allow = {"10.0.0.0/8"};
  effective.origins = {{"log.level", {Origin::Kind::kFlag, "--log.level", 0}},
                       {"web.allow", {Origin::Kind::kFile, "f.yml", 12}},
                       {"log.format", {Origin::Kind::kEnvironment, "PROCEVENT_LOG_FORMAT", 0}}};
  const std::string yaml = ToYaml(effective);
  EXPECT_THAT(yaml, StartsWith("web:\n"
                               "  listen_addresses: [0.0.0.0:13675]  # default\n"
                               "  telemetry_path: /metrics  # default\n"
                               "  allow: [10.0.0.0/8]  # f.yml:12\n"));
  EXPECT_THAT(yaml,
              HasSubstr("\nhistograms:\n"
                        "  exit_code:\n"
                        "    buckets: [0, 1, 2, 63, 125, 126, 127, 128, 130, 134, 137, 139, 143, 254, 255]  # default\n"
                        "    by_group: false  # default\n"
                        "  lifetime:\n"));
  EXPECT_THAT(yaml, EndsWith("log:\n"
                             "  level: error  # flag --log.level\n"
                             "  format: logfmt  # environment PROCEVENT_LOG_FORMAT\n"));
  for (const Option& option : Schema()) {
    EXPECT_THAT(yaml, HasSubstr(' ' + FormatValue(option, option.field.get(effective.config)) + "  # "));
  }
}

TEST(EffectiveConfigTest, LoadsWhatItPrints) {
  std::mt19937 random(1);
  for (int i = 0; i < 2'000; ++i) {
    const Config config = RandomConfig(random);
    const std::string text = ToYaml({config, {}});
    const LoadedConfig loaded = LoadConfig(text, "f.yml");
    ASSERT_TRUE(loaded) << text << Describe(loaded.error().front());
    ASSERT_EQ(loaded.value().config, config) << text;
    ASSERT_EQ(loaded.value().origins.size(), Schema().size());
  }
}

// Setting an option to another value changes this option and no other.
TEST(EffectiveConfigTest, ReportsChangesByKey) {
  EXPECT_THAT(ChangedOptions({}, {}), ElementsAre());
  std::mt19937 random(2);
  const Config before;
  for (int i = 0; i < 200; ++i) {
    const Config other = RandomConfig(random);
    for (const Option& option : Schema()) {
      EffectiveConfig after{before, {}};
      const std::string text = FormatValue(option, option.field.get(other));
      const bool differs = text != FormatDefault(option);
      ASSERT_THAT(CheckValue(option, "name", ParseYaml(text, "f.yml").root, after), ElementsAre());
      const auto changed = ChangedOptions(before, after.config);
      ASSERT_EQ(changed.size(), differs ? 1U : 0U) << option.key << ": " << text;
      ASSERT_TRUE(!differs || changed.front() == &option) << option.key << ": " << text;
    }
  }
}

TEST(EffectiveConfigTest, PrintsAScalarAsAList) {
  EXPECT_THAT(ToYaml(LoadConfig("web:\n  allow: 10.0.0.0/8\n", "f.yml").value()),
              HasSubstr("\n  allow: [10.0.0.0/8]  # f.yml:2\n"));
}

TEST(EffectiveConfigTest, FlagReplacesTheValueOfTheFile) {
  EffectiveConfig effective = LoadConfig("log: {level: debug}", "f.yml").value();
  ASSERT_THAT(SetFromFlag("--log.level", *FindOption("log.level"), std::vector<std::string>{"error"}, effective),
              ElementsAre());
  EXPECT_THAT(ToYaml(effective), HasSubstr("\n  level: error  # flag --log.level\n"));
}

}  // namespace
}  // namespace procevent
