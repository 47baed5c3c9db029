#include "cmd/refusal_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <string>
#include <vector>

namespace procevent {
namespace {

using testing::ElementsAre;

constexpr const char* kUnheard = "10.0.0.9 was turned away unheard: web.allow leaves it out";
constexpr const char* kTooMany =
    "a scrape by 10.0.0.9 was answered 503: web.max_requests are being served; scrape less often, or from fewer places";

class RefusalLogTest : public testing::Test {
 protected:
  std::vector<std::string> Note(Refusal why, std::uint64_t now_ns) {
    lines_.clear();
    log_.Note(why, "10.0.0.9", now_ns);
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
  EXPECT_THAT(Note(Refusal::kNotAllowed, 0), ElementsAre(kUnheard));
  EXPECT_THAT(Note(Refusal::kTooManyScrapes, 0), ElementsAre(kTooMany));
}

TEST_F(RefusalLogTest, AFewTimesAMinuteForEachReason) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(Note(Refusal::kNotAllowed, 1), ElementsAre(kUnheard));
  }
  for (int i = 0; i < 7; ++i) {
    EXPECT_THAT(Note(Refusal::kNotAllowed, 2), ElementsAre());
  }
  EXPECT_THAT(Note(Refusal::kTooManyScrapes, 2), ElementsAre(kTooMany));
  const std::uint64_t later = 1 + 60 * kNanosPerSecond;
  EXPECT_EQ(log_.NextDue(), later);
  lines_.clear();
  log_.Print(later);
  EXPECT_THAT(lines_, ElementsAre(std::string(kUnheard) + " (7 more like this)"));
  EXPECT_EQ(log_.NextDue(), std::nullopt);
  EXPECT_THAT(Note(Refusal::kNotAllowed, later), ElementsAre(kUnheard));
}

TEST_F(RefusalLogTest, WakesWhoPrintsWhenThereIsSomethingToPrintOrToWaitFor) {
  const auto rung = [this] {
    pollfd wake{log_.fd(), POLLIN, 0};
    return ::poll(&wake, 1, 0) == 1;
  };
  EXPECT_FALSE(rung());
  for (int i = 0; i < 6; ++i) {  // five lines, and the first that is held back
    log_.Note(Refusal::kNotAllowed, "10.0.0.9", 1);
    EXPECT_TRUE(rung());
    log_.Print(1);
    EXPECT_FALSE(rung());
  }
  log_.Note(Refusal::kNotAllowed, "10.0.0.9", 1);
  EXPECT_FALSE(rung());
}

}  // namespace
}  // namespace procevent
