#include "cmd/logging/notice_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>
#include <string>
#include <vector>

#include "core/base/system.h"

namespace procevent {

namespace {

using testing::ElementsAre;

constexpr Error kCause{"bind the connector socket", EPERM, "add CAP_NET_ADMIN"};
constexpr const char* kCauseText = "cannot bind the connector socket: Operation not permitted; add CAP_NET_ADMIN";

struct Row {
  const char* name;
  Notice notice;
  LogLevel level;
  std::string text;
};

class NoticeTextTest : public testing::TestWithParam<Row> {};

TEST_P(NoticeTextTest, SaysCauseAndRemedy) {
  const LogMessage text = FormatNotice(GetParam().notice);
  EXPECT_EQ(text.level, GetParam().level);
  EXPECT_EQ(text.text, GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, NoticeTextTest,
    testing::Values(
        Row{"Listening",
            {.kind = Notice::Kind::kSubscribed, .number = 1234},
            LogLevel::kInfo,
            "listening to the kernel's process events; unheard before: 1234 ms"},
        Row{"NotListening", {.kind = Notice::Kind::kSubscribeFailed, .error = kCause}, LogLevel::kError, kCauseText},
        Row{"Silence", {.kind = Notice::Kind::kCanaryMissing, .error = kCause}, LogLevel::kWarning, kCauseText},
        Row{"Fault", {.kind = Notice::Kind::kSocketFailed, .error = kCause}, LogLevel::kError, kCauseText},
        Row{"SmallBuffer",
            {.kind = Notice::Kind::kSmallBuffer, .number = 212992, .wanted = 32U << 20U},
            LogLevel::kWarning,
            "the receive buffer is 208KiB, not the 32768KiB asked for, so bursts are lost sooner; give the process "
            "CAP_NET_ADMIN, or raise the sysctl net.core.rmem_max"},
        Row{"Unseen",
            {.kind = Notice::Kind::kUnseenForks, .number = 7},
            LogLevel::kWarning,
            "7 forks were made in a silence too short to be noticed; they are in procevent_forks_unseen_total"},
        Row{"Lost",
            {.kind = Notice::Kind::kEventsLost, .number = 1503, .wanted = 32U << 20U},
            LogLevel::kWarning,
            "1503 events were lost: they found no room in the receive queue of 32768KiB; raise source.receive_buffer, "
            "or give the exporter more CPU"},
        Row{"LostWithRoom",
            {.kind = Notice::Kind::kEventsLost, .number = 2},
            LogLevel::kWarning,
            "2 events were lost: the kernel could not queue them, though there was room; give the machine more memory"},
        Row{"NoForkCount",
            {.kind = Notice::Kind::kForkCountUnreadable, .error = kCause},
            LogLevel::kWarning,
            kCauseText}),
    [](const auto& row) { return row.param.name; });

class NoticeLogTest : public testing::Test {
 protected:
  std::vector<std::string> Print(std::uint64_t now_ns) {
    lines_.clear();
    log_.Print(now_ns);
    return lines_;
  }

  NoticeQueue notices_{EventFd::Make().value()};
  std::vector<std::string> lines_;
  NoticeLog log_{notices_, [this](LogLevel /*level*/, std::string_view text) { lines_.emplace_back(text); }};
};

TEST_F(NoticeLogTest, PrintsInOrder) {
  notices_.Post({.kind = Notice::Kind::kCanaryMissing, .error = kCause});
  notices_.Post({.kind = Notice::Kind::kSubscribed, .number = 1});
  EXPECT_THAT(Print(0), ElementsAre(kCauseText, "listening to the kernel's process events; unheard before: 1 ms"));
  EXPECT_THAT(Print(1), ElementsAre());
}

TEST_F(NoticeLogTest, HasRoomForEveryKind) {
  notices_.Post({.kind = Notice::Kind::kForkCountUnreadable, .error = kCause});
  EXPECT_THAT(Print(0), ElementsAre(kCauseText));
}

TEST_F(NoticeLogTest, SumsUpWhatIsSaidTooOften) {
  for (std::uint64_t i = 1; i <= 8; ++i) {
    notices_.Post({.kind = Notice::Kind::kSubscribed, .number = i});
  }
  EXPECT_EQ(Print(0).size(), 5U);
  EXPECT_EQ(log_.NextDue(), 60 * kNanosPerSecond);
  EXPECT_THAT(Print(60 * kNanosPerSecond),
              ElementsAre("listening to the kernel's process events; unheard before: 8 ms (3 more like this)"));
  EXPECT_EQ(log_.NextDue(), std::nullopt);
}

TEST_F(NoticeLogTest, TellsWhatTheRingDropped) {
  for (std::size_t i = 0; i < NoticeQueue::kCapacity + 3; ++i) {
    notices_.Post({.kind = Notice::Kind::kSubscribed});
  }
  const auto lines = Print(0);
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines.back(), "notices that the reader had no room to leave: 3");
  EXPECT_THAT(Print(1), ElementsAre());
}

}  // namespace

namespace {

using testing::ElementsAre;

constexpr const char* kUnheard = "10.0.0.9 was turned away unheard: web.allow leaves it out";
constexpr const char* kTooMany =
    "a scrape by 10.0.0.9 was answered 503: web.max_requests are being served; scrape less often, or from fewer places";

class RefusalLogTest : public testing::Test {
 protected:
  std::vector<std::string> Note(RefusalReason why, std::uint64_t now_ns) {
    lines_.clear();
    log_.Enqueue(why, "10.0.0.9", now_ns);
    log_.Print(now_ns);
    return lines_;
  }

  std::vector<std::string> lines_;
  RefusalLog log_{[this](LogLevel level, std::string_view text) {
    EXPECT_EQ(level, LogLevel::kWarning);
    lines_.emplace_back(text);
  }};
};

TEST_F(RefusalLogTest, SaysWhoAndWhy) {
  EXPECT_THAT(Note(RefusalReason::kNotAllowed, 0), ElementsAre(kUnheard));
  EXPECT_THAT(Note(RefusalReason::kTooManyScrapes, 0), ElementsAre(kTooMany));
}

TEST_F(RefusalLogTest, AFewTimesAMinuteForEachReason) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(Note(RefusalReason::kNotAllowed, 1), ElementsAre(kUnheard));
  }
  for (int i = 0; i < 7; ++i) {
    EXPECT_THAT(Note(RefusalReason::kNotAllowed, 2), ElementsAre());
  }
  EXPECT_THAT(Note(RefusalReason::kTooManyScrapes, 2), ElementsAre(kTooMany));
  const std::uint64_t later = 1 + 60 * kNanosPerSecond;
  EXPECT_EQ(log_.NextDue(), later);
  lines_.clear();
  log_.Print(later);
  EXPECT_THAT(lines_, ElementsAre(std::string(kUnheard) + " (7 more like this)"));
  EXPECT_EQ(log_.NextDue(), std::nullopt);
  EXPECT_THAT(Note(RefusalReason::kNotAllowed, later), ElementsAre(kUnheard));
}

TEST_F(RefusalLogTest, WakesWhoPrintsWhenThereIsSomethingToPrintOrToWaitFor) {
  const auto rung = [this] {
    pollfd wake{log_.fd(), POLLIN, 0};
    return ::poll(&wake, 1, 0) == 1;
  };
  EXPECT_FALSE(rung());
  for (int i = 0; i < 6; ++i) {  // five lines, and the first that is held back
    log_.Enqueue(RefusalReason::kNotAllowed, "10.0.0.9", 1);
    EXPECT_TRUE(rung());
    log_.Print(1);
    EXPECT_FALSE(rung());
  }
  log_.Enqueue(RefusalReason::kNotAllowed, "10.0.0.9", 1);
  EXPECT_FALSE(rung());
}

}  // namespace

}  // namespace procevent
