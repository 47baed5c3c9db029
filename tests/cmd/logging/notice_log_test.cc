#include "cmd/logging/notice_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>
#include <string>
#include <vector>

#include "core/base/system.h"
#include "tests/cmd/logging/log_matchers.h"

namespace procevent {

namespace {

using testing::AllOf;
using testing::ElementsAre;

constexpr StaticError kError{"bind the connector socket", EPERM, "add CAP_NET_ADMIN"};
const LogField kErrnoField = Text("err", "Operation not permitted");
const std::vector<std::string> kErrorParts{
    "cannot bind the connector socket: Operation not permitted; add CAP_NET_ADMIN"};

struct Row {
  const char* name;
  Notice notice;
  LogLevel level;
  std::vector<std::string> text_parts;
  std::vector<LogField> fields;
};

class FormatNoticeTest : public testing::TestWithParam<Row> {};

TEST_P(FormatNoticeTest, HasLevelRemedyAndFields) {
  const LogMessage message = FormatNotice(GetParam().notice);
  EXPECT_EQ(message.level, GetParam().level);
  EXPECT_EQ(message.fields, GetParam().fields);
  for (const std::string& part : GetParam().text_parts) {
    EXPECT_THAT(message, SaysText(part));
  }
}

constexpr std::uint64_t k32MiB = 32U << 20U;

INSTANTIATE_TEST_SUITE_P(
    Rows, FormatNoticeTest,
    testing::Values(Row{"Subscribed",
                        {.kind = Notice::Kind::kSubscribed, .count = 1234},
                        LogLevel::kInfo,
                        {"subscribed to process events"},
                        {Number("unsubscribed_ms", 1234)}},
                    Row{"ReplayFinished",
                        {.kind = Notice::Kind::kReplayFinished, .count = 11},
                        LogLevel::kInfo,
                        {"replay finished"},
                        {Number("datagrams", 11)}},
                    Row{"SubscribeFailed",
                        {.kind = Notice::Kind::kSubscribeFailed, .error = kError},
                        LogLevel::kError,
                        kErrorParts,
                        {kErrnoField, Text("reason", "no_ack")}},
                    Row{"ReplayFailed",
                        {.kind = Notice::Kind::kReplayFailed, .error = kError},
                        LogLevel::kError,
                        kErrorParts,
                        {kErrnoField}},
                    Row{"ThreadFailed",
                        {.kind = Notice::Kind::kThreadFailed, .error = kError},
                        LogLevel::kError,
                        kErrorParts,
                        {kErrnoField}},
                    Row{"SourceFailed",
                        {.kind = Notice::Kind::kSourceFailed, .error = kError},
                        LogLevel::kWarning,
                        kErrorParts,
                        {kErrnoField}},
                    Row{"SocketFailed",
                        {.kind = Notice::Kind::kSocketFailed, .error = kError},
                        LogLevel::kError,
                        kErrorParts,
                        {kErrnoField, Text("reason", "fault")}},
                    Row{"CanaryMissing",
                        {.kind = Notice::Kind::kCanaryMissing, .error = kError},
                        LogLevel::kWarning,
                        kErrorParts,
                        {kErrnoField, Text("reason", "silence")}},
                    Row{"ProcUnreadable",
                        {.kind = Notice::Kind::kProcUnreadable, .error = kError},
                        LogLevel::kWarning,
                        kErrorParts,
                        {kErrnoField}},
                    Row{"ForkCountUnreadable",
                        {.kind = Notice::Kind::kForkCountUnreadable, .error = kError},
                        LogLevel::kWarning,
                        kErrorParts,
                        {kErrnoField}},
                    Row{"SmallBuffer",
                        {.kind = Notice::Kind::kSmallBuffer, .count = 212992, .buffer_bytes = k32MiB},
                        LogLevel::kWarning,
                        {"receive buffer", "CAP_NET_ADMIN", "net.core.rmem_max"},
                        {Number("bytes", 212992), Number("requested_bytes", k32MiB)}},
                    Row{"UnseenForks",
                        {.kind = Notice::Kind::kUnseenForks, .count = 7},
                        LogLevel::kWarning,
                        {"forks missed: ", "; find the program that ends the subscriptions"},
                        {Number("forks", 7)}},
                    Row{"LostToAFullBuffer",
                        {.kind = Notice::Kind::kEventsLost, .count = 1503, .buffer_bytes = k32MiB},
                        LogLevel::kWarning,
                        {"events lost: receive buffer full", "source.receive_buffer", "CPU"},
                        {Number("lost", 1503), Number("buffer_bytes", k32MiB)}},
                    Row{"LostToTheAllocator",
                        {.kind = Notice::Kind::kEventsLost, .count = 2},
                        LogLevel::kWarning,
                        {"events lost", "memory"},
                        {Number("lost", 2)}}),
    [](const auto& row) { return row.param.name; });

class NoticeLogTest : public testing::Test {
 protected:
  std::vector<LogMessage> Print(std::uint64_t now_ns) {
    messages_.clear();
    log_.Print(now_ns);
    return messages_;
  }

  NoticeQueue notices_{EventFd::Make().value()};
  std::vector<LogMessage> messages_;
  NoticeLog log_{notices_, [this](const LogMessage& message) { messages_.push_back(message); }};
};

TEST_F(NoticeLogTest, PrintsInOrder) {
  notices_.Post({.kind = Notice::Kind::kCanaryMissing, .error = kError});
  notices_.Post({.kind = Notice::Kind::kSubscribed, .count = 1});
  EXPECT_THAT(Print(0), ElementsAre(HasFields({kErrnoField, Text("reason", "silence")}),
                                    HasFields({Number("unsubscribed_ms", 1)})));
  EXPECT_THAT(Print(1), ElementsAre());
}

TEST_F(NoticeLogTest, HasARateLimitForEveryKind) {
  notices_.Post({.kind = Notice::Kind::kThreadFailed, .error = kError});  // the last kind
  EXPECT_THAT(Print(0), ElementsAre(HasFields({kErrnoField})));
}

TEST_F(NoticeLogTest, SummarizesSuppressedNotices) {
  for (std::uint64_t i = 1; i <= 8; ++i) {
    notices_.Post({.kind = Notice::Kind::kSubscribed, .count = i});
  }
  EXPECT_EQ(Print(0).size(), 5U);
  EXPECT_EQ(log_.NextDue(), 60 * kNanosPerSecond);
  EXPECT_THAT(Print(60 * kNanosPerSecond),
              ElementsAre(AllOf(SaysText("subscribed to process events"),
                                HasFields({Number("suppressed", 3), Number("unsubscribed_ms", 8)}))));
  EXPECT_EQ(log_.NextDue(), std::nullopt);
}

TEST_F(NoticeLogTest, ReportsDroppedNotices) {
  for (std::size_t i = 0; i < NoticeQueue::kCapacity + 3; ++i) {
    notices_.Post({.kind = Notice::Kind::kSubscribed});
  }
  const auto messages = Print(0);
  ASSERT_EQ(messages.size(), 6U);
  EXPECT_THAT(messages.back(), AllOf(HasLevel(LogLevel::kWarning), SaysText("notices dropped: "),
                                     SaysText("; give the exporter more CPU"), HasFields({Number("dropped", 3)})));
  EXPECT_THAT(Print(1), ElementsAre());
}

const auto kNotAllowed = AllOf(HasLevel(LogLevel::kWarning), SaysText("web.allow"),
                               HasFields({Text("client", "10.0.0.9"), Text("reason", "not_allowed")}));
const auto kTooManyScrapes = AllOf(HasLevel(LogLevel::kWarning), SaysText("503"), SaysText("web.max_requests"),
                                   HasFields({Text("client", "10.0.0.9"), Text("reason", "too_many_scrapes")}));

class RefusalLogTest : public testing::Test {
 protected:
  std::vector<LogMessage> EnqueueAndPrint(RefusalReason reason, std::uint64_t now_ns) {
    messages_.clear();
    log_.Enqueue(reason, "10.0.0.9", now_ns);
    log_.Print(now_ns);
    return messages_;
  }

  std::vector<LogMessage> messages_;
  RefusalLog log_{[this](const LogMessage& message) { messages_.push_back(message); }};
};

TEST_F(RefusalLogTest, NamesClientAndReason) {
  EXPECT_THAT(EnqueueAndPrint(RefusalReason::kNotAllowed, 0), ElementsAre(kNotAllowed));
  EXPECT_THAT(EnqueueAndPrint(RefusalReason::kTooManyScrapes, 0), ElementsAre(kTooManyScrapes));
}

TEST_F(RefusalLogTest, LimitsEachReasonToFiveLinesPerMinute) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(EnqueueAndPrint(RefusalReason::kNotAllowed, 1), ElementsAre(kNotAllowed));
  }
  for (int i = 0; i < 7; ++i) {
    EXPECT_THAT(EnqueueAndPrint(RefusalReason::kNotAllowed, 2), ElementsAre());
  }
  EXPECT_THAT(EnqueueAndPrint(RefusalReason::kTooManyScrapes, 2), ElementsAre(kTooManyScrapes));
  const std::uint64_t later = 1 + 60 * kNanosPerSecond;
  EXPECT_EQ(log_.NextDue(), later);
  messages_.clear();
  log_.Print(later);
  EXPECT_THAT(messages_,
              ElementsAre(AllOf(SaysText("web.allow"), HasFields({Number("suppressed", 7), Text("client", "10.0.0.9"),
                                                                  Text("reason", "not_allowed")}))));
  EXPECT_EQ(log_.NextDue(), std::nullopt);
  EXPECT_THAT(EnqueueAndPrint(RefusalReason::kNotAllowed, later), ElementsAre(kNotAllowed));
}

TEST_F(RefusalLogTest, SignalsWhenThereIsALineOrANewDueTime) {
  const auto is_signaled = [this] {
    pollfd wake{log_.fd(), POLLIN, 0};
    return ::poll(&wake, 1, 0) == 1;
  };
  EXPECT_FALSE(is_signaled());
  for (int i = 0; i < 6; ++i) {  // five lines, and the first suppressed one
    log_.Enqueue(RefusalReason::kNotAllowed, "10.0.0.9", 1);
    EXPECT_TRUE(is_signaled());
    log_.Print(1);
    EXPECT_FALSE(is_signaled());
  }
  log_.Enqueue(RefusalReason::kNotAllowed, "10.0.0.9", 1);
  EXPECT_FALSE(is_signaled());
}

}  // namespace

}  // namespace procevent
