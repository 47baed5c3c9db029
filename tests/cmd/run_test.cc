#include "cmd/run.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "cmd/output.h"
#include "core/base/owned_fd.h"

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
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "deploy: found a directory, allowed is a regular file\n");
}

// In a process of its own: on the way to serving, signals stay blocked.
TEST(RunTest, ServesNothingWithABadFlag) {
  EXPECT_EXIT(std::_Exit(RunWith({"--log.level=loud"})), testing::ExitedWithCode(2),
              "^--log.level: found \"loud\", allowed is debug, info, warning or error\n$");
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
  OpenStandardDescriptors();
  EXPECT_EQ(::fcntl(STDIN_FILENO, F_GETFD), 0);
  char byte = 0;
  EXPECT_EQ(::read(STDIN_FILENO, &byte, 1), -1);
  ::dup2(in.get(), STDIN_FILENO);
}

}  // namespace
}  // namespace procevent
