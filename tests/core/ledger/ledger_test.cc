#include "core/ledger/ledger.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace procevent {
namespace {

constexpr std::uint64_t kNow = 1'000'000'000;

Message EventMessage(std::uint32_t cpu, std::uint32_t sequence, Event::Body body = ForkBody{}) {
  return {.outcome = DecodeOutcome::kEvent,
          .event = {.sequence = sequence, .cpu = cpu, .timestamp_ns = kNow - 5000, .body = body}};
}

std::uint64_t RejectedAs(const Ledger& ledger, Rejection reason) {
  return ledger.stream().rejected[static_cast<std::size_t>(reason)];
}

template <typename Counts>
std::uint64_t Sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

TEST(LedgerTest, StartsAtZero) {
  const Ledger ledger(4, EventCoverage::kAll);
  EXPECT_EQ(ledger.stream(), StreamStatistics(4));
  EXPECT_EQ(ledger.stream().lost, std::vector<std::uint64_t>(4));
  EXPECT_EQ(ledger.forks(), 0U);
  EXPECT_EQ(ledger.lost(), 0U);
}

TEST(LedgerTest, CountsEachKind) {
  const std::vector<Event::Body> bodies{AckBody{}, ForkBody{},   ExecBody{}, ExitBody{},     UidBody{},    GidBody{},
                                        SidBody{}, PtraceBody{}, CommBody{}, CoredumpBody{}, UnknownBody{}};
  ASSERT_EQ(bodies.size(), kEventKinds);
  Ledger ledger(1, EventCoverage::kAll);
  std::uint32_t sequence = 0;
  for (std::size_t kind = 0; kind < kEventKinds; ++kind) {
    for (std::size_t times = 0; times <= kind; ++times) {
      ledger.ApplyMessage(EventMessage(0, ++sequence, bodies[kind]), kNow);
    }
    EXPECT_EQ(ledger.stream().events_of(static_cast<EventKind>(kind)), kind + 1) << kEventNames[kind];
  }
  EXPECT_EQ(Sum(ledger.stream().events), sequence);
  EXPECT_EQ(ledger.forks(), 2U);
  EXPECT_EQ(ledger.lost(), 0U);
  EXPECT_EQ(Sum(ledger.stream().rejected), 0U);
}

TEST(LedgerTest, CountsLossesByCpu) {
  Ledger ledger(3, EventCoverage::kAll);
  for (const auto& [cpu, sequence] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
           {0, 10}, {2, UINT32_MAX}, {0, 13}, {2, 1}, {0, 14}, {2, 7}}) {
    ledger.ApplyMessage(EventMessage(cpu, sequence), kNow);
  }
  EXPECT_EQ(ledger.stream().lost, (std::vector<std::uint64_t>{2, 0, 1 + 5}));
  EXPECT_EQ(ledger.lost(), 8U);
  EXPECT_EQ(ledger.stream().total_lost(), 8U);
  EXPECT_EQ(ledger.forks(), 6U);
}

TEST(LedgerTest, CountsLossesBeyond32Bits) {
  Ledger ledger(1, EventCoverage::kAll);
  for (const std::uint32_t sequence : {0U, 0x80000000U, 0U, 0x80000000U}) {
    ledger.ApplyMessage(EventMessage(0, sequence), kNow);
  }
  EXPECT_EQ(ledger.lost(), 3 * 0x7fffffffULL);
  EXPECT_EQ(ledger.stream().total_lost(), 3 * 0x7fffffffULL);
}

TEST(LedgerTest, CountsNoGapsWithANarrowedMask) {
  Ledger ledger(1, EventCoverage::kPartial);
  ledger.ApplyMessage(EventMessage(0, 1), kNow);
  ledger.ApplyMessage(EventMessage(0, 100), kNow);
  EXPECT_EQ(ledger.lost(), 0U);
  EXPECT_EQ(ledger.stream().total_lost(), 0U);
  EXPECT_EQ(ledger.forks(), 2U);
  ledger.ApplyMessage(EventMessage(0, 100), kNow);  // a repeated event is rejected with any mask
  EXPECT_EQ(ledger.forks(), 2U);
  EXPECT_EQ(RejectedAs(ledger, Rejection::kRepeated), 1U);
}

TEST(LedgerTest, RejectsRepeatedEventsWithoutOtherEffect) {
  Ledger ledger(1, EventCoverage::kAll);
  ledger.ApplyMessage(EventMessage(0, 5), kNow);
  ledger.ApplyMessage(EventMessage(0, 6), kNow);
  StreamStatistics expected = ledger.stream();
  expected.rejected[static_cast<std::size_t>(Rejection::kRepeated)] = 2;
  ledger.ApplyMessage(EventMessage(0, 5), kNow);
  ledger.ApplyMessage(EventMessage(0, 6, AckBody{}), kNow);
  EXPECT_EQ(ledger.stream(), expected);
  ledger.ApplyMessage(EventMessage(0, 7), kNow);
  EXPECT_EQ(ledger.lost(), 0U);
  EXPECT_EQ(ledger.forks(), 3U);
}

TEST(LedgerTest, TracksSequencesOfAcksButNoDelay) {
  Ledger ledger(1, EventCoverage::kAll);
  ledger.ApplyMessage(EventMessage(0, 1), kNow);
  ledger.ApplyMessage(EventMessage(0, 2, AckBody{}), kNow);
  ledger.ApplyMessage(EventMessage(0, 3), kNow);
  EXPECT_EQ(ledger.lost(), 0U);
  EXPECT_EQ(ledger.stream().events_of(EventKind::kAck), 1U);
  EXPECT_EQ(Sum(ledger.stream().delay.counts()), 2U);
  EXPECT_EQ(ledger.stream().delay.sum_nanos(), 10'000U);
}

TEST(LedgerTest, CountsAcksWithoutACpu) {
  Ledger ledger(1, EventCoverage::kAll);
  ledger.ApplyMessage(EventMessage(kNoCpu, 1, AckBody{}), kNow);
  ledger.ApplyMessage(EventMessage(kNoCpu, 1, AckBody{}), kNow);
  ledger.ApplyMessage(EventMessage(kNoCpu, 99, AckBody{}), kNow);
  EXPECT_EQ(ledger.stream().events_of(EventKind::kAck), 3U);
  EXPECT_EQ(ledger.lost(), 0U);
}

struct DelayRow {
  std::uint64_t stamped;
  std::uint64_t delay;
};

TEST(LedgerTest, MeasuresNoNegativeDelay) {
  for (const DelayRow& row : std::vector<DelayRow>{
           {kNow - 1, 1}, {kNow, 0}, {kNow + 1, 0}, {0, kNow}, {UINT64_MAX, 0}, {kNow - 2'000'000, 2'000'000}}) {
    Ledger ledger(1, EventCoverage::kAll);
    Message message = EventMessage(0, 1);
    message.event.timestamp_ns = row.stamped;
    ledger.ApplyMessage(message, kNow);
    EXPECT_EQ(ledger.stream().delay.sum_nanos(), row.delay) << row.stamped;
    EXPECT_EQ(Sum(ledger.stream().delay.counts()), 1U);
  }
}

TEST(LedgerTest, RejectsOrIgnoresOtherOutcomes) {
  for (std::size_t i = 1; i < kDecodeOutcomes; ++i) {
    const auto outcome = static_cast<DecodeOutcome>(i);
    Ledger ledger(1, EventCoverage::kAll);
    Message message = EventMessage(0, 1);  // stale contents of a reused message must not count
    message.outcome = outcome;
    ledger.ApplyMessage(message, kNow);
    StreamStatistics expected(1);
    if (const auto reason = RejectionOf(outcome)) {
      expected.rejected[static_cast<std::size_t>(*reason)] = 1;
    }
    EXPECT_EQ(ledger.stream(), expected) << "outcome " << i;
    ledger.ApplyMessage(EventMessage(0, 9), kNow);  // shows that the message set no baseline
    EXPECT_EQ(ledger.lost(), 0U) << "outcome " << i;
  }
}

TEST(LedgerTest, CountsRejectionsByReason) {
  Ledger ledger(1, EventCoverage::kAll);
  ledger.CountRejection(Rejection::kForeignSender);
  ledger.CountRejection(Rejection::kOversized);
  ledger.CountRejection(Rejection::kOversized);
  EXPECT_EQ(RejectedAs(ledger, Rejection::kForeignSender), 1U);
  EXPECT_EQ(RejectedAs(ledger, Rejection::kOversized), 2U);
  EXPECT_EQ(Sum(ledger.stream().rejected), 3U);
}

}  // namespace
}  // namespace procevent
