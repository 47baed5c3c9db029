#include "cmd/service_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "tests/cmd/notify_socket.h"

namespace procevent {
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
