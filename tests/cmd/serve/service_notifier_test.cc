#include "cmd/serve/service_notifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "core/base/system.h"
#include "tests/cmd/logging/log_matchers.h"
#include "tests/cmd/serve/notify_socket.h"

namespace procevent {

namespace {

using std::chrono::microseconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

struct SettingsRow {
  const char* name;
  const char* socket;
  const char* watchdog_usec;
  const char* watchdog_pid;
  microseconds expected_watchdog;
  std::vector<std::string> warning_parts{};  // empty: no warning
};

class ServiceSettingsTest : public testing::TestWithParam<SettingsRow> {};

TEST_P(ServiceSettingsTest, ParsesValidAndWarnsOfInvalidValues) {
  const SettingsRow& row = GetParam();
  std::vector<LogMessage> messages;
  const ServiceSettings settings =
      ParseServiceSettings(row.socket, row.watchdog_usec, row.watchdog_pid, 77,
                           [&messages](const LogMessage& message) { messages.push_back(message); });
  EXPECT_EQ(settings.socket, row.socket);
  EXPECT_EQ(settings.watchdog, row.expected_watchdog);
  ASSERT_EQ(messages.size(), row.warning_parts.empty() ? 0U : 1U);
  for (const std::string& part : row.warning_parts) {
    EXPECT_THAT(messages[0], AllOf(HasLevel(LogLevel::kWarning), SaysText(part)));
  }
}

constexpr microseconds kNone{0};
constexpr microseconds kHalfMinute{30'000'000};

SettingsRow InvalidWatchdogRow(const char* name, const char* usec, std::string quoted) {
  return {
      name,
      "/s",
      usec,
      "",
      kNone,
      {"WATCHDOG_USEC: invalid value " + quoted, "at least 2000000", "no watchdog messages", "WatchdogSec=2s or more"}};
}

SettingsRow InvalidPidRow(const char* name, const char* pid, std::string quoted) {
  return {name, "/s",  "30000000",
          pid,  kNone, {"WATCHDOG_PID: invalid value " + quoted, "no watchdog messages", "unset it"}};
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ServiceSettingsTest,
    testing::Values(
        SettingsRow{"NothingSet", "", "", "", kNone}, SettingsRow{"WatchdogWithoutSocket", "", "30000000", "", kNone},
        SettingsRow{"InvalidWatchdogWithoutSocket", "", "30s", "me", kNone},
        SettingsRow{"SocketPath", "/run/systemd/notify", "", "", kNone},
        SettingsRow{"AbstractSocket", "@name", "", "", kNone},
        SettingsRow{"Watchdog", "/s", "30000000", "", kHalfMinute},
        SettingsRow{"WatchdogOfThisProcess", "/s", "30000000", "77", kHalfMinute},
        SettingsRow{"WatchdogOfAnotherProcess", "/s", "30000000", "78", kNone},
        SettingsRow{"InvalidWatchdogOfAnotherProcess", "/s", "30s", "78", kNone},
        SettingsRow{"InvalidPidWithoutWatchdog", "/s", "", "me", kNone},
        SettingsRow{"ShortestAccepted", "/s", "2000000", "", kMinWatchdog},
        SettingsRow{"Largest", "/s", "18446744073709551615", "", microseconds(9'223'372'036'854'775)},
        InvalidWatchdogRow("TooShort", "1999999", R"("1999999")"), InvalidWatchdogRow("OneMicrosecond", "1", R"("1")"),
        InvalidWatchdogRow("Zero", "0", R"("0")"), InvalidWatchdogRow("Negative", "-30000000", R"("-30000000")"),
        InvalidWatchdogRow("NotANumber", "soon", R"("soon")"), InvalidWatchdogRow("TrailingUnit", "30s", R"("30s")"),
        InvalidWatchdogRow("TrailingBlank", "30000000 ", R"("30000000 ")"),
        InvalidWatchdogRow("LineBreak", "1\n2", R"("1\x0a2")"), InvalidPidRow("NameInsteadOfPid", "me", R"("me")"),
        InvalidPidRow("TrailingLetter", "77x", R"("77x")"), InvalidPidRow("PidZero", "0", R"("0")"),
        InvalidPidRow("NegativePid", "-5", R"("-5")")),
    [](const auto& row) { return row.param.name; });

TEST(LoadServiceSettingsTest, ReadsTheEnvironment) {
  const auto scenario = [] {
    ::setenv("NOTIFY_SOCKET", "/s", 1);
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    const ServiceSettings set = LoadServiceSettings([](const LogMessage&) { std::_Exit(1); });
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("WATCHDOG_PID");
    const ServiceSettings unset = LoadServiceSettings([](const LogMessage&) { std::_Exit(2); });
    std::_Exit(set.socket == "/s" && set.watchdog == kHalfMinute && unset.socket.empty() ? 0 : 3);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");  // in a child process, because it changes the environment
}

class ServiceNotifierTest : public testing::Test {
 protected:
  ServiceNotifier MakeNotifier(const std::string& socket) {
    return ServiceNotifier(socket, [this](const LogMessage& message) { warnings_.push_back(message); });
  }
  std::vector<LogMessage> warnings_;
  TemporaryFolder folder_;
};

TEST_F(ServiceNotifierTest, SendsTheProtocolMessages) {
  NotifySocket socket(folder_ / "notify");
  ServiceNotifier notifier = MakeNotifier(folder_ / "notify");
  EXPECT_TRUE(notifier.enabled());
  EXPECT_TRUE(notifier.SendReady("subscribed"));
  EXPECT_TRUE(notifier.SendStatus("unsubscribed"));
  notifier.SendWatchdog();
  notifier.SendStopping();
  EXPECT_THAT(socket.ReceiveAll(),
              ElementsAre("READY=1\nSTATUS=subscribed", "STATUS=unsubscribed", "WATCHDOG=1", "STOPPING=1"));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ServiceNotifierTest, SendsTheStartTimeOfAReload) {
  NotifySocket socket(folder_ / "notify");
  const std::uint64_t before = MonotonicNanos() / 1000;
  MakeNotifier(folder_ / "notify").SendReloading();
  const std::uint64_t after = MonotonicNanos() / 1000;
  const auto messages = socket.ReceiveAll();
  ASSERT_EQ(messages.size(), 1U);
  const std::string start = "RELOADING=1\nMONOTONIC_USEC=";
  ASSERT_THAT(messages[0], StartsWith(start));
  const std::uint64_t sent = std::stoull(messages[0].substr(start.size()));
  EXPECT_GE(sent, before);
  EXPECT_LE(sent, after);
}

TEST_F(ServiceNotifierTest, SendsToAnAbstractName) {
  const std::string name = "@procevent_notify_" + std::to_string(::getpid());
  NotifySocket socket(name);
  MakeNotifier(name).SendWatchdog();
  EXPECT_THAT(socket.ReceiveAll(), ElementsAre("WATCHDOG=1"));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ServiceNotifierTest, SendsNothingWithoutASocket) {
  ServiceNotifier notifier = MakeNotifier("");
  EXPECT_FALSE(notifier.enabled());
  EXPECT_FALSE(notifier.SendReady("subscribed"));
  notifier.SendStopping();
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ServiceNotifierTest, FindsASocketThatWasReplaced) {
  ServiceNotifier notifier = MakeNotifier(folder_ / "notify");
  {
    NotifySocket socket(folder_ / "notify");
    notifier.SendWatchdog();
  }
  NotifySocket replacement(folder_ / "notify");
  notifier.SendWatchdog();
  EXPECT_THAT(replacement.ReceiveAll(), ElementsAre("WATCHDOG=1"));
}

TEST_F(ServiceNotifierTest, WarnsOnceOfAnUnusableSocket) {
  NotifySocket stream(folder_ / "stream", SOCK_STREAM);
  for (const std::string& wrong : {std::string("relative"), folder_ / "missing", std::string("/dev/null"),
                                   folder_ / "stream", "/" + std::string(107, 'x'), "@" + std::string(108, 'x')}) {
    warnings_.clear();
    ServiceNotifier notifier = MakeNotifier(wrong);
    EXPECT_FALSE(notifier.SendReady("subscribed"));
    notifier.SendWatchdog();
    ASSERT_EQ(warnings_.size(), 1U) << wrong;
    ASSERT_THAT(warnings_[0].fields, ElementsAre(testing::Field(&LogField::key, "err"))) << wrong;
    const auto& cause = std::get<std::string>(warnings_[0].fields[0].value);
    EXPECT_THAT(warnings_[0],
                AllOf(HasLevel(LogLevel::kWarning), SaysText("cannot notify the service manager: " + cause + "; "),
                      SaysText("NOTIFY_SOCKET ")))
        << wrong;
  }
}

// Only the status is retried, so the warning must not promise a retry.
TEST_F(ServiceNotifierTest, WarningPromisesNoRetry) {
  MakeNotifier(folder_ / "missing").SendStopping();
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_THAT(warnings_[0],
              AllOf(SaysText("cannot notify the service manager: No such file or directory; NOTIFY_SOCKET "),
                    SaysText("unset NOTIFY_SOCKET"), Not(SaysText("again")), Not(SaysText("retr")),
                    HasFields({Text("err", "No such file or directory")})));
}

TEST_F(ServiceNotifierTest, SendsOnceADescriptorIsFree) {
  NotifySocket socket(folder_ / "notify");
  ServiceNotifier notifier = MakeNotifier(folder_ / "notify");
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none{0, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const bool sent = notifier.SendStatus("unsubscribed");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_FALSE(sent);
  EXPECT_THAT(warnings_, ElementsAre(AllOf(SaysText("cannot notify the service manager: Too many open files; "),
                                           SaysText("AF_UNIX"), SaysText("(ulimit -n)"),
                                           HasFields({Text("err", "Too many open files")}))));
  notifier.SendWatchdog();
  EXPECT_THAT(socket.ReceiveAll(), ElementsAre("WATCHDOG=1"));
}

TEST_F(ServiceNotifierTest, AcceptsTheLongestNames) {
  const std::string abstract = "@" + std::string(90, 'x') + std::to_string(::getpid());
  NotifySocket socket(abstract);
  MakeNotifier(abstract).SendWatchdog();
  EXPECT_EQ(socket.ReceiveAll().size(), 1U);
  ServiceNotifier longest = MakeNotifier("/" + std::string(106, 'x'));
  longest.SendWatchdog();
  // The whole name reached the kernel.
  EXPECT_THAT(warnings_, ElementsAre(HasFields({Text("err", "No such file or directory")})));
}

TEST_F(ServiceNotifierTest, DoesNotBlockOnAFullSocket) {
  NotifySocket socket(folder_ / "notify");
  ServiceNotifier notifier = MakeNotifier(folder_ / "notify");
  const std::uint64_t start = MonotonicNanos();
  for (int i = 0; warnings_.empty() && i < 100'000; ++i) {
    notifier.SendWatchdog();
  }
  EXPECT_EQ(warnings_.size(), 1U) << "the socket never became full";
  EXPECT_LT(MonotonicNanos() - start, 10 * kNanosPerSecond);
  EXPECT_FALSE(socket.ReceiveAll().empty());
  notifier.SendStopping();
  EXPECT_THAT(socket.ReceiveAll(), ElementsAre("STOPPING=1"));
}

}  // namespace

}  // namespace procevent
