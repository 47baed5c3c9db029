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
  std::vector<std::string> warned{};  // parts of the one warning
};

class ServiceSettingsTest : public testing::TestWithParam<SettingsRow> {};

TEST_P(ServiceSettingsTest, AreReadFromTheEnvironment) {
  const SettingsRow& row = GetParam();
  std::vector<std::string> warnings;
  const ServiceSettings settings =
      ParseServiceSettings(row.socket, row.watchdog_usec, row.watchdog_pid, 77,
                           [&warnings](const LogMessage& message) { warnings.push_back(message.text); });
  EXPECT_EQ(settings.socket, row.socket);
  EXPECT_EQ(settings.watchdog, row.expected_watchdog);
  ASSERT_EQ(warnings.size(), row.warned.empty() ? 0U : 1U);
  for (const std::string& part : row.warned) {
    EXPECT_THAT(warnings[0], HasSubstr(part));
  }
}

constexpr microseconds kNone{0};
constexpr microseconds kHalfMinute{30'000'000};

SettingsRow BadWatchdog(const char* name, const char* usec, std::string quoted) {
  return {
      name,
      "/s",
      usec,
      "",
      kNone,
      {"WATCHDOG_USEC: invalid value " + quoted, "at least 2000000", "no watchdog messages", "WatchdogSec=2s or more"}};
}

SettingsRow BadPid(const char* name, const char* pid, std::string quoted) {
  return {name, "/s",  "30000000",
          pid,  kNone, {"WATCHDOG_PID: invalid value " + quoted, "no watchdog messages", "unset it"}};
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ServiceSettingsTest,
    testing::Values(SettingsRow{"Nobody", "", "", "", kNone},
                    SettingsRow{"AWatchdogButNoSocket", "", "30000000", "", kNone},
                    SettingsRow{"ABadWatchdogAndNoSocket", "", "30s", "me", kNone},
                    SettingsRow{"ASocket", "/run/systemd/notify", "", "", kNone},
                    SettingsRow{"AnAbstractOne", "@name", "", "", kNone},
                    SettingsRow{"AWatchdog", "/s", "30000000", "", kHalfMinute},
                    SettingsRow{"OurWatchdog", "/s", "30000000", "77", kHalfMinute},
                    SettingsRow{"AnothersWatchdog", "/s", "30000000", "78", kNone},
                    SettingsRow{"AnothersBadWatchdog", "/s", "30s", "78", kNone},
                    SettingsRow{"ABadPidButNoWatchdog", "/s", "", "me", kNone},
                    SettingsRow{"TheShortest", "/s", "2000000", "", kMinWatchdog},
                    SettingsRow{"Forever", "/s", "18446744073709551615", "", microseconds(9'223'372'036'854'775)},
                    BadWatchdog("TooShort", "1999999", R"("1999999")"), BadWatchdog("AlmostNothing", "1", R"("1")"),
                    BadWatchdog("Zero", "0", R"("0")"), BadWatchdog("Negative", "-30000000", R"("-30000000")"),
                    BadWatchdog("NoNumber", "soon", R"("soon")"), BadWatchdog("ATrailingUnit", "30s", R"("30s")"),
                    BadWatchdog("ATrailingBlank", "30000000 ", R"("30000000 ")"),
                    BadWatchdog("ALineBreak", "1\n2", R"("1\x0a2")"), BadPid("ANameForAPid", "me", R"("me")"),
                    BadPid("ATrailingLetter", "77x", R"("77x")"), BadPid("NobodysPid", "0", R"("0")"),
                    BadPid("ANegativePid", "-5", R"("-5")")),
    [](const auto& row) { return row.param.name; });

TEST(OwnServiceSettingsTest, AreOfThisProcess) {
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
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");  // in a process of its own: it changes the environment
}

class ServiceNotifierTest : public testing::Test {
 protected:
  ServiceNotifier Manager(const std::string& socket) {
    return ServiceNotifier(socket, [this](const LogMessage& message) { warnings_.push_back(message); });
  }
  std::vector<LogMessage> warnings_;
  TemporaryFolder folder_;
};

TEST_F(ServiceNotifierTest, SpeaksTheProtocol) {
  NotifySocket socket(folder_ / "notify");
  ServiceNotifier manager = Manager(folder_ / "notify");
  EXPECT_TRUE(manager.enabled());
  EXPECT_TRUE(manager.SendReady("hearing"));
  EXPECT_TRUE(manager.SendStatus("deaf"));
  manager.SendWatchdog();
  manager.SendStopping();
  EXPECT_THAT(socket.Take(), ElementsAre("READY=1\nSTATUS=hearing", "STATUS=deaf", "WATCHDOG=1", "STOPPING=1"));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ServiceNotifierTest, AReloadSaysWhenItBegan) {
  NotifySocket socket(folder_ / "notify");
  const std::uint64_t before = MonotonicNanos() / 1000;
  Manager(folder_ / "notify").SendReloading();
  const std::uint64_t after = MonotonicNanos() / 1000;
  const auto messages = socket.Take();
  ASSERT_EQ(messages.size(), 1U);
  const std::string start = "RELOADING=1\nMONOTONIC_USEC=";
  ASSERT_THAT(messages[0], StartsWith(start));
  const std::uint64_t told = std::stoull(messages[0].substr(start.size()));
  EXPECT_GE(told, before);
  EXPECT_LE(told, after);
}

TEST_F(ServiceNotifierTest, KnowsAbstractNames) {
  const std::string name = "@procevent_notify_" + std::to_string(::getpid());
  NotifySocket socket(name);
  Manager(name).SendWatchdog();
  EXPECT_THAT(socket.Take(), ElementsAre("WATCHDOG=1"));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ServiceNotifierTest, TellsNobodyWhereThereIsNobody) {
  ServiceNotifier manager = Manager("");
  EXPECT_FALSE(manager.enabled());
  EXPECT_FALSE(manager.SendReady("hearing"));
  manager.SendStopping();
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ServiceNotifierTest, FindsASocketThatWasMadeAnew) {
  ServiceNotifier manager = Manager(folder_ / "notify");
  {
    NotifySocket socket(folder_ / "notify");
    manager.SendWatchdog();
  }
  NotifySocket anew(folder_ / "notify");
  manager.SendWatchdog();
  EXPECT_THAT(anew.Take(), ElementsAre("WATCHDOG=1"));
}

TEST_F(ServiceNotifierTest, AWrongSocketIsOneWarning) {
  NotifySocket stream(folder_ / "stream", SOCK_STREAM);
  for (const std::string& wrong : {std::string("relative"), folder_ / "missing", std::string("/dev/null"),
                                   folder_ / "stream", "/" + std::string(107, 'x'), "@" + std::string(108, 'x')}) {
    warnings_.clear();
    ServiceNotifier manager = Manager(wrong);
    EXPECT_FALSE(manager.SendReady("hearing"));
    manager.SendWatchdog();
    ASSERT_EQ(warnings_.size(), 1U) << wrong;
    EXPECT_THAT(warnings_[0], AllOf(HasLevel(LogLevel::kWarning), SaysText("cannot notify the service manager; "),
                                    SaysText("NOTIFY_SOCKET ")))
        << wrong;
    EXPECT_THAT(warnings_[0].fields, ElementsAre(testing::Field(&LogField::key, "err"))) << wrong;
  }
}

// Whatever could not be told: only some of it is tried again.
TEST_F(ServiceNotifierTest, AWarningPromisesNothing) {
  Manager(folder_ / "missing").SendStopping();
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_THAT(warnings_[0], AllOf(SaysText("cannot notify the service manager; NOTIFY_SOCKET "),
                                  SaysText("unset NOTIFY_SOCKET"), Not(SaysText("again")), Not(SaysText("retr")),
                                  HasFields({Text("err", "No such file or directory")})));
}

TEST_F(ServiceNotifierTest, SpeaksWhenItCanHaveASocket) {
  NotifySocket socket(folder_ / "notify");
  ServiceNotifier manager = Manager(folder_ / "notify");
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none{0, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const bool sent = manager.SendStatus("deaf");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_FALSE(sent);
  EXPECT_THAT(warnings_, ElementsAre(AllOf(SaysText("cannot notify the service manager; "), SaysText("AF_UNIX"),
                                           SaysText("(ulimit -n)"), HasFields({Text("err", "Too many open files")}))));
  manager.SendWatchdog();
  EXPECT_THAT(socket.Take(), ElementsAre("WATCHDOG=1"));
}

TEST_F(ServiceNotifierTest, TheLongestNamesAreTaken) {
  const std::string abstract = "@" + std::string(90, 'x') + std::to_string(::getpid());
  NotifySocket socket(abstract);
  Manager(abstract).SendWatchdog();
  EXPECT_EQ(socket.Take().size(), 1U);
  ServiceNotifier longest = Manager("/" + std::string(106, 'x'));
  longest.SendWatchdog();
  // The whole name reached the kernel.
  EXPECT_THAT(warnings_, ElementsAre(HasFields({Text("err", "No such file or directory")})));
}

TEST_F(ServiceNotifierTest, OneThatTakesNothingHoldsNobodyUp) {
  NotifySocket socket(folder_ / "notify");
  ServiceNotifier manager = Manager(folder_ / "notify");
  const std::uint64_t start = MonotonicNanos();
  for (int i = 0; warnings_.empty() && i < 100'000; ++i) {
    manager.SendWatchdog();
  }
  EXPECT_EQ(warnings_.size(), 1U) << "its queue has no end";
  EXPECT_LT(MonotonicNanos() - start, 10 * kNanosPerSecond);
  EXPECT_FALSE(socket.Take().empty());
  manager.SendStopping();
  EXPECT_THAT(socket.Take(), ElementsAre("STOPPING=1"));
}

}  // namespace

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kHearing = "hearing the kernel's process events";
const SubscriptionStatus kHears{.answered = true, .cause = "", .losses = ""};
const SubscriptionStatus kDeaf{.answered = true, .cause = "cannot hear process events; run as root", .losses = ""};
const SubscriptionStatus kHangs{.answered = false, .cause = "the reader does not answer", .losses = ""};

class ServiceStatusReporterTest : public testing::Test {
 protected:
  void Make(std::chrono::microseconds watchdog, bool listens = true) {
    report_ = std::make_unique<ServiceStatusReporter>(
        ServiceSettings{.socket = listens ? folder_ / "notify" : "", .watchdog = watchdog},
        [this](milliseconds patience) {
          asked_.push_back(patience);
          return reader_;
        },
        [](const LogMessage& message) { ADD_FAILURE() << message.text; });
  }
  // Due in this time, give or take what the test takes.
  void ExpectDueIn(milliseconds wait) {
    ASSERT_TRUE(report_->NextDue());
    const auto left = static_cast<std::int64_t>(*report_->NextDue()) - static_cast<std::int64_t>(MonotonicNanos());
    EXPECT_LE(left, std::chrono::nanoseconds(wait).count());
    EXPECT_GT(left, std::chrono::nanoseconds(wait - 5s).count());
  }

  TemporaryFolder folder_;
  NotifySocket socket_{folder_ / "notify"};
  SubscriptionStatus reader_ = kHears;
  std::vector<milliseconds> asked_;
  std::unique_ptr<ServiceStatusReporter> report_;
};

TEST_F(ServiceStatusReporterTest, NobodyIsAskedWhereNobodyIsTold) {
  Make(30s, false);
  report_->NotifyReady();
  report_->Update();
  report_->NotifyReloading();
  report_->NotifyStopping();
  EXPECT_EQ(report_->NextDue(), std::nullopt);
  EXPECT_THAT(asked_, IsEmpty());
  EXPECT_THAT(socket_.Take(), IsEmpty());
}

TEST_F(ServiceStatusReporterTest, SaysReadyWithWhatItHears) {
  Make(0us);
  report_->NotifyReady();
  EXPECT_THAT(socket_.Take(), ElementsAre(std::string("READY=1\nSTATUS=") + kHearing));
  report_->NotifyStopping();
  EXPECT_THAT(socket_.Take(), ElementsAre("STOPPING=1"));
}

TEST_F(ServiceStatusReporterTest, ADeafOneIsReadyToo) {
  reader_ = kDeaf;
  Make(0us);
  report_->NotifyReady();
  EXPECT_THAT(socket_.Take(), ElementsAre("READY=1\nSTATUS=not ready: cannot hear process events; run as root"));
}

TEST_F(ServiceStatusReporterTest, TheStatusIsRenewedWhenItChanges) {
  Make(0us);
  report_->NotifyReady();
  socket_.Take();
  report_->Update();
  EXPECT_THAT(socket_.Take(), IsEmpty());
  reader_ = kDeaf;
  report_->Update();
  report_->Update();
  EXPECT_THAT(socket_.Take(), ElementsAre("STATUS=not ready: cannot hear process events; run as root"));
  reader_ = kHears;
  report_->Update();
  EXPECT_THAT(socket_.Take(), ElementsAre(std::string("STATUS=") + kHearing));
}

TEST_F(ServiceStatusReporterTest, WhatCouldNotBeSentIsSentAgain) {
  std::vector<std::string> warnings;
  ServiceStatusReporter report(
      {.socket = folder_ / "later", .watchdog = 0us}, [](milliseconds) { return kHears; },
      [&warnings](const LogMessage& message) { warnings.push_back(message.text); });
  report.NotifyReady();
  EXPECT_EQ(warnings.size(), 1U);
  EXPECT_TRUE(report.NextDue()) << "it is tried again, though nothing happens";
  NotifySocket later(folder_ / "later");
  report.Update();
  EXPECT_THAT(later.Take(), ElementsAre(std::string("READY=1\nSTATUS=") + kHearing));
  EXPECT_EQ(report.NextDue(), std::nullopt);
  report.Update();
  EXPECT_THAT(later.Take(), IsEmpty());
}

TEST_F(ServiceStatusReporterTest, WithoutAWatchdogNothingIsEverDue) {
  Make(0us);
  report_->NotifyReady();
  report_->Update();
  EXPECT_EQ(report_->NextDue(), std::nullopt);
}

TEST_F(ServiceStatusReporterTest, WithoutAWatchdogAReaderThatDidNotAnswerIsAskedAgain) {
  Make(0us);
  report_->NotifyReady();
  socket_.Take();
  reader_ = kHangs;
  report_->Update();
  EXPECT_THAT(socket_.Take(), ElementsAre("STATUS=not ready: the reader does not answer"));
  ExpectDueIn(5s);
  reader_ = kHears;
  report_->Update();
  EXPECT_THAT(socket_.Take(), ElementsAre(std::string("STATUS=") + kHearing));
  EXPECT_EQ(report_->NextDue(), std::nullopt);
}

TEST_F(ServiceStatusReporterTest, BeatsAtHalfTheTimeThereIs) {
  Make(100s);
  EXPECT_EQ(report_->NextDue(), std::nullopt) << "not before it is ready";
  report_->NotifyReady();
  socket_.Take();
  ExpectDueIn(50s);
  report_->Update();
  EXPECT_THAT(socket_.Take(), ElementsAre("WATCHDOG=1"));
  ExpectDueIn(50s);
}

TEST_F(ServiceStatusReporterTest, AReaderThatHangsIsNotCalledAlive) {
  Make(160s);
  report_->NotifyReady();
  socket_.Take();
  reader_ = kHangs;
  report_->Update();
  report_->Update();
  EXPECT_THAT(socket_.Take(), ElementsAre("STATUS=not ready: the reader does not answer"));
  ExpectDueIn(10s);  // it may be slow only
  reader_ = kDeaf;   // alive, though it hears nothing: a restart would not help
  report_->Update();
  EXPECT_THAT(socket_.Take(), ElementsAre("STATUS=not ready: cannot hear process events; run as root", "WATCHDOG=1"));
  ExpectDueIn(80s);
}

TEST_F(ServiceStatusReporterTest, WaitsNoLongerThanThereIsTime) {
  Make(100s);
  report_->NotifyReady();
  EXPECT_THAT(asked_, ElementsAre(1000ms));
  asked_.clear();
  Make(2s);
  report_->NotifyReady();
  EXPECT_THAT(asked_, ElementsAre(500ms));
  asked_.clear();
  Make(1us);
  report_->NotifyReady();
  report_->Update();
  EXPECT_THAT(asked_, Each(1ms));
}

TEST_F(ServiceStatusReporterTest, WhatIsNotInForceIsInTheStatusUntilTheNextReload) {
  Make(0us);
  report_->NotifyReady("restart to take over: comms.limit");
  EXPECT_THAT(socket_.Take(),
              ElementsAre(std::string("READY=1\nSTATUS=") + kHearing + "; restart to take over: comms.limit"));
  reader_ = kDeaf;
  report_->Update();
  EXPECT_THAT(socket_.Take(), ElementsAre("STATUS=not ready: cannot hear process events; run as root; restart to take "
                                          "over: comms.limit"));
  report_->NotifyReady();
  EXPECT_THAT(socket_.Take(), ElementsAre("READY=1\nSTATUS=not ready: cannot hear process events; run as root"));
}

TEST_F(ServiceStatusReporterTest, AReloadEndsWithReady) {
  Make(0us);
  report_->NotifyReloading();
  report_->NotifyReady();
  const auto messages = socket_.Take();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_THAT(messages[0], testing::StartsWith("RELOADING=1\n"));
  EXPECT_THAT(messages[1], testing::StartsWith("READY=1\n"));
}

}  // namespace

}  // namespace procevent
