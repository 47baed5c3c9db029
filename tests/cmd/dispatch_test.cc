#include "cmd/dispatch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <string>
#include <variant>
#include <vector>

#include "cmd/cli/output.h"
#include "config/schema/schema.h"
#include "core/base/file_descriptor.h"
#include "tests/config/config_error_lines.h"

namespace procevent {

namespace {

int RunWith(std::vector<const char*> flags) {
  flags.insert(flags.begin(), "procevent_exporter");
  return Run(flags);
}

TEST(RunTest, ChecksAGoodFile) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(RunWith({"check-config", "--config.file=deploy/procevent_exporter.yml"}), 0);
  const std::string out = testing::internal::GetCapturedStdout();
  EXPECT_THAT(out, testing::StartsWith("# the configuration is valid; file: deploy/procevent_exporter.yml\nweb:\n"));
  EXPECT_THAT(out, testing::ContainsRegex("\n  level: info  # deploy/procevent_exporter.yml:[0-9]+\n"));
}

// In a process of its own: it changes the environment.
TEST(RunTest, ChecksWhatTheEnvironmentSays) {
  const auto scenario = [] {
    ::setenv("PROCEVENT_LOG_LEVEL", "debug", 1);
    testing::internal::CaptureStdout();
    const int code = RunWith({"check-config", "--log.format=json"});
    const std::string out = testing::internal::GetCapturedStdout();
    const std::string first = "# the configuration is valid; file: none\nweb:\n";
    const std::string last =
        "\nlog:\n  level: debug  # environment PROCEVENT_LOG_LEVEL\n  format: json  # flag --log.format\n";
    std::_Exit(out.starts_with(first) && out.ends_with(last) ? code : 1);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

TEST(RunTest, RefusesABadOne) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(RunWith({"check-config", "--config.file=deploy"}), 2);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "deploy: cannot read the file: it is a directory; give a regular file\n");
}

// In a process of its own: on the way to serving, signals stay blocked.
TEST(RunTest, ServesNothingWithABadFlag) {
  EXPECT_EXIT(std::_Exit(RunWith({"--log.level=loud"})), testing::ExitedWithCode(2),
              "^--log.level: invalid value \"loud\": expected debug, info, warning or error\n$");
}

bool IsBlocked(int signal) {
  sigset_t blocked{};
  ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  return ::sigismember(&blocked, signal) == 1;
}

TEST(RunTest, HoldsSignalsBackOnlyForServing) {
  const auto scenario = [] {
    RunWith({"check-config", "--config.file=deploy/procevent_exporter.yml"});
    if (IsBlocked(SIGTERM)) {
      std::_Exit(1);
    }
    RunWith({"--log.level=loud"});
    std::_Exit(IsBlocked(SIGTERM) ? 0 : 2);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

TEST(RunTest, SaysWhenNobodyCanBeTold) {
  const OwnedFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.valid());
  const Status written = WriteAll(full.get(), "text");
  ASSERT_FALSE(written);
  EXPECT_EQ(Describe(written.error()),
            "cannot write to the standard output: No space left on device; redirect it to where there is room");
  testing::internal::CaptureStderr();
  const OwnedFd out(::dup(STDOUT_FILENO));
  ::dup2(full.get(), STDOUT_FILENO);
  const int code = RunWith({"--version"});
  ::dup2(out.get(), STDOUT_FILENO);
  EXPECT_EQ(code, 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "procevent_exporter: cannot write to the standard output: No space left on device; redirect it to where "
            "there is room\n");
}

TEST(RunTest, OpensAStandardDescriptorThatIsClosed) {
  const OwnedFd in(::dup(STDIN_FILENO));
  ::close(STDIN_FILENO);
  ReserveStandardDescriptors();
  EXPECT_EQ(::fcntl(STDIN_FILENO, F_GETFD), 0);
  char byte = 0;
  EXPECT_EQ(::read(STDIN_FILENO, &byte, 1), -1);
  ::dup2(in.get(), STDIN_FILENO);
}

}  // namespace

namespace {

using testing::ElementsAre;

using Variables = std::vector<EnvironmentVariable>;

std::vector<std::string> FaultsOf(const Flags& flags, const Variables& environment = {}) {
  return DescribeErrors(Configure(flags, environment));
}

Flags FlagsOf(std::optional<std::string> file, std::vector<ConfigOverride> settings = {}) {
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
      ElementsAre(
          "/nowhere/none.yml: cannot open the file: No such file or directory; give the path of an existing file",
          R"(PROCEVENT_COMMS_LIMIT: invalid value "0": expected a number from 10 to 10000 in digits alone, like 500)",
          R"(--log.level: invalid value "loud": expected debug, info, warning or error)"));
}

TEST(ConfigureTest, WithoutTheFileTheOthersCount) {
  const Flags flags = FlagsOf("/nowhere/none.yml", {{"--log.level", "log.level", {"error"}}});
  const Variables environment{{"PROCEVENT_CONFIG_FILE", "/nowhere/either.yml"}, {"PROCEVENT_LOG_FORMAT", "json"}};
  const LoadedConfig loaded = ConfigureWithoutFile(flags, environment);
  ASSERT_THAT(DescribeErrors(loaded), ElementsAre());
  EXPECT_EQ(std::get<EffectiveConfig>(loaded).config.log, (LogOptions{LogLevel::kError, LogFormat::kJson}));
  EXPECT_THAT(DescribeErrors(ConfigureWithoutFile({}, Variables{{"PROCEVENT_LOG_LEVEL", "loud"}})), testing::SizeIs(1));
}

TEST(ConfigureTest, TheFileIsTheFlagsOrTheVariables) {
  const Variables environment{{"PROCEVENT_CONFIG_FILE", kFile}};
  EXPECT_EQ(FindConfigFile({}, {}), std::nullopt);
  EXPECT_EQ(FindConfigFile({}, Variables{{"PROCEVENT_CONFIG_FILE", ""}}), std::nullopt);
  EXPECT_EQ(FindConfigFile({}, environment), kFile);
  EXPECT_EQ(FindConfigFile(FlagsOf("a.yml"), environment), "a.yml");
  EXPECT_EQ(FindConfigFile(FlagsOf(""), environment), "") << "which is a fault";
  EXPECT_EQ(std::get<EffectiveConfig>(Configure({}, environment)).origins.size(), Schema().size());
}

}  // namespace

namespace {

using testing::AllOf;
using testing::Contains;
using testing::Field;

auto Is(const char* name, const char* value) {
  return AllOf(Field(&EnvironmentVariable::name, name), Field(&EnvironmentVariable::value, value));
}

TEST(EnvironmentTest, HasWhatMayBeOurs) {
  ::setenv("PROCEVENT_TEST_ONE", "a=b", 1);
  ::setenv("procevent_test_two", "", 1);
  ::setenv("NO_PROCEVENT_TEST", "x", 1);
  const std::vector<EnvironmentVariable> variables = ReadEnvironment();
  EXPECT_THAT(variables, Contains(Is("PROCEVENT_TEST_ONE", "a=b")));
  EXPECT_THAT(variables, Contains(Is("procevent_test_two", "")));
  EXPECT_THAT(variables, Not(Contains(Field(&EnvironmentVariable::name, "NO_PROCEVENT_TEST"))));
  ::unsetenv("PROCEVENT_TEST_ONE");
  ::unsetenv("procevent_test_two");
  ::unsetenv("NO_PROCEVENT_TEST");
}

}  // namespace

}  // namespace procevent
