#include "config/schema/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "config/schema/schema.h"
#include "tests/config/random_config.h"

namespace procevent {
namespace {

using testing::ElementsAre;
using testing::Pair;

EffectiveConfig Set(const std::vector<EnvironmentVariable>& environment) {
  EffectiveConfig effective;
  EXPECT_THAT(SetFromEnvironment(environment, effective), ElementsAre());
  return effective;
}

TEST(EnvironmentTest, EachKeyHasAVariable) {
  EXPECT_EQ(EnvironmentVariableName("log.level"), "PROCEVENT_LOG_LEVEL");
  EXPECT_EQ(EnvironmentVariableName("histograms.exit_code.by_comm"), "PROCEVENT_HISTOGRAMS_EXIT_CODE_BY_COMM");
  EXPECT_EQ(EnvironmentVariableName("name_groups"), "PROCEVENT_NAME_GROUPS");
}

TEST(EnvironmentTest, SaysWhatAFileWould) {
  const EffectiveConfig effective = Set({{"PROCEVENT_LOG_LEVEL", "error"},
                                         {"PROCEVENT_COMMS_LIMIT", "10  # few"},
                                         {"PROCEVENT_WEB_LISTEN_ADDRESSES", "[127.0.0.1:1, \":2\"]"},
                                         {"PROCEVENT_NAME_GROUPS", "- match: a\n  name: b\n"},
                                         {"PROCEVENT_READER_DRAIN_INTERVAL", "\"20ms\""}});
  EXPECT_EQ(effective.config.log.level, LogLevel::kError);
  EXPECT_EQ(effective.config.ledger.comm_limit, 10U);
  EXPECT_THAT(effective.config.server.listen_addresses, ElementsAre("127.0.0.1:1", ":2"));
  EXPECT_THAT(effective.config.ledger.name_groups, ElementsAre(NameGroup{"a", "b"}));
  EXPECT_EQ(effective.config.reader.drain_interval, std::chrono::milliseconds(20));
  EXPECT_EQ(effective.origins.size(), 5U);
  EXPECT_EQ(effective.origins.at("log.level"), (Origin{Origin::Kind::kEnvironment, "PROCEVENT_LOG_LEVEL", 0}));
}

TEST(EnvironmentTest, ATextForAListIsAListOfOne) {
  EXPECT_THAT(Set({{"PROCEVENT_WEB_LISTEN_ADDRESSES", ":1"}}).config.server.listen_addresses, ElementsAre(":1"));
  EXPECT_THAT(Set({{"PROCEVENT_WEB_ALLOW", "10.0.0.0/8"}}).config.server.allow, ElementsAre("10.0.0.0/8"));
  EXPECT_THAT(Set({{"PROCEVENT_WEB_ALLOW", "all"}}).config.server.allow, ElementsAre());
  EXPECT_EQ(Set({{"PROCEVENT_SOURCE_EVENTS", "all"}}).config.connector.events, EventMask::All());
  EXPECT_EQ(Set({{"PROCEVENT_SOURCE_EVENTS", "exec"}}).config.connector.events,
            EventMask::None().With(EventKind::kExec).With(EventKind::kComm));
}

TEST(EnvironmentTest, AnEmptyVariableIsNone) {
  const EffectiveConfig effective = Set({{"PROCEVENT_LOG_LEVEL", ""}, {"PROCEVENT_LOG_LEVL", ""}});
  EXPECT_EQ(effective.config, Config{});
  EXPECT_THAT(effective.origins, ElementsAre());
  EXPECT_EQ(FindVariableValue("A", std::vector<EnvironmentVariable>{{"A", "1"}, {"A", "2"}}), "1") << "as getenv";
  EXPECT_EQ(FindVariableValue("A", {}), "");
}

// What Kubernetes puts into every container of a namespace for a service of that name, and Docker for a link.
std::vector<std::string> InjectedFor(const std::string& service) {
  const std::string port = service + "_PORT_13675_";
  return {service + "_SERVICE_HOST",
          service + "_SERVICE_PORT",
          service + "_SERVICE_PORT_METRICS",
          service + "_SERVICE_PORT_LOG_LEVEL",
          service + "_PORT",
          port + "TCP",
          port + "TCP_PROTO",
          port + "TCP_PORT",
          port + "TCP_ADDR",
          port + "UDP",
          port + "SCTP_ADDR",
          service + "_PORT_1_TCP_PORT_2_UDP_ADDR"};
}

TEST(EnvironmentTest, WhatIsInjectedIsNeverOurs) {
  std::vector<std::string> services{"PROCEVENT",       "PROCEVENT_EXPORTER",   "PROCEVENT_WEB_TLS",
                                    "PROCEVENT_AUTH",  "PROCEVENT_LOG_LEVL",   "PROCEVENT_CONFIG",
                                    "PROCEVENT_ALLOW", "PROCEVENTS_WEB_ALLOW", std::string(kConfigFileVariable)};
  for (const ConfigKey& key : Schema()) {
    services.push_back(EnvironmentVariableName(key.path));
    EXPECT_FALSE(IsInjected(services.back())) << services.back();
  }
  EXPECT_FALSE(IsInjected(kConfigFileVariable));
  for (const std::string& service : services) {
    for (const std::string& name : InjectedFor(service)) {
      EXPECT_TRUE(IsInjected(name)) << name;
      EXPECT_EQ(Set({{name, "tcp://10.0.0.1:80"}}).config, Config{}) << name;
    }
  }
}

TEST(EnvironmentTest, OthersAreIgnored) {
  for (const char* const name : {"LOG_LEVEL",
                                 "PROCEVENT",
                                 "PROCEVENT_",
                                 "PROCEVENT_NAME",
                                 "PROCEVENT_ENV_LOG_LEVEL",
                                 "PROCEVENT_VERSION",
                                 "PROCEVENT_IMAGE",
                                 "PROCEVENT_HOME",
                                 "PROCEVENT_REQUIRE_LIVE",
                                 "PROCEVENT_REFERENCE_SEED",
                                 "PROCEVENT_EXPORTER_IMAGE",
                                 "PROCEVENT_PATH",
                                 "PROCEVENT_FILE",
                                 "PROCEVENT_AUTHOR",
                                 "PROCEVENT_USERS",
                                 "PROCEVENT_WEBSITE",
                                 "XPROCEVENT_LOG_LEVL",
                                 "PROCEVENTS_LOG_LEVL",
                                 "PROCESS_LOG_LEVEL",
                                 "PROCEVENT_ALLOWED",
                                 "EVENT_LOG_LEVEL",
                                 "PROCEVENTS_LEVEL",
                                 "PROCEVENTS_TLS_CERT",
                                 "PROCEVENTS_LOG_FILE"}) {
    EXPECT_THAT(Set({{name, "x"}}).origins, ElementsAre()) << name;
  }
}

TEST(EnvironmentTest, WhatIsMeantForUsIsAFault) {
  for (const char* const name :
       {"PROCEVENT_LOG_FILE", "PROCEVENT_LOG", "PROCEVENT_CONFIG", "PROCEVENT_LISTEN_ADDRESS",
        "PROCEVENT_WEB_ALLOWLIST", "PROCEVENT_WEB_ALLOW_FROM", "PROCEVENT_EXPORTER_WEB_ALOW", "PROCEVENT_TLS_CERT",
        "PROCEVENT_EXPORTER_TLS_CERT", "PROCEVENT_EXPORTER_BASIC_AUTH", "PROCEVENT_WEB_USERNAME",
        "PROCEVENT_WEB_HTTP_SERVER_CONFIG", "PROCEVENT_LIMIT", "PROCEVENT_BUCKETS", "PROCEVENT_BY_COMM"}) {
    EffectiveConfig effective;
    const std::vector<EnvironmentVariable> environment{{name, "x"}};
    const std::vector<ConfigError> faults = SetFromEnvironment(environment, effective);
    ASSERT_EQ(faults.size(), 1U) << name;
    EXPECT_EQ(faults[0].key, name);
  }
}

TEST(EnvironmentTest, AnEmptyListOfWhoMayAskIsNotEverybody) {
  EffectiveConfig effective;
  const std::vector<EnvironmentVariable> environment{{"PROCEVENT_WEB_ALLOW", ""}, {"PROCEVENT_LOG_LEVEL", ""}};
  const std::vector<ConfigError> faults = SetFromEnvironment(environment, effective);
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].key, "PROCEVENT_WEB_ALLOW");
}

TEST(EnvironmentTest, EveryNearNameIsAFault) {
  std::mt19937 random(1);
  for (const ConfigKey& key : Schema()) {
    const std::string good = EnvironmentVariableName(key.path);
    for (int i = 0; i < 100; ++i) {
      std::string name = good;
      name.at(kVariablePrefix.size() + random() % (name.size() - kVariablePrefix.size())) =
          static_cast<char>('A' + random() % 26);
      if (name == good) {
        continue;
      }
      EffectiveConfig effective;
      const std::vector<EnvironmentVariable> environment{{name, "x"}};
      const std::vector<ConfigError> faults = SetFromEnvironment(environment, effective);
      ASSERT_EQ(faults.size(), 1U) << name;
      ASSERT_EQ(faults[0].key, name);
      ASSERT_EQ(faults[0].allowed, "that of a key; did you mean \"" + good + "\"?");
    }
  }
}

struct NearRow {
  const char* name;
  const char* good;
};
class NearNameTest : public testing::TestWithParam<NearRow> {};
TEST_P(NearNameTest, IsAFaultThatNamesTheGoodOne) {
  EffectiveConfig effective;
  const std::vector<EnvironmentVariable> environment{{GetParam().name, "x"}};
  const std::vector<ConfigError> faults = SetFromEnvironment(environment, effective);
  EXPECT_TRUE(HasSimilarPrefix(GetParam().name));
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].allowed, "that of a key; did you mean \"" + std::string(GetParam().good) + "\"?");
}
INSTANTIATE_TEST_SUITE_P(
    Rows, NearNameTest,
    testing::Values(
        NearRow{"PROCEVENT_ALLOW", "PROCEVENT_WEB_ALLOW"}, NearRow{"procevent_allow", "PROCEVENT_WEB_ALLOW"},
        NearRow{"PROCEVENT_EXPORTER_ALLOW", "PROCEVENT_WEB_ALLOW"},
        NearRow{"PROCEVENT_EVENTS", "PROCEVENT_SOURCE_EVENTS"}, NearRow{"PROCEVENT_LEVEL", "PROCEVENT_LOG_LEVEL"},
        NearRow{"PROCEVENT_FORMAT", "PROCEVENT_LOG_FORMAT"},
        NearRow{"PROCEVENT_RECEIVEBUFFER", "PROCEVENT_SOURCE_RECEIVE_BUFFER"},
        NearRow{"PROCEVENT_EXIT_CODE_BUCKETS", "PROCEVENT_HISTOGRAMS_EXIT_CODE_BUCKETS"},
        NearRow{"PROCEVENTS_WEB_ALLOW", "PROCEVENT_WEB_ALLOW"}, NearRow{"PROCEVNT_WEB_ALLOW", "PROCEVENT_WEB_ALLOW"},
        NearRow{"PROKEVENT_WEB_ALLOW", "PROCEVENT_WEB_ALLOW"}, NearRow{"XPROCEVENT_LOG_LEVEL", "PROCEVENT_LOG_LEVEL"},
        NearRow{"PROC_EVENT_WEB_ALLOW", "PROCEVENT_WEB_ALLOW"}, NearRow{"Proc_Events-WebAllow", "PROCEVENT_WEB_ALLOW"},
        NearRow{"PROCEVENTWEB_ALLOW", "PROCEVENT_WEB_ALLOW"}, NearRow{"PROCEVENT__WEB___ALLOW", "PROCEVENT_WEB_ALLOW"},
        NearRow{"PROCEVENTS_CONFIG_FILE", "PROCEVENT_CONFIG_FILE"}),
    [](const auto& row) { return std::to_string(row.index); });

TEST(EnvironmentTest, AllFaultsAreToldAtOnce) {
  EffectiveConfig effective;
  const std::vector<EnvironmentVariable> environment{{"PROCEVENT_LOG_LEVL", "info"},
                                                     {"PROCEVENT_LOG_LEVEL", "loud"},
                                                     {"PROCEVENT_TLS", "yes"},
                                                     {"PROCEVENT_WEB_ALLOW", "[x, 10.0.0.1/8]"}};
  std::vector<std::string> keys;
  for (const ConfigError& fault : SetFromEnvironment(environment, effective)) {
    EXPECT_EQ(fault.place, TextPosition{});
    keys.push_back(fault.key);
  }
  EXPECT_THAT(keys, ElementsAre("PROCEVENT_WEB_ALLOW[0]", "PROCEVENT_WEB_ALLOW[1]", "PROCEVENT_LOG_LEVEL",
                                "PROCEVENT_LOG_LEVL", "PROCEVENT_TLS"));
}

// What a key shows is what its variable may say.
TEST(EnvironmentTest, CarriesAnyConfiguration) {
  std::mt19937 random(2);
  for (int i = 0; i < 500; ++i) {
    const Config config = RandomConfig(random);
    std::vector<EnvironmentVariable> environment;
    for (const ConfigKey& key : Schema()) {
      environment.push_back({EnvironmentVariableName(key.path), key.show(config)});
    }
    ASSERT_EQ(Set(environment).config, config);
  }
}

}  // namespace
}  // namespace procevent
