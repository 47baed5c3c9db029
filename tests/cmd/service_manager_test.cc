#include "cmd/service_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "tests/cmd/notify_socket.h"

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
  std::string expected_socket;
  microseconds expected_watchdog;
};

class ServiceSettingsTest : public testing::TestWithParam<SettingsRow> {};

TEST_P(ServiceSettingsTest, AreReadFromTheEnvironment) {
  const SettingsRow& row = GetParam();
  const ServiceSettings settings = ReadServiceSettings(row.socket, row.watchdog_usec, row.watchdog_pid, 77);
  EXPECT_EQ(settings.socket, row.expected_socket);
  EXPECT_EQ(settings.watchdog, row.expected_watchdog);
}

constexpr microseconds kNone{0};

INSTANTIATE_TEST_SUITE_P(
    Rows, ServiceSettingsTest,
    testing::Values(SettingsRow{"Nobody", nullptr, nullptr, nullptr, "", kNone},
                    SettingsRow{"AnEmptySocket", "", "30000000", nullptr, "", kNone},
                    SettingsRow{"AWatchdogButNoSocket", nullptr, "30000000", nullptr, "", kNone},
                    SettingsRow{"ASocket", "/run/systemd/notify", nullptr, nullptr, "/run/systemd/notify", kNone},
                    SettingsRow{"AnAbstractOne", "@name", nullptr, nullptr, "@name", kNone},
                    SettingsRow{"AWatchdog", "/s", "30000000", nullptr, "/s", microseconds(30'000'000)},
                    SettingsRow{"OurWatchdog", "/s", "30000000", "77", "/s", microseconds(30'000'000)},
                    SettingsRow{"AnothersWatchdog", "/s", "30000000", "78", "/s", kNone},
                    SettingsRow{"NobodysWatchdog", "/s", "30000000", "", "/s", kNone},
                    SettingsRow{"NoNumber", "/s", "30s", nullptr, "/s", kNone},
                    SettingsRow{"Negative", "/s", "-1", nullptr, "/s", kNone},
                    SettingsRow{"Forever", "/s", "18446744073709551615", nullptr, "/s", kNone},
                    SettingsRow{"VeryLong", "/s", "9223372036854775807", nullptr, "/s",
                                microseconds(9'223'372'036'854'775)}),
    [](const auto& row) { return row.param.name; });

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
}  // namespace procevent
