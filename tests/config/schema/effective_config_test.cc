#include "config/schema/effective_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <variant>

#include "config/load.h"
#include "config/schema/schema.h"
#include "config/schema/validator.h"
#include "tests/config/random_config.h"

namespace procevent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(EffectiveConfigTest, PrintsTheOriginOfEachValue) {
  EffectiveConfig effective;
  effective.config.log.level = LogLevel::kError;
  effective.config.server.allow = {"10.0.0.0/8"};
  effective.origins = {{"log.level", {Origin::Kind::kFlag, "--log.level", 0}},
                       {"web.allow", {Origin::Kind::kFile, "f.yml", 12}},
                       {"log.format", {Origin::Kind::kEnvironment, "PROCEVENT_LOG_FORMAT", 0}}};
  EXPECT_EQ(ToYaml(effective),
            "web:\n"
            "  listen_addresses: [0.0.0.0:13675]  # default\n"
            "  telemetry_path: /metrics  # default\n"
            "  allow: [10.0.0.0/8]  # f.yml:12\n"
            "  max_requests: 40  # default\n"
            "source:\n"
            "  receive_buffer: 32MiB  # default\n"
            "  events: all  # default\n"
            "  replay: none  # default\n"
            "  replay_speed: 1  # default\n"
            "  replay_loop: false  # default\n"
            "reader:\n"
            "  drain_interval: 10ms  # default\n"
            "  canary_interval: 5s  # default\n"
            "processes:\n"
            "  limit: 65536  # default\n"
            "comms:\n"
            "  limit: 500  # default\n"
            "  retire_after: 1h  # default\n"
            "name_groups: [{match: \"kworker/.*\", name: \"kworker\"}]  # default\n"
            "histograms:\n"
            "  exit_code:\n"
            "    buckets: [0, 1, 2, 63, 125, 126, 127, 128, 130, 134, 137, 139, 143, 254, 255]  # default\n"
            "    by_comm: false  # default\n"
            "  lifetime:\n"
            "    buckets: [1ms, 2ms, 5ms, 10ms, 20ms, 50ms, 100ms, 200ms, 500ms, 1s, 2s, 5s, 10s, 30s, 1m, 5m, 15m, "
            "1h]  # default\n"
            "    by_comm: false  # default\n"
            "log:\n"
            "  level: error  # flag --log.level\n"
            "  format: logfmt  # environment PROCEVENT_LOG_FORMAT\n");
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

// Setting a key to another value changes the text of this key, and of no other.
TEST(EffectiveConfigTest, ReportsChangesByKey) {
  EXPECT_THAT(ChangedKeys({}, {}), ElementsAre());
  std::mt19937 random(2);
  const Config before;
  for (int i = 0; i < 200; ++i) {
    const Config other = RandomConfig(random);
    for (const ConfigKey& key : Schema()) {
      EffectiveConfig after{before, {}};
      const std::string text = key.show(other);
      const bool differs = text != key.show(before);
      ASSERT_THAT(CheckValue(key, ParseYaml(text, "f.yml").root, after), ElementsAre());
      ASSERT_THAT(ChangedKeys(before, after.config),
                  differs ? testing::Matcher<std::vector<std::string_view>>(ElementsAre(key.path))
                          : testing::Matcher<std::vector<std::string_view>>(ElementsAre()));
    }
  }
}

TEST(EffectiveConfigTest, PrintsAScalarAsAList) {
  EXPECT_THAT(ToYaml(LoadConfig("web:\n  allow: 10.0.0.0/8\n", "f.yml").value()),
              HasSubstr("\n  allow: [10.0.0.0/8]  # f.yml:2\n"));
}

TEST(EffectiveConfigTest, FlagReplacesTheValueOfTheFile) {
  EffectiveConfig effective = LoadConfig("log: {level: debug}", "f.yml").value();
  ASSERT_THAT(SetFromFlag("--log.level", "log.level", std::vector<std::string>{"error"}, effective), ElementsAre());
  EXPECT_THAT(ToYaml(effective), HasSubstr("\n  level: error  # flag --log.level\n"));
}

}  // namespace
}  // namespace procevent
