#include "cmd/serve/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "config/schema/schema.h"

namespace procevent {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::StartsWith;

Config ConfigOf(std::string_view text) { return std::get<EffectiveConfig>(LoadConfig(text, "test.yml")).config; }

TEST(ReloadTest, LiveKeysAreTakenOver) {
  const ReloadResult reload =
      EvaluateReload({}, LoadConfig("log:\n  level: debug\nname_groups: [{match: a, name: b}]\n", "test.yml"));
  EXPECT_TRUE(reload.good);
  EXPECT_EQ(reload.config.log.level, LogLevel::kDebug);
  EXPECT_EQ(reload.config.ledger.name_groups, (std::vector<NameGroup>{{.match = "a", .name = "b"}}));
  EXPECT_EQ(reload.restart, "");
  EXPECT_THAT(reload.lines, ElementsAre(Pair(LogLevel::kInfo,
                                             "the configuration was read again: name_groups, log.level taken over")));
}

TEST(ReloadTest, OthersNeedARestartAndAreSaidEachTime) {
  const LoadedConfig loaded = LoadConfig("comms:\n  limit: 77\nlog:\n  format: json\n", "test.yml");
  Config running;
  for (int time = 0; time < 2; ++time) {
    const ReloadResult reload = EvaluateReload(running, loaded);
    EXPECT_TRUE(reload.good);
    EXPECT_EQ(reload.config, Config());
    EXPECT_EQ(reload.restart, "restart to take over: comms.limit, log.format");
    EXPECT_THAT(reload.lines,
                ElementsAre(Pair(LogLevel::kInfo, "the configuration was read again: nothing to take over"),
                            Pair(LogLevel::kWarning, "restart to take over: comms.limit, log.format")));
    running = reload.config;
  }
}

TEST(ReloadTest, ABadFileChangesNothing) {
  const Config running = ConfigOf("log:\n  level: error\n");
  const ReloadResult reload = EvaluateReload(running, LoadConfig("log:\n  level: loud\n", "test.yml"));
  EXPECT_FALSE(reload.good);
  EXPECT_EQ(reload.config, running);
  EXPECT_THAT(
      reload.lines,
      ElementsAre(Pair(LogLevel::kError,
                       "test.yml:2:10: log.level: invalid value \"loud\": expected debug, info, warning or error"),
                  Pair(LogLevel::kError,
                       "the configuration is not taken over; the one before stays in use: mend it, "
                       "and send SIGHUP again")));
}

TEST(ReloadTest, OfAVeryBadFileTwentyFaultsAreTold) {
  std::string text = "log:\n";
  for (int i = 0; i < 20; ++i) {
    text += "  k" + std::to_string(i) + ": 1\n";
  }
  const std::size_t all_and_the_last = 21;
  EXPECT_EQ(EvaluateReload({}, LoadConfig(text, "test.yml")).lines.size(), all_and_the_last);
  const ReloadResult reload = EvaluateReload({}, LoadConfig(text + "  more: 1\n  most: 1\n", "test.yml"));
  ASSERT_EQ(reload.lines.size(), all_and_the_last + 1);
  EXPECT_THAT(reload.lines[19].second, StartsWith("test.yml:21:3: log: unknown key \"k19\""));
  EXPECT_THAT(reload.lines[20], Pair(LogLevel::kError, "and at least 2 more: check-config prints them"));
}

// A key that the schema calls live is one that EvaluateReload takes over.
TEST(ReloadTest, EveryLiveKeyIsTakenOver) {
  const Config fresh = ConfigOf(
      "web: {listen_addresses: ['127.0.0.1:1'], telemetry_path: /m, max_requests: 3, allow: [127.0.0.1]}\n"
      "source: {receive_buffer: 64KiB, events: [fork], replay: a.pcap, replay_speed: max, replay_loop: true}\nreader: "
      "{drain_interval: 1ms, canary_interval: 1s}\n"
      "processes: {limit: 2000}\ncomms: {limit: 11, retire_after: 1m}\nname_groups: []\n"
      "histograms: {exit_code: {buckets: [1], by_comm: true}, lifetime: {buckets: [1s], by_comm: true}}\n"
      "log: {level: debug, format: json}\n");
  const ReloadResult reload = EvaluateReload({}, EffectiveConfig{.config = fresh, .origins = {}});
  for (const ConfigKey& key : Schema()) {
    EXPECT_NE(key.show(fresh), key.show(Config())) << "this test leaves out " << key.path;
    EXPECT_EQ(key.show(reload.config), key.show(key.live ? fresh : Config())) << key.path;
  }
}

}  // namespace
}  // namespace procevent
