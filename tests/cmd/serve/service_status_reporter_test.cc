#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cmd/serve/service_notifier.h"
#include "core/base/system.h"
#include "tests/cmd/serve/notify_socket.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kReadyStatus = "subscribed to process events";
const std::string kNotReadyStatus = "not ready: cannot subscribe; run as root";
const std::string kNoAnswerStatus = "not ready: cannot receive: no answer from the reader";
const SubscriptionStatus kSubscribed{.responsive = true, .receiving = Success{}, .losses = ""};
const SubscriptionStatus kUnsubscribed{
    .responsive = true, .receiving = Error{"subscribe", 0, "run as root"}, .losses = ""};
const SubscriptionStatus kHangs{
    .responsive = false, .receiving = Error{"receive", "no answer from the reader"}, .losses = ""};

class ServiceStatusReporterTest : public testing::Test {
 protected:
  void MakeReporter(std::chrono::microseconds watchdog, bool has_socket = true) {
    reporter_ = std::make_unique<ServiceStatusReporter>(
        ServiceSettings{.socket = has_socket ? folder_ / "notify" : "", .watchdog = watchdog},
        [this](milliseconds timeout) {
          timeouts_.push_back(timeout);
          return status_;
        },
        [](const LogMessage& message) { ADD_FAILURE() << message.text; });
  }
  // Allows for the time that the test itself takes.
  void ExpectDueIn(milliseconds wait) {
    ASSERT_TRUE(reporter_->NextDue());
    const auto remaining =
        static_cast<std::int64_t>(*reporter_->NextDue()) - static_cast<std::int64_t>(MonotonicNanos());
    EXPECT_LE(remaining, std::chrono::nanoseconds(wait).count());
    EXPECT_GT(remaining, std::chrono::nanoseconds(wait - 5s).count());
  }

  TemporaryFolder folder_;
  NotifySocket socket_{folder_ / "notify"};
  SubscriptionStatus status_ = kSubscribed;
  std::vector<milliseconds> timeouts_;
  std::unique_ptr<ServiceStatusReporter> reporter_;
};

TEST_F(ServiceStatusReporterTest, QueriesNothingWithoutASocket) {
  MakeReporter(30s, false);
  reporter_->NotifyReady();
  reporter_->Update();
  reporter_->NotifyReloading();
  reporter_->NotifyStopping();
  EXPECT_EQ(reporter_->NextDue(), std::nullopt);
  EXPECT_THAT(timeouts_, IsEmpty());
  EXPECT_THAT(socket_.ReceiveAll(), IsEmpty());
}

TEST_F(ServiceStatusReporterTest, SendsReadyWithTheStatus) {
  MakeReporter(0us);
  reporter_->NotifyReady();
  EXPECT_THAT(socket_.ReceiveAll(), ElementsAre("READY=1\nSTATUS=" + kReadyStatus));
  reporter_->NotifyStopping();
  EXPECT_THAT(socket_.ReceiveAll(), ElementsAre("STOPPING=1"));
}

TEST_F(ServiceStatusReporterTest, SendsReadyWhenUnsubscribed) {
  status_ = kUnsubscribed;
  MakeReporter(0us);
  reporter_->NotifyReady();
  EXPECT_THAT(socket_.ReceiveAll(), ElementsAre("READY=1\nSTATUS=" + kNotReadyStatus));
}

TEST_F(ServiceStatusReporterTest, SendsTheStatusWhenItChanges) {
  MakeReporter(0us);
  reporter_->NotifyReady();
  socket_.ReceiveAll();
  reporter_->Update();
  EXPECT_THAT(socket_.ReceiveAll(), IsEmpty());
  status_ = kUnsubscribed;
  reporter_->Update();
  reporter_->Update();
  EXPECT_THAT(socket_.ReceiveAll(), ElementsAre("STATUS=" + kNotReadyStatus));
  status_ = kSubscribed;
  reporter_->Update();
  EXPECT_THAT(socket_.ReceiveAll(), ElementsAre("STATUS=" + kReadyStatus));
}

TEST_F(ServiceStatusReporterTest, RetriesReadyThatCouldNotBeSent) {
  std::vector<std::string> warnings;
  ServiceStatusReporter reporter(
      {.socket = folder_ / "later", .watchdog = 0us}, [](milliseconds) { return kSubscribed; },
      [&warnings](const LogMessage& message) { warnings.push_back(message.text); });
  reporter.NotifyReady();
  EXPECT_EQ(warnings.size(), 1U);
  EXPECT_TRUE(reporter.NextDue()) << "no retry is scheduled";
  NotifySocket later(folder_ / "later");
  reporter.Update();
  EXPECT_THAT(later.ReceiveAll(), ElementsAre("READY=1\nSTATUS=" + kReadyStatus));
  EXPECT_EQ(reporter.NextDue(), std::nullopt);
  reporter.Update();
  EXPECT_THAT(later.ReceiveAll(), IsEmpty());
}

TEST_F(ServiceStatusReporterTest, NothingIsDueWithoutAWatchdog) {
  MakeReporter(0us);
  reporter_->NotifyReady();
  reporter_->Update();
  EXPECT_EQ(reporter_->NextDue(), std::nullopt);
}

TEST_F(ServiceStatusReporterTest, QueriesAReaderAgainThatDidNotAnswer) {
  MakeReporter(0us);
  reporter_->NotifyReady();
  socket_.ReceiveAll();
  status_ = kHangs;
  reporter_->Update();
  EXPECT_THAT(socket_.ReceiveAll(), ElementsAre("STATUS=" + kNoAnswerStatus));
  ExpectDueIn(5s);
  status_ = kSubscribed;
  reporter_->Update();
  EXPECT_THAT(socket_.ReceiveAll(), ElementsAre("STATUS=" + kReadyStatus));
  EXPECT_EQ(reporter_->NextDue(), std::nullopt);
}

TEST_F(ServiceStatusReporterTest, SendsWatchdogAtHalfTheWatchdogTime) {
  MakeReporter(100s);
  EXPECT_EQ(reporter_->NextDue(), std::nullopt) << "due before NotifyReady";
  reporter_->NotifyReady();
  socket_.ReceiveAll();
  ExpectDueIn(50s);
  reporter_->Update();
  EXPECT_THAT(socket_.ReceiveAll(), ElementsAre("WATCHDOG=1"));
  ExpectDueIn(50s);
}

TEST_F(ServiceStatusReporterTest, SendsNoWatchdogWhileTheReaderHangs) {
  MakeReporter(160s);
  reporter_->NotifyReady();
  socket_.ReceiveAll();
  status_ = kHangs;
  reporter_->Update();
  reporter_->Update();
  EXPECT_THAT(socket_.ReceiveAll(), ElementsAre("STATUS=" + kNoAnswerStatus));
  ExpectDueIn(10s);         // sooner than at half the time, because the reader may only be slow
  status_ = kUnsubscribed;  // alive: a restart would not help an unsubscribed reader
  reporter_->Update();
  EXPECT_THAT(socket_.ReceiveAll(), ElementsAre("STATUS=" + kNotReadyStatus, "WATCHDOG=1"));
  ExpectDueIn(80s);
}

TEST_F(ServiceStatusReporterTest, LimitsTheTimeoutToTheWatchdogTime) {
  MakeReporter(100s);
  reporter_->NotifyReady();
  EXPECT_THAT(timeouts_, ElementsAre(1000ms));
  timeouts_.clear();
  MakeReporter(2s);
  reporter_->NotifyReady();
  EXPECT_THAT(timeouts_, ElementsAre(500ms));
  timeouts_.clear();
  MakeReporter(1us);
  reporter_->NotifyReady();
  reporter_->Update();
  EXPECT_THAT(timeouts_, Each(1ms));
}

TEST_F(ServiceStatusReporterTest, KeepsTheRemarkUntilTheNextReload) {
  MakeReporter(0us);
  const std::string remark = "restart required for groups.limit";
  reporter_->NotifyReady(remark);
  EXPECT_THAT(socket_.ReceiveAll(), ElementsAre("READY=1\nSTATUS=" + kReadyStatus + "; " + remark));
  status_ = kUnsubscribed;
  reporter_->Update();
  EXPECT_THAT(socket_.ReceiveAll(), ElementsAre("STATUS=" + kNotReadyStatus + "; " + remark));
  reporter_->NotifyReady();
  EXPECT_THAT(socket_.ReceiveAll(), ElementsAre("READY=1\nSTATUS=" + kNotReadyStatus));
}

TEST_F(ServiceStatusReporterTest, EndsAReloadWithReady) {
  MakeReporter(0us);
  reporter_->NotifyReloading();
  reporter_->NotifyReady();
  const auto messages = socket_.ReceiveAll();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_THAT(messages[0], testing::StartsWith("RELOADING=1\n"));
  EXPECT_THAT(messages[1], testing::StartsWith("READY=1\n"));
}

}  // namespace

}  // namespace procevent
