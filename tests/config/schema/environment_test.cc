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

// The variable that the error is about. If it is unknown, it is part of the problem.
std::string NamedBy(const InputError& error) {
  constexpr std::string_view kUnknown = "unknown variable ";
  if (!error.problem.starts_with(kUnknown)) {
    return error.key;
  }
  const std::string quoted = error.problem.substr(kUnknown.size());
  return quoted.substr(1, quoted.size() - 2);
}

TEST(EnvironmentTest, DerivesTheNameFromTheKey) {
  EXPECT_EQ(EnvironmentVariableName("log.level"), "PROCEVENT_LOG_LEVEL");
  EXPECT_EQ(EnvironmentVariableName("histograms.exit_code.by_group"), "PROCEVENT_HISTOGRAMS_EXIT_CODE_BY_GROUP");
  EXPECT_EQ(EnvironmentVariableName("name_groups"), "PROCEVENT_NAME_GROUPS");
}

TEST(EnvironmentTest, AcceptsYamlAsInAFile) {
  const EffectiveConfig effective = Set({{"PROCEVENT_LOG_LEVEL", "error"},
                                         {"PROCEVENT_GROUPS_LIMIT", "10  # few"},
                                         {"PROCEVENT_WEB_LISTEN_ADDRESSES", "[127.0.0.1:1, \":2\"]"},
                                         {"PROCEVENT_NAME_GROUPS", "- match: a\n  name: b\n"},
                                         {"PROCEVENT_READER_DRAIN_INTERVAL", "\"20ms\""}});
  EXPECT_EQ(effective.config.log.level, LogLevel::kError);
  EXPECT_EQ(effective.config.counting.group_limit, 10U);
  EXPECT_THAT(effective.config.server.listen_addresses, ElementsAre("127.0.0.1:1", ":2"));
  EXPECT_THAT(effective.config.counting.name_groups, ElementsAre(NameGroup{"a", "b"}));
  EXPECT_EQ(effective.config.reader.drain_interval, std::chrono::milliseconds(20));
  EXPECT_EQ(effective.origins.size(), 5U);
  EXPECT_EQ(effective.origins.at("log.level"), (Origin{Origin::Kind::kEnvironment, "PROCEVENT_LOG_LEVEL", 0}));
}

TEST(EnvironmentTest, ScalarIsAListOfOne) {
  EXPECT_THAT(Set({{"PROCEVENT_WEB_LISTEN_ADDRESSES", ":1"}}).config.server.listen_addresses, ElementsAre(":1"));
  EXPECT_THAT(Set({{"PROCEVENT_WEB_ALLOW", "10.0.0.0/8"}}).config.server.allow, ElementsAre("10.0.0.0/8"));
  EXPECT_THAT(Set({{"PROCEVENT_WEB_ALLOW", "all"}}).config.server.allow, ElementsAre());
  EXPECT_EQ(Set({{"PROCEVENT_SOURCE_EVENTS", "all"}}).config.connector.events, EventMask::All());
  EXPECT_EQ(Set({{"PROCEVENT_SOURCE_EVENTS", "exec"}}).config.connector.events,
            EventMask::None().With(EventKind::kExec).With(EventKind::kComm));
}

TEST(EnvironmentTest, EmptyVariableIsUnset) {
  const EffectiveConfig effective = Set({{"PROCEVENT_LOG_LEVEL", ""}, {"PROCEVENT_LOG_LEVL", ""}});
  EXPECT_EQ(effective.config, Config{});
  EXPECT_THAT(effective.origins, ElementsAre());
  EXPECT_EQ(FindVariableValue("A", std::vector<EnvironmentVariable>{{"A", "1"}, {"A", "2"}}), "1") << "as getenv";
  EXPECT_EQ(FindVariableValue("A", {}), "");
}

// The variables that Kubernetes sets in every container of a namespace for a service of that name, and Docker for a
// link.
std::vector<std::string> InjectedVariables(const std::string& service) {
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

TEST(EnvironmentTest, IgnoresInjectedVariables) {
  std::vector<std::string> services{"PROCEVENT",       "PROCEVENT_EXPORTER",   "PROCEVENT_WEB_TLS",
                                    "PROCEVENT_AUTH",  "PROCEVENT_LOG_LEVL",   "PROCEVENT_CONFIG",
                                    "PROCEVENT_ALLOW", "PROCEVENTS_WEB_ALLOW", std::string(kConfigFileVariable)};
  for (const Option& option : Schema()) {
    services.push_back(EnvironmentVariableName(option.key));
    EXPECT_FALSE(IsInjected(services.back())) << services.back();
  }
  EXPECT_FALSE(IsInjected(kConfigFileVariable));
  for (const std::string& service : services) {
    for (const std::string& name : InjectedVariables(service)) {
      EXPECT_TRUE(IsInjected(name)) << name;
      EXPECT_EQ(Set({{name, "tcp://10.0.0.1:80"}}).config, Config{}) << name;
    }
  }
}

TEST(EnvironmentTest, IgnoresVariablesOfOtherPrograms) {
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

TEST(EnvironmentTest, RejectsUnknownVariablesOfTheExporter) {
  for (const char* const name :
       {"PROCEVENT_LOG_FILE", "PROCEVENT_LOG", "PROCEVENT_CONFIG", "PROCEVENT_LISTEN_ADDRESS",
        "PROCEVENT_WEB_ALLOWLIST", "PROCEVENT_WEB_ALLOW_FROM", "PROCEVENT_EXPORTER_WEB_ALOW", "PROCEVENT_TLS_CERT",
        "PROCEVENT_EXPORTER_TLS_CERT", "PROCEVENT_EXPORTER_BASIC_AUTH", "PROCEVENT_WEB_USERNAME",
        "PROCEVENT_WEB_HTTP_SERVER_CONFIG", "PROCEVENT_LIMIT", "PROCEVENT_BUCKETS", "PROCEVENT_BY_GROUP"}) {
    EffectiveConfig effective;
    const std::vector<EnvironmentVariable> environment{{name, "x"}};
    const InputErrors errors = SetFromEnvironment(environment, effective);
    ASSERT_EQ(errors.size(), 1U) << name;
    EXPECT_EQ(NamedBy(errors[0]), name);
  }
}

TEST(EnvironmentTest, RejectsEmptyAllowList) {
  EffectiveConfig effective;
  const std::vector<EnvironmentVariable> environment{{"PROCEVENT_WEB_ALLOW", ""}, {"PROCEVENT_LOG_LEVEL", ""}};
  const InputErrors errors = SetFromEnvironment(environment, effective);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].key, "PROCEVENT_WEB_ALLOW");
}

TEST(EnvironmentTest, RejectsEveryMisspelledName) {
  std::mt19937 random(1);
  for (const Option& option : Schema()) {
    const std::string correct = EnvironmentVariableName(option.key);
    for (int i = 0; i < 100; ++i) {
      std::string name = correct;
      name.at(kVariablePrefix.size() + random() % (name.size() - kVariablePrefix.size())) =
          static_cast<char>('A' + random() % 26);
      if (name == correct) {
        continue;
      }
      EffectiveConfig effective;
      const std::vector<EnvironmentVariable> environment{{name, "x"}};
      const InputErrors errors = SetFromEnvironment(environment, effective);
      ASSERT_EQ(errors.size(), 1U) << name;
      ASSERT_EQ(NamedBy(errors[0]), name);
      ASSERT_THAT(errors[0].expected, testing::EndsWith("; did you mean \"" + correct + "\"?"));
    }
  }
}

struct MisspelledRow {
  const char* name;
  const char* correct;
};
class MisspelledNameTest : public testing::TestWithParam<MisspelledRow> {};
TEST_P(MisspelledNameTest, SuggestsTheCorrectName) {
  EffectiveConfig effective;
  const std::vector<EnvironmentVariable> environment{{GetParam().name, "x"}};
  const InputErrors errors = SetFromEnvironment(environment, effective);
  EXPECT_TRUE(HasSimilarPrefix(GetParam().name));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_THAT(errors[0].expected, testing::EndsWith("; did you mean \"" + std::string(GetParam().correct) + "\"?"));
}
INSTANTIATE_TEST_SUITE_P(Rows, MisspelledNameTest,
                         testing::Values(MisspelledRow{"PROCEVENT_ALLOW", "PROCEVENT_WEB_ALLOW"},
                                         MisspelledRow{"procevent_allow", "PROCEVENT_WEB_ALLOW"},
                                         MisspelledRow{"PROCEVENT_EXPORTER_ALLOW", "PROCEVENT_WEB_ALLOW"},
                                         MisspelledRow{"PROCEVENT_EVENTS", "PROCEVENT_SOURCE_EVENTS"},
                                         MisspelledRow{"PROCEVENT_LEVEL", "PROCEVENT_LOG_LEVEL"},
                                         MisspelledRow{"PROCEVENT_FORMAT", "PROCEVENT_LOG_FORMAT"},
                                         MisspelledRow{"PROCEVENT_RECEIVEBUFFER", "PROCEVENT_SOURCE_RECEIVE_BUFFER"},
                                         MisspelledRow{"PROCEVENT_EXIT_CODE_BUCKETS",
                                                       "PROCEVENT_HISTOGRAMS_EXIT_CODE_BUCKETS"},
                                         MisspelledRow{"PROCEVENTS_WEB_ALLOW", "PROCEVENT_WEB_ALLOW"},
                                         MisspelledRow{"PROCEVNT_WEB_ALLOW", "PROCEVENT_WEB_ALLOW"},
                                         MisspelledRow{"PROKEVENT_WEB_ALLOW", "PROCEVENT_WEB_ALLOW"},
                                         MisspelledRow{"XPROCEVENT_LOG_LEVEL", "PROCEVENT_LOG_LEVEL"},
                                         MisspelledRow{"PROC_EVENT_WEB_ALLOW", "PROCEVENT_WEB_ALLOW"},
                                         MisspelledRow{"Proc_Events-WebAllow", "PROCEVENT_WEB_ALLOW"},
                                         MisspelledRow{"PROCEVENTWEB_ALLOW", "PROCEVENT_WEB_ALLOW"},
                                         MisspelledRow{"PROCEVENT__WEB___ALLOW", "PROCEVENT_WEB_ALLOW"},
                                         MisspelledRow{"PROCEVENTS_CONFIG_FILE", "PROCEVENT_CONFIG_FILE"}),
                         [](const auto& row) { return std::to_string(row.index); });

TEST(EnvironmentTest, ReportsAllErrorsAtOnce) {
  EffectiveConfig effective;
  const std::vector<EnvironmentVariable> environment{{"PROCEVENT_LOG_LEVL", "info"},
                                                     {"PROCEVENT_LOG_LEVEL", "loud"},
                                                     {"PROCEVENT_TLS", "yes"},
                                                     {"PROCEVENT_WEB_ALLOW", "[x, 10.0.0.1/8]"}};
  std::vector<std::string> names;
  for (const InputError& error : SetFromEnvironment(environment, effective)) {
    EXPECT_EQ(error.position, TextPosition{});
    names.push_back(NamedBy(error));
  }
  EXPECT_THAT(names, ElementsAre("PROCEVENT_WEB_ALLOW[0]", "PROCEVENT_WEB_ALLOW[1]", "PROCEVENT_LOG_LEVEL",
                                 "PROCEVENT_LOG_LEVL", "PROCEVENT_TLS"));
}

// The printed value of each key is valid as the value of its variable.
TEST(EnvironmentTest, AcceptsEveryConfiguration) {
  std::mt19937 random(2);
  for (int i = 0; i < 500; ++i) {
    const Config config = RandomConfig(random);
    std::vector<EnvironmentVariable> environment;
    for (const Option& option : Schema()) {
      environment.push_back({EnvironmentVariableName(option.key), FormatValue(option, option.field.get(config))});
    }
    ASSERT_EQ(Set(environment).config, config);
  }
}

}  // namespace
}  // namespace procevent
