#include "exporter/metrics/exporter_state.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "core/base/system.h"

namespace procevent {
namespace {

constexpr std::uint64_t kNow = 1000 * kNanosPerSecond;

ReaderStatus MakeSubscribed() {
  return {.published_ns = kNow,
          .subscribed = true,
          .received_events = 1055,
          .lost_events = 401,
          .socket_drops = 502,
          .unsubscribed_ns = 1'500'000'000,
          .next_update_ns = kNow};
}

std::string CauseOf(const SubscriptionStatus& status) {
  return status.receiving ? "" : DescribeCauseAndRemedy(status.receiving.error());
}

TEST(SubscriptionStatusTest, HasNoCauseWhileSubscribed) {
  const SubscriptionStatus state = DescribeStatus(MakeSubscribed(), kNow);
  EXPECT_TRUE(state.responsive);
  EXPECT_TRUE(state.receiving);
  EXPECT_EQ(state.losses, "1055 events received, 401 lost (27.5 %), unsubscribed for 1 s");
}

TEST(SubscriptionStatusTest, NamesTheSubscriptionError) {
  ReaderStatus status = MakeSubscribed();
  status.subscribed = false;
  EXPECT_EQ(CauseOf(DescribeStatus(status, kNow)), "not subscribed yet; wait for the first attempt");
  status.subscription_error = {"subscribe", ECONNREFUSED, "run with --network host"};
  EXPECT_EQ(CauseOf(DescribeStatus(status, kNow)), "Connection refused; run with --network host");
}

TEST(SubscriptionStatusTest, ASlowReaderIsReadyAndAHangingOneIsNot) {
  const struct {
    const char* name;
    std::uint64_t delay_ns;
    bool responsive;
  } rows[] = {
      {"not due", 0, true},
      {"slow", kMaxReaderDelay - 1, true},
      {"hangs", kMaxReaderDelay, false},
  };
  for (const auto& row : rows) {
    const SubscriptionStatus state = DescribeStatus(MakeSubscribed(), kNow + row.delay_ns);
    EXPECT_EQ(state.responsive, row.responsive) << row.name;
    EXPECT_EQ(CauseOf(state), row.responsive ? "" : "the reader does not answer; give the exporter more CPU")
        << row.name;
    EXPECT_FALSE(state.losses.empty()) << "the last values are kept";
  }
}

TEST(SubscriptionStatusTest, KnowsNothingBeforeTheFirstStatus) {
  const SubscriptionStatus state = DescribeStatus(ReaderStatus(), kNow);
  EXPECT_FALSE(state.responsive);
  EXPECT_EQ(CauseOf(state), "not subscribed yet; wait for the first attempt");
  EXPECT_EQ(state.losses, "");
}

TEST(SubscriptionStatusTest, GivesLowerBoundOfLossesWithANarrowedMask) {
  ReaderStatus status = MakeSubscribed();
  status.loss_exact = false;
  EXPECT_EQ(DescribeStatus(status, kNow).losses,
            "1055 events received, losses unknown, at least 502 (source.events is narrowed), unsubscribed for 1 s");
}

}  // namespace
}  // namespace procevent
