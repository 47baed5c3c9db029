#include "cmd/dispatch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <variant>
#include <vector>

#include "cmd/cli/output.h"
#include "config/schema/keys.h"
#include "config/schema/schema.h"
#include "core/base/file_descriptor.h"
#include "tests/config/loaded_errors.h"

namespace procevent {

namespace {

int RunCommand(std::vector<const char*> flags) {
  flags.insert(flags.begin(), "procevent_exporter");
  return Run(flags);
}

TEST(RunTest, CheckConfigPrintsAValidFile) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(RunCommand({"check-config", "--config.file=deploy/procevent_exporter.yml"}), 0);
  const std::string out = testing::internal::GetCapturedStdout();
  EXPECT_THAT(out, testing::StartsWith("# the configuration is valid; file: deploy/procevent_exporter.yml\nweb:\n"));
  EXPECT_THAT(out, testing::ContainsRegex("\n  level: info  # deploy/procevent_exporter.yml:[0-9]+\n"));
}

// In a child process, because it changes the environment.
TEST(RunTest, CheckConfigUsesTheEnvironment) {
  const auto scenario = [] {
    ::setenv("PROCEVENT_LOG_LEVEL", "debug", 1);
    testing::internal::CaptureStdout();
    const int code = RunCommand({"check-config", "--log.format=json"});
    const std::string out = testing::internal::GetCapturedStdout();
    const std::string first = "# the configuration is valid; file: none\nweb:\n";
    const std::string last =
        "\nlog:\n  level: debug  # environment PROCEVENT_LOG_LEVEL\n  format: json  # flag --log.format\n";
    std::_Exit(out.starts_with(first) && out.ends_with(last) ? code : 1);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

TEST(RunTest, CheckConfigRejectsAnInvalidFile) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(RunCommand({"check-config", "--config.file=deploy"}), 2);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  const std::string err = testing::internal::GetCapturedStderr();
  EXPECT_THAT(err, testing::StartsWith("deploy: "));
  EXPECT_THAT(err, testing::HasSubstr("directory"));
  EXPECT_THAT(err, testing::EndsWith(" regular file\n"));
}

// One line, as at start.
TEST(RunTest, CheckConfigReadsTheCapture) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(RunCommand({"check-config", "--source.replay=deploy/demo/demo.pcap"}), 0);
  EXPECT_THAT(testing::internal::GetCapturedStdout(), testing::HasSubstr("\n  replay: deploy/demo/demo.pcap  # flag"));
  const std::string text = testing::TempDir() + "no_capture_" + std::to_string(::getpid()) + ".txt";
  std::ofstream(text) << "this is plain text and no capture\n";
  for (const auto& [file, error] :
       {std::pair<std::string, std::string>("none.pcap",
                                            "open the capture none.pcap: No such file or directory; give the path of a "
                                            "file that may be read"),
        std::pair<std::string, std::string>("deploy",
                                            "open the capture deploy: it is a directory; give a capture file"),
        std::pair<std::string, std::string>(
            text, "read the capture " + text +
                      ": unknown file format; record one with: procevent_exporter record FILE "
                      "(decompress a compressed capture first)")}) {
    const std::string flag = "--source.replay=" + file;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    EXPECT_EQ(RunCommand({"check-config", flag.c_str()}), 2);
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "procevent_exporter: cannot " + error + '\n');
  }
  std::filesystem::remove(text);
}

// In a child process, because Run blocks signals before it serves.
TEST(RunTest, RejectsAnInvalidFlag) {
  EXPECT_EXIT(std::_Exit(RunCommand({"--log.level=loud"})), testing::ExitedWithCode(2),
              "^--log.level: .*\"loud\".* debug, info, warning or error\n$");
}

// One line: the flag, the nearest one, and where to read on.
TEST(RunTest, RejectsAnUnknownFlagInOneLine) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(RunCommand({"--log.levle=info"}), 2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "procevent_exporter: unknown flag \"--log.levle\"; did you mean \"--log.level\"? (see --help)\n");
}

// Docker reserves 2 as the exit code of a health check.
TEST(RunTest, HealthCheckNeverExitsWithTwo) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(RunCommand({"healthcheck", "extra"}), 1);
  EXPECT_EQ(RunCommand({"record", "--durtion=1s", "f"}), 2);
  const std::string err = testing::internal::GetCapturedStderr();
  EXPECT_THAT(err, testing::HasSubstr("(see healthcheck --help)"));
  EXPECT_THAT(err, testing::HasSubstr("(see record --help)"));
}

bool IsBlocked(int signal) {
  sigset_t blocked{};
  ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  return ::sigismember(&blocked, signal) == 1;
}

TEST(RunTest, BlocksSignalsOnlyForServing) {
  const auto scenario = [] {
    RunCommand({"check-config", "--config.file=deploy/procevent_exporter.yml"});
    if (IsBlocked(SIGTERM)) {
      std::_Exit(1);
    }
    RunCommand({"--log.level=loud"});
    std::_Exit(IsBlocked(SIGTERM) ? 0 : 2);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

TEST(RunTest, FailsIfTheStandardOutputIsFull) {
  const OwnedFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.valid());
  const Status written = WriteAll(full.get(), "text");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().operation, "write to the standard output");
  EXPECT_EQ(written.error().cause.code, ENOSPC);
  testing::internal::CaptureStderr();
  const OwnedFd out(::dup(STDOUT_FILENO));
  ::dup2(full.get(), STDOUT_FILENO);
  const int code = RunCommand({"--version"});
  ::dup2(out.get(), STDOUT_FILENO);
  EXPECT_EQ(code, 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "procevent_exporter: " + Describe(written.error()) + '\n');
}

TEST(RunTest, ReservesAClosedStandardDescriptor) {
  const OwnedFd in(::dup(STDIN_FILENO));
  ::close(STDIN_FILENO);
  ReserveStandardDescriptors();
  EXPECT_EQ(::fcntl(STDIN_FILENO, F_GETFD), 0);
  char byte = 0;
  EXPECT_EQ(::read(STDIN_FILENO, &byte, 1), -1);
  ::dup2(in.get(), STDIN_FILENO);
}

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

using Variables = std::vector<EnvironmentVariable>;

std::vector<std::string> ErrorsOf(const Flags& flags, const Variables& environment = {}) {
  return DescribeErrors(Configure(flags, environment));
}

Flags MakeFlags(std::optional<std::string> file, std::vector<ConfigOverride> settings = {}) {
  Flags flags;
  flags.config_file = std::move(file);
  flags.settings = std::move(settings);
  return flags;
}

constexpr const char* kFile = "deploy/procevent_exporter.yml";

TEST(ConfigureTest, UsesTheDefaultsWithoutInput) {
  const auto effective = Configure({}, {}).value();
  EXPECT_EQ(effective.config, Config{});
  EXPECT_TRUE(effective.origins.empty());
}

TEST(ConfigureTest, FlagsOverrideTheEnvironmentWhichOverridesTheFile) {
  const Flags flags = MakeFlags(kFile, {{"--web.listen-address", FindOption("web.listen_addresses"), {":1", ":2"}},
                                        {"--log.level", FindOption("log.level"), {"error"}}});
  const Variables environment{
      {"PROCEVENT_LOG_LEVEL", "debug"}, {"PROCEVENT_LOG_FORMAT", "json"}, {"PROCEVENT_WEB_LISTEN_ADDRESSES", ":3"}};
  ASSERT_THAT(ErrorsOf(flags, environment), ElementsAre());
  const auto effective = Configure(flags, environment).value();
  Config wanted;
  wanted.server.listen_addresses = {":1", ":2"};
  wanted.log = {LogLevel::kError, LogFormat::kJson};
  EXPECT_EQ(effective.config, wanted);
  EXPECT_EQ(effective.origins.at("log.level"), (Origin{Origin::Kind::kFlag, "--log.level", 0}));
  EXPECT_EQ(effective.origins.at("log.format"), (Origin{Origin::Kind::kEnvironment, "PROCEVENT_LOG_FORMAT", 0}));
  EXPECT_EQ(effective.origins.at("web.telemetry_path").name, kFile);
  EXPECT_EQ(effective.origins.size(), Schema().size()) << "the file has every key";
}

TEST(ConfigureTest, ReportsTheErrorsOfAllInputsTogether) {
  const Flags flags = MakeFlags("/nowhere/none.yml", {{"--log.level", FindOption("log.level"), {"loud"}}});
  const auto is_error = [](const std::string& key, const std::string& value, const std::string& expected) {
    return AllOf(StartsWith(key + ": "), HasSubstr(value), HasSubstr(expected));
  };
  EXPECT_THAT(ErrorsOf(flags, {{"PROCEVENT_GROUPS_LIMIT", "0"}}),
              ElementsAre(is_error("/nowhere/none.yml", "No such file or directory", "existing file"),
                          is_error("PROCEVENT_GROUPS_LIMIT", "\"0\"", "from 10 to 10000"),
                          is_error("--log.level", "\"loud\"", "debug, info, warning or error")));
}

TEST(ConfigureTest, ConfigureWithoutFileUsesFlagsAndEnvironment) {
  const Flags flags = MakeFlags("/nowhere/none.yml", {{"--log.level", FindOption("log.level"), {"error"}}});
  const Variables environment{{"PROCEVENT_CONFIG_FILE", "/nowhere/either.yml"}, {"PROCEVENT_LOG_FORMAT", "json"}};
  const LoadedConfig loaded = ConfigureWithoutFile(flags, environment);
  ASSERT_THAT(DescribeErrors(loaded), ElementsAre());
  EXPECT_EQ(loaded.value().config.log, (LogOptions{LogLevel::kError, LogFormat::kJson}));
  EXPECT_THAT(DescribeErrors(ConfigureWithoutFile({}, Variables{{"PROCEVENT_LOG_LEVEL", "loud"}})), testing::SizeIs(1));
}

TEST(ConfigureTest, FindsTheFileOfTheFlagElseOfTheVariable) {
  const Variables environment{{"PROCEVENT_CONFIG_FILE", kFile}};
  EXPECT_EQ(FindConfigFile({}, {}), std::nullopt);
  EXPECT_EQ(FindConfigFile({}, Variables{{"PROCEVENT_CONFIG_FILE", ""}}), std::nullopt);
  EXPECT_EQ(FindConfigFile({}, environment), kFile);
  EXPECT_EQ(FindConfigFile(MakeFlags("a.yml"), environment), "a.yml");
  EXPECT_EQ(FindConfigFile(MakeFlags(""), environment), "") << "Configure rejects it";
  EXPECT_EQ(Configure({}, environment).value().origins.size(), Schema().size());
}

using testing::Contains;
using testing::Field;

auto IsVariable(const char* name, const char* value) {
  return AllOf(Field(&EnvironmentVariable::name, name), Field(&EnvironmentVariable::value, value));
}

TEST(EnvironmentTest, ReadsVariablesWithASimilarPrefix) {
  ::setenv("PROCEVENT_TEST_ONE", "a=b", 1);
  ::setenv("procevent_test_two", "", 1);
  ::setenv("NO_PROCEVENT_TEST", "x", 1);
  const std::vector<EnvironmentVariable> variables = ReadEnvironment();
  EXPECT_THAT(variables, Contains(IsVariable("PROCEVENT_TEST_ONE", "a=b")));
  EXPECT_THAT(variables, Contains(IsVariable("procevent_test_two", "")));
  EXPECT_THAT(variables, Not(Contains(Field(&EnvironmentVariable::name, "NO_PROCEVENT_TEST"))));
  ::unsetenv("PROCEVENT_TEST_ONE");
  ::unsetenv("procevent_test_two");
  ::unsetenv("NO_PROCEVENT_TEST");
}

}  // namespace

}  // namespace procevent
