#include "cmd/serve/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cmd/logging/log.h"
#include "config/schema/schema.h"
#include "tests/cmd/logging/log_matchers.h"
#include "tests/config/random_config.h"

namespace procevent {
namespace {

using testing::AllOf;
using testing::ElementsAre;

Config ConfigOf(std::string_view text) { return LoadConfig(text, "test.yml").value().config; }

auto IsReloaded(const std::string& applied) {
  return AllOf(HasLevel(LogLevel::kInfo), SaysText("configuration reloaded"), HasFields({Text("applied", applied)}));
}

auto IsRejected(const std::vector<LogField>& fields) {
  return AllOf(HasLevel(LogLevel::kError), SaysText("cannot reload the configuration"), SaysText("SIGHUP"),
               HasFields(fields));
}

TEST(ReloadTest, AppliesLiveKeys) {
  const ReloadResult reload =
      EvaluateReload({}, LoadConfig("log:\n  level: debug\nname_groups: [{match: a, name: b}]\n", "test.yml"));
  EXPECT_TRUE(reload.valid);
  EXPECT_EQ(reload.config.log.level, LogLevel::kDebug);
  EXPECT_EQ(reload.config.counting.name_groups, (std::vector<NameGroup>{{.match = "a", .name = "b"}}));
  EXPECT_EQ(reload.restart, "");
  EXPECT_THAT(reload.messages, ElementsAre(IsReloaded("name_groups, log.level")));
}

auto IsRestartWarning(const std::string& keys, const std::string& reason = "") {
  const std::string text = "changed keys are not in force; restart the exporter" + reason;
  return AllOf(HasLevel(LogLevel::kWarning), testing::Field(&LogMessage::text, text), HasFields({Text("keys", keys)}));
}

TEST(ReloadTest, IncreasesTheGroupLimit) {
  const ReloadResult reload =
      EvaluateReload(ConfigOf("groups: {limit: 10}"), LoadConfig("groups: {limit: 20}", "test.yml"));
  EXPECT_EQ(reload.config, ConfigOf("groups: {limit: 20}"));
  EXPECT_EQ(reload.restart, "");
  EXPECT_THAT(reload.messages, ElementsAre(IsReloaded("groups.limit")));
}

TEST(ReloadTest, DecreasesNoGroupLimit) {
  const Config running = ConfigOf("groups: {limit: 20}");
  const ReloadResult reload = EvaluateReload(running, LoadConfig("groups: {limit: 19}", "test.yml"));
  EXPECT_TRUE(reload.valid);
  EXPECT_EQ(reload.config, running);
  EXPECT_EQ(reload.restart, "restart required for groups.limit");
  EXPECT_THAT(reload.messages, ElementsAre(IsReloaded(""), IsRestartWarning("groups.limit",
                                                                            "; a reload can only increase "
                                                                            "groups.limit")));
}

TEST(ReloadTest, ReportsThatNoKeyChanged) {
  const ReloadResult reload = EvaluateReload({}, EffectiveConfig{});
  EXPECT_THAT(reload.messages, ElementsAre(AllOf(IsReloaded(""), SaysText("no key changed"))));
}

TEST(ReloadTest, ReportsKeysThatNeedARestartEachTime) {
  const LoadedConfig loaded = LoadConfig("reader:\n  drain_interval: 77ms\nlog:\n  format: json\n", "test.yml");
  Config running;
  for (int time = 0; time < 2; ++time) {
    const ReloadResult reload = EvaluateReload(running, loaded);
    EXPECT_TRUE(reload.valid);
    EXPECT_EQ(reload.config, Config());
    EXPECT_EQ(reload.restart, "restart required for reader.drain_interval, log.format");
    EXPECT_THAT(reload.messages, ElementsAre(IsReloaded(""), IsRestartWarning("reader.drain_interval, log.format")));
    running = reload.config;
  }
}

TEST(ReloadTest, RejectsAnInvalidFile) {
  const Config running = ConfigOf("log:\n  level: error\n");
  const ReloadResult reload = EvaluateReload(running, LoadConfig("log:\n  level: loud\n", "test.yml"));
  EXPECT_FALSE(reload.valid);
  EXPECT_EQ(reload.config, running);
  EXPECT_THAT(reload.messages,
              ElementsAre(AllOf(HasLevel(LogLevel::kError), SaysText("test.yml:2:10: log.level: "),
                                SaysText("\"loud\""), SaysText("debug, info, warning or error"),
                                HasFields({Text("file", "test.yml"), Number("line", 2), Text("key", "log.level")})),
                          IsRejected({Number("errors", 1)})));
}

TEST(ReloadTest, LogsTwentyErrorsOfAVeryBadFile) {
  std::string text = "log:\n";
  for (int i = 0; i < 20; ++i) {
    text += "  k" + std::to_string(i) + ": 1\n";
  }
  const ReloadResult twenty = EvaluateReload({}, LoadConfig(text, "test.yml"));
  ASSERT_EQ(twenty.messages.size(), 21U);
  EXPECT_THAT(twenty.messages[20], IsRejected({Number("errors", 20)}));
  const ReloadResult more = EvaluateReload({}, LoadConfig(text + "  more: 1\n  most: 1\n", "test.yml"));
  ASSERT_EQ(more.messages.size(), 21U);
  EXPECT_THAT(more.messages[19], AllOf(SaysText("test.yml:21:3: log: "), SaysText("unknown key \"k19\"")));
  EXPECT_THAT(more.messages[20], AllOf(IsRejected({Number("errors", 22), Number("suppressed", 2)}),
                                       SaysText("; check-config prints all errors")));
}

// LoadConfig stops at 100 errors, so their number is not known.
TEST(ReloadTest, LogsNoFalseNumberOfErrors) {
  std::string text = "log:\n";
  for (int i = 0; i < 150; ++i) {
    text += "  k" + std::to_string(i) + ": 1\n";
  }
  const ReloadResult reload = EvaluateReload({}, LoadConfig(text, "test.yml"));
  ASSERT_EQ(reload.messages.size(), 21U);
  EXPECT_THAT(reload.messages[19], SaysText("unknown key \"k19\""));
  EXPECT_THAT(reload.messages[20], AllOf(IsRejected({}), SaysText("; check-config prints more errors")));
}

// A configuration in which no key has its default.
Config MakeConfigWithoutDefaults() {
  std::mt19937 random(1);
  Config config;
  for (const Option& option : Schema()) {
    while (option.field.get(config) == option.field.get(Config())) {
      option.field.set(option.field.get(RandomConfig(random)), config);
    }
  }
  return config;
}

// A reload applies exactly the changes for which the schema says so, and names the keys of the others.
TEST(ReloadTest, AppliesTheChangesOfTheSchema) {
  const Config fresh = MakeConfigWithoutDefaults();
  const ReloadResult reload = EvaluateReload({}, EffectiveConfig{.config = fresh, .origins = {}});
  std::string applied;
  std::string not_applied;
  for (const Option& option : Schema()) {
    const OptionValue before = option.field.get(Config());
    const OptionValue after = option.field.get(fresh);
    const bool applies =
        option.reload == ReloadRule::kAny || (option.reload == ReloadRule::kIncrease && after > before);
    std::string& keys = applies ? applied : not_applied;
    keys += (keys.empty() ? "" : ", ") + std::string(option.key);
    EXPECT_EQ(option.field.get(reload.config), applies ? after : before) << option.key;
  }
  // The log line names all of them.
  ASSERT_THAT(reload.messages, ElementsAre(IsReloaded(applied), HasFields({Text("keys", not_applied)})));
  EXPECT_THAT(FormatLogLine(LogFormat::kJson, {}, reload.messages[1]), testing::HasSubstr(not_applied + "\"}"));
}

// Compiling the rules can need more memory than is left. The old options stay in use, and the next reload tries again.
TEST(ReloadTest, KeepsTheOptionsIfTheNewOnesCannotBeSet) {
  Log log(LogOptions{}, -1);
  ReloadStatus status(0);
  int calls = 0;
  const auto set = [&calls](const CountingOptions& /*options*/) {
    ++calls;
    throw std::bad_alloc();
  };
  const auto load = [] { return LoadConfig("name_groups: [{match: a, name: b}]", "test.yml"); };
  ConfigReloader reloader(Config(), load, log, set, status);
  for (int reload = 1; reload <= 2; ++reload) {
    EXPECT_EQ(reloader.Apply(), "last configuration reload failed");
    EXPECT_FALSE(status.successful());
    EXPECT_EQ(calls, reload) << "the options in use are the old ones";
  }
}

TEST(ReloadTest, PassesChangedCountingOptionsOnce) {
  Log log(LogOptions{}, -1);
  ReloadStatus status(0);
  std::vector<CountingOptions> passed;
  std::string text;
  ConfigReloader reloader(
      Config(), [&text] { return LoadConfig(text, "test.yml"); }, log,
      [&passed](const CountingOptions& options) { passed.push_back(options); }, status);
  const std::string decreased = "restart required for groups.limit";
  for (const auto& [limit, outcome] : std::vector<std::pair<int, std::string>>{
           {500, ""}, {600, ""}, {600, ""}, {550, decreased}, {500, decreased}, {600, ""}, {601, ""}}) {
    text = "groups: {limit: " + std::to_string(limit) + "}";
    EXPECT_EQ(reloader.Apply(), outcome) << limit;
    EXPECT_EQ(status.restart_pending(), !outcome.empty()) << limit;
  }
  EXPECT_THAT(passed, ElementsAre(testing::Field(&CountingOptions::group_limit, 600),
                                  testing::Field(&CountingOptions::group_limit, 601)));
}

}  // namespace
}  // namespace procevent
