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
#include "tests/cmd/serve/notify_socket.h"

namespace procevent {

namespace {

using std::chrono::microseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
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
      ReadServiceSettings(row.socket, row.watchdog_usec, row.watchdog_pid, 77,
                          [&warnings](std::string_view text) { warnings.emplace_back(text); });
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
  return {name, "/s",  usec,
          "",   kNone, {"WATCHDOG_USEC: found " + quoted, "from 2000000 on", "no beats", "WatchdogSec=2s or more"}};
}

SettingsRow BadPid(const char* name, const char* pid, std::string quoted) {
  return {name, "/s", "30000000", pid, kNone, {"WATCHDOG_PID: found " + quoted, "no beats are sent", "unset it"}};
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
                    SettingsRow{"TheShortest", "/s", "2000000", "", kShortestWatchdog},
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
    const ServiceSettings set = OwnServiceSettings([](std::string_view) { std::_Exit(1); });
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("WATCHDOG_PID");
    const ServiceSettings unset = OwnServiceSettings([](std::string_view) { std::_Exit(2); });
    std::_Exit(set.socket == "/s" && set.watchdog == kHalfMinute && unset.socket.empty() ? 0 : 3);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");  // in a process of its own: it changes the environment
}

class ServiceManagerTest : public testing::Test {
 protected:
  ServiceManager Manager(const std::string& socket) {
    return ServiceManager(socket, [this](std::string_view text) { warnings_.emplace_back(text); });
  }
  std::vector<std::string> warnings_;
  TemporaryFolder folder_;
};

TEST_F(ServiceManagerTest, SpeaksTheProtocol) {
  NotifySocket socket(folder_ / "notify");
  ServiceManager manager = Manager(folder_ / "notify");
  EXPECT_TRUE(manager.listens());
  EXPECT_TRUE(manager.Ready("hearing"));
  EXPECT_TRUE(manager.Renew("deaf"));
  manager.Beat();
  manager.Stopping();
  EXPECT_THAT(socket.Take(), ElementsAre("READY=1\nSTATUS=hearing", "STATUS=deaf", "WATCHDOG=1", "STOPPING=1"));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ServiceManagerTest, AReloadSaysWhenItBegan) {
  NotifySocket socket(folder_ / "notify");
  const std::uint64_t before = MonotonicNanos() / 1000;
  Manager(folder_ / "notify").Reloading();
  const std::uint64_t after = MonotonicNanos() / 1000;
  const auto messages = socket.Take();
  ASSERT_EQ(messages.size(), 1U);
  const std::string start = "RELOADING=1\nMONOTONIC_USEC=";
  ASSERT_THAT(messages[0], StartsWith(start));
  const std::uint64_t told = std::stoull(messages[0].substr(start.size()));
  EXPECT_GE(told, before);
  EXPECT_LE(told, after);
}

TEST_F(ServiceManagerTest, KnowsAbstractNames) {
  const std::string name = "@procevent_notify_" + std::to_string(::getpid());
  NotifySocket socket(name);
  Manager(name).Beat();
  EXPECT_THAT(socket.Take(), ElementsAre("WATCHDOG=1"));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ServiceManagerTest, TellsNobodyWhereThereIsNobody) {
  ServiceManager manager = Manager("");
  EXPECT_FALSE(manager.listens());
  EXPECT_FALSE(manager.Ready("hearing"));
  manager.Stopping();
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ServiceManagerTest, FindsASocketThatWasMadeAnew) {
  ServiceManager manager = Manager(folder_ / "notify");
  {
    NotifySocket socket(folder_ / "notify");
    manager.Beat();
  }
  NotifySocket anew(folder_ / "notify");
  manager.Beat();
  EXPECT_THAT(anew.Take(), ElementsAre("WATCHDOG=1"));
}

TEST_F(ServiceManagerTest, AWrongSocketIsOneWarning) {
  NotifySocket stream(folder_ / "stream", SOCK_STREAM);
  for (const std::string& wrong : {std::string("relative"), folder_ / "missing", std::string("/dev/null"),
                                   folder_ / "stream", "/" + std::string(107, 'x'), "@" + std::string(108, 'x')}) {
    warnings_.clear();
    ServiceManager manager = Manager(wrong);
    EXPECT_FALSE(manager.Ready("hearing"));
    manager.Beat();
    ASSERT_EQ(warnings_.size(), 1U) << wrong;
    EXPECT_THAT(warnings_[0], StartsWith("cannot tell the service manager: ")) << wrong;
    EXPECT_THAT(warnings_[0], HasSubstr("NOTIFY_SOCKET ")) << wrong;
  }
}

// Whatever could not be told: only some of it is tried again.
TEST_F(ServiceManagerTest, AWarningPromisesNothing) {
  Manager(folder_ / "missing").Stopping();
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_EQ(warnings_[0],
            "cannot tell the service manager: No such file or directory; NOTIFY_SOCKET names no socket that takes "
            "messages now: let the service manager listen there, or unset it");
}

TEST_F(ServiceManagerTest, SpeaksWhenItCanHaveASocket) {
  NotifySocket socket(folder_ / "notify");
  ServiceManager manager = Manager(folder_ / "notify");
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none{0, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const bool sent = manager.Renew("deaf");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_FALSE(sent);
  EXPECT_THAT(warnings_, ElementsAre("cannot tell the service manager: Too many open files; allow unix sockets "
                                     "(RestrictAddressFamilies=AF_UNIX) and more open files (ulimit -n)"));
  manager.Beat();
  EXPECT_THAT(socket.Take(), ElementsAre("WATCHDOG=1"));
}

TEST_F(ServiceManagerTest, TheLongestNamesAreTaken) {
  const std::string abstract = "@" + std::string(90, 'x') + std::to_string(::getpid());
  NotifySocket socket(abstract);
  Manager(abstract).Beat();
  EXPECT_EQ(socket.Take().size(), 1U);
  ServiceManager longest = Manager("/" + std::string(106, 'x'));
  longest.Beat();
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("No such file")));  // asked for, whole
}

TEST_F(ServiceManagerTest, OneThatTakesNothingHoldsNobodyUp) {
  NotifySocket socket(folder_ / "notify");
  ServiceManager manager = Manager(folder_ / "notify");
  const std::uint64_t start = MonotonicNanos();
  for (int i = 0; warnings_.empty() && i < 100'000; ++i) {
    manager.Beat();
  }
  EXPECT_EQ(warnings_.size(), 1U) << "its queue has no end";
  EXPECT_LT(MonotonicNanos() - start, 10 * kNanosPerSecond);
  EXPECT_FALSE(socket.Take().empty());
  manager.Stopping();
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
const ListenerState kHears{.answered = true, .cause = "", .losses = ""};
const ListenerState kDeaf{.answered = true, .cause = "cannot hear process events; run as root", .losses = ""};
const ListenerState kHangs{.answered = false, .cause = "the reader does not answer", .losses = ""};

class ServiceReportTest : public testing::Test {
 protected:
  void Make(std::chrono::microseconds watchdog, bool listens = true) {
    report_ = std::make_unique<ServiceReport>(
        ServiceSettings{.socket = listens ? folder_ / "notify" : "", .watchdog = watchdog},
        [this](milliseconds patience) {
          asked_.push_back(patience);
          return reader_;
        },
        [](std::string_view text) { ADD_FAILURE() << text; });
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
  ListenerState reader_ = kHears;
  std::vector<milliseconds> asked_;
  std::unique_ptr<ServiceReport> report_;
};

TEST_F(ServiceReportTest, NobodyIsAskedWhereNobodyIsTold) {
  Make(30s, false);
  report_->Ready();
  report_->Turn();
  report_->Reloading();
  report_->Stopping();
  EXPECT_EQ(report_->NextDue(), std::nullopt);
  EXPECT_THAT(asked_, IsEmpty());
  EXPECT_THAT(socket_.Take(), IsEmpty());
}

TEST_F(ServiceReportTest, SaysReadyWithWhatItHears) {
  Make(0us);
  report_->Ready();
  EXPECT_THAT(socket_.Take(), ElementsAre(std::string("READY=1\nSTATUS=") + kHearing));
  report_->Stopping();
  EXPECT_THAT(socket_.Take(), ElementsAre("STOPPING=1"));
}

TEST_F(ServiceReportTest, ADeafOneIsReadyToo) {
  reader_ = kDeaf;
  Make(0us);
  report_->Ready();
  EXPECT_THAT(socket_.Take(), ElementsAre("READY=1\nSTATUS=not ready: cannot hear process events; run as root"));
}

TEST_F(ServiceReportTest, TheStatusIsRenewedWhenItChanges) {
  Make(0us);
  report_->Ready();
  socket_.Take();
  report_->Turn();
  EXPECT_THAT(socket_.Take(), IsEmpty());
  reader_ = kDeaf;
  report_->Turn();
  report_->Turn();
  EXPECT_THAT(socket_.Take(), ElementsAre("STATUS=not ready: cannot hear process events; run as root"));
  reader_ = kHears;
  report_->Turn();
  EXPECT_THAT(socket_.Take(), ElementsAre(std::string("STATUS=") + kHearing));
}

TEST_F(ServiceReportTest, WhatCouldNotBeSentIsSentAgain) {
  std::vector<std::string> warnings;
  ServiceReport report(
      {.socket = folder_ / "later", .watchdog = 0us}, [](milliseconds) { return kHears; },
      [&warnings](std::string_view text) { warnings.emplace_back(text); });
  report.Ready();
  EXPECT_EQ(warnings.size(), 1U);
  EXPECT_TRUE(report.NextDue()) << "it is tried again, though nothing happens";
  NotifySocket later(folder_ / "later");
  report.Turn();
  EXPECT_THAT(later.Take(), ElementsAre(std::string("READY=1\nSTATUS=") + kHearing));
  EXPECT_EQ(report.NextDue(), std::nullopt);
  report.Turn();
  EXPECT_THAT(later.Take(), IsEmpty());
}

TEST_F(ServiceReportTest, WithoutAWatchdogNothingIsEverDue) {
  Make(0us);
  report_->Ready();
  report_->Turn();
  EXPECT_EQ(report_->NextDue(), std::nullopt);
}

TEST_F(ServiceReportTest, WithoutAWatchdogAReaderThatDidNotAnswerIsAskedAgain) {
  Make(0us);
  report_->Ready();
  socket_.Take();
  reader_ = kHangs;
  report_->Turn();
  EXPECT_THAT(socket_.Take(), ElementsAre("STATUS=not ready: the reader does not answer"));
  ExpectDueIn(5s);
  reader_ = kHears;
  report_->Turn();
  EXPECT_THAT(socket_.Take(), ElementsAre(std::string("STATUS=") + kHearing));
  EXPECT_EQ(report_->NextDue(), std::nullopt);
}

TEST_F(ServiceReportTest, BeatsAtHalfTheTimeThereIs) {
  Make(100s);
  EXPECT_EQ(report_->NextDue(), std::nullopt) << "not before it is ready";
  report_->Ready();
  socket_.Take();
  ExpectDueIn(50s);
  report_->Turn();
  EXPECT_THAT(socket_.Take(), ElementsAre("WATCHDOG=1"));
  ExpectDueIn(50s);
}

TEST_F(ServiceReportTest, AReaderThatHangsIsNotCalledAlive) {
  Make(160s);
  report_->Ready();
  socket_.Take();
  reader_ = kHangs;
  report_->Turn();
  report_->Turn();
  EXPECT_THAT(socket_.Take(), ElementsAre("STATUS=not ready: the reader does not answer"));
  ExpectDueIn(10s);  // it may be slow only
  reader_ = kDeaf;   // alive, though it hears nothing: a restart would not help
  report_->Turn();
  EXPECT_THAT(socket_.Take(), ElementsAre("STATUS=not ready: cannot hear process events; run as root", "WATCHDOG=1"));
  ExpectDueIn(80s);
}

TEST_F(ServiceReportTest, WaitsNoLongerThanThereIsTime) {
  Make(100s);
  report_->Ready();
  EXPECT_THAT(asked_, ElementsAre(1000ms));
  asked_.clear();
  Make(2s);
  report_->Ready();
  EXPECT_THAT(asked_, ElementsAre(500ms));
  asked_.clear();
  Make(1us);
  report_->Ready();
  report_->Turn();
  EXPECT_THAT(asked_, Each(1ms));
}

TEST_F(ServiceReportTest, WhatIsNotInForceIsInTheStatusUntilTheNextReload) {
  Make(0us);
  report_->Ready("restart to take over: comms.limit");
  EXPECT_THAT(socket_.Take(),
              ElementsAre(std::string("READY=1\nSTATUS=") + kHearing + "; restart to take over: comms.limit"));
  reader_ = kDeaf;
  report_->Turn();
  EXPECT_THAT(socket_.Take(), ElementsAre("STATUS=not ready: cannot hear process events; run as root; restart to take "
                                          "over: comms.limit"));
  report_->Ready();
  EXPECT_THAT(socket_.Take(), ElementsAre("READY=1\nSTATUS=not ready: cannot hear process events; run as root"));
}

TEST_F(ServiceReportTest, AReloadEndsWithReady) {
  Make(0us);
  report_->Reloading();
  report_->Ready();
  const auto messages = socket_.Take();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_THAT(messages[0], testing::StartsWith("RELOADING=1\n"));
  EXPECT_THAT(messages[1], testing::StartsWith("READY=1\n"));
}

}  // namespace

}  // namespace procevent
