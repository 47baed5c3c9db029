#include "core/reader/input_processor.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

namespace procevent {
namespace {

constexpr std::uint64_t kNow = 1'000'000'000;

Message EventMessage(std::uint32_t cpu, std::uint32_t sequence, Event::Body body = ForkBody{}) {
  return {.outcome = DecodeOutcome::kEvent,
          .event = {.sequence = sequence, .cpu = cpu, .timestamp_ns = kNow - 5000, .body = body}};
}

std::uint64_t RejectedAs(const InputProcessor& processor, Rejection reason) {
  return processor.stream().rejected[static_cast<std::size_t>(reason)];
}

template <typename Counts>
std::uint64_t Sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

TEST(InputProcessorTest, StartsAtZero) {
  const InputProcessor processor(4, EventCoverage::kAll);
  EXPECT_EQ(processor.stream(), StreamStatistics(4));
  EXPECT_EQ(processor.stream().lost, std::vector<std::uint64_t>(4));
  EXPECT_EQ(processor.forks(), 0U);
  EXPECT_EQ(processor.lost(), 0U);
}

TEST(InputProcessorTest, CountsEachKind) {
  const std::vector<Event::Body> bodies{AckBody{}, ForkBody{},   ExecBody{}, ExitBody{},     UidBody{},    GidBody{},
                                        SidBody{}, PtraceBody{}, CommBody{}, CoredumpBody{}, UnknownBody{}};
  ASSERT_EQ(bodies.size(), kEventKinds);
  InputProcessor processor(1, EventCoverage::kAll);
  std::uint32_t sequence = 0;
  for (std::size_t kind = 0; kind < kEventKinds; ++kind) {
    for (std::size_t times = 0; times <= kind; ++times) {
      processor.ApplyMessage(EventMessage(0, ++sequence, bodies[kind]), kNow);
    }
    EXPECT_EQ(processor.stream().events_of(static_cast<EventKind>(kind)), kind + 1) << kEventNames[kind];
  }
  EXPECT_EQ(Sum(processor.stream().events), sequence);
  EXPECT_EQ(processor.forks(), 2U);
  EXPECT_EQ(processor.lost(), 0U);
  EXPECT_EQ(Sum(processor.stream().rejected), 0U);
}

TEST(InputProcessorTest, CountsLossesByCpu) {
  InputProcessor processor(3, EventCoverage::kAll);
  for (const auto& [cpu, sequence] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
           {0, 10}, {2, UINT32_MAX}, {0, 13}, {2, 1}, {0, 14}, {2, 7}}) {
    processor.ApplyMessage(EventMessage(cpu, sequence), kNow);
  }
  EXPECT_EQ(processor.stream().lost, (std::vector<std::uint64_t>{2, 0, 1 + 5}));
  EXPECT_EQ(processor.lost(), 8U);
  EXPECT_EQ(processor.stream().total_lost(), 8U);
  EXPECT_EQ(processor.forks(), 6U);
}

TEST(InputProcessorTest, CountsLossesBeyond32Bits) {
  InputProcessor processor(1, EventCoverage::kAll);
  for (const std::uint32_t sequence : {0U, 0x80000000U, 0U, 0x80000000U}) {
    processor.ApplyMessage(EventMessage(0, sequence), kNow);
  }
  EXPECT_EQ(processor.lost(), 3 * 0x7fffffffULL);
  EXPECT_EQ(processor.stream().total_lost(), 3 * 0x7fffffffULL);
}

TEST(InputProcessorTest, CountsNoGapsWithANarrowedMask) {
  InputProcessor processor(1, EventCoverage::kPartial);
  processor.ApplyMessage(EventMessage(0, 1), kNow);
  processor.ApplyMessage(EventMessage(0, 100), kNow);
  EXPECT_EQ(processor.lost(), 0U);
  EXPECT_EQ(processor.stream().total_lost(), 0U);
  EXPECT_EQ(processor.forks(), 2U);
  processor.ApplyMessage(EventMessage(0, 100), kNow);  // a repeated event is rejected with any mask
  EXPECT_EQ(processor.forks(), 2U);
  EXPECT_EQ(RejectedAs(processor, Rejection::kRepeated), 1U);
}

TEST(InputProcessorTest, RejectsRepeatedEventsWithoutOtherEffect) {
  InputProcessor processor(1, EventCoverage::kAll);
  processor.ApplyMessage(EventMessage(0, 5), kNow);
  processor.ApplyMessage(EventMessage(0, 6), kNow);
  StreamStatistics expected = processor.stream();
  expected.rejected[static_cast<std::size_t>(Rejection::kRepeated)] = 2;
  processor.ApplyMessage(EventMessage(0, 5), kNow);
  processor.ApplyMessage(EventMessage(0, 6, AckBody{}), kNow);
  EXPECT_EQ(processor.stream(), expected);
  processor.ApplyMessage(EventMessage(0, 7), kNow);
  EXPECT_EQ(processor.lost(), 0U);
  EXPECT_EQ(processor.forks(), 3U);
}

TEST(InputProcessorTest, TracksSequencesOfAcksButNoDelay) {
  InputProcessor processor(1, EventCoverage::kAll);
  processor.ApplyMessage(EventMessage(0, 1), kNow);
  processor.ApplyMessage(EventMessage(0, 2, AckBody{}), kNow);
  processor.ApplyMessage(EventMessage(0, 3), kNow);
  EXPECT_EQ(processor.lost(), 0U);
  EXPECT_EQ(processor.stream().events_of(EventKind::kAck), 1U);
  EXPECT_EQ(Sum(processor.stream().delay.counts()), 2U);
  EXPECT_EQ(processor.stream().delay.sum_nanos(), 10'000U);
}

TEST(InputProcessorTest, CountsAcksWithoutACpu) {
  InputProcessor processor(1, EventCoverage::kAll);
  processor.ApplyMessage(EventMessage(kNoCpu, 1, AckBody{}), kNow);
  processor.ApplyMessage(EventMessage(kNoCpu, 1, AckBody{}), kNow);
  processor.ApplyMessage(EventMessage(kNoCpu, 99, AckBody{}), kNow);
  EXPECT_EQ(processor.stream().events_of(EventKind::kAck), 3U);
  EXPECT_EQ(processor.lost(), 0U);
}

struct DelayRow {
  std::uint64_t stamped;
  std::uint64_t delay;
};

TEST(InputProcessorTest, MeasuresNoNegativeDelay) {
  for (const DelayRow& row : std::vector<DelayRow>{
           {kNow - 1, 1}, {kNow, 0}, {kNow + 1, 0}, {0, kNow}, {UINT64_MAX, 0}, {kNow - 2'000'000, 2'000'000}}) {
    InputProcessor processor(1, EventCoverage::kAll);
    Message message = EventMessage(0, 1);
    message.event.timestamp_ns = row.stamped;
    processor.ApplyMessage(message, kNow);
    EXPECT_EQ(processor.stream().delay.sum_nanos(), row.delay) << row.stamped;
    EXPECT_EQ(Sum(processor.stream().delay.counts()), 1U);
  }
}

TEST(InputProcessorTest, RejectsOrIgnoresOtherOutcomes) {
  for (std::size_t i = 1; i < kDecodeOutcomes; ++i) {
    const auto outcome = static_cast<DecodeOutcome>(i);
    InputProcessor processor(1, EventCoverage::kAll);
    Message message = EventMessage(0, 1);  // stale contents of a reused message must not count
    message.outcome = outcome;
    processor.ApplyMessage(message, kNow);
    StreamStatistics expected(1);
    if (const auto reason = RejectionOf(outcome)) {
      expected.rejected[static_cast<std::size_t>(*reason)] = 1;
    }
    EXPECT_EQ(processor.stream(), expected) << "outcome " << i;
    processor.ApplyMessage(EventMessage(0, 9), kNow);  // shows that the message set no baseline
    EXPECT_EQ(processor.lost(), 0U) << "outcome " << i;
  }
}

TEST(InputProcessorTest, ReloadOnlyIncreasesTheGroupLimit) {
  InputProcessor processor(1, EventCoverage::kAll, {.group_limit = 20});
  Numbers numbers(1, processor.options());
  for (const auto& [limit, in_force] :
       std::vector<std::pair<std::size_t, std::size_t>>{{20, 20}, {10, 20}, {30, 30}, {25, 30}, {10'000, 10'000}}) {
    processor.Reload(ReloadedOptions({.group_limit = limit}));
    EXPECT_EQ(processor.options().group_limit, in_force);
    processor.CopyTo(numbers);
    EXPECT_EQ(numbers.groups.limit, in_force);
    EXPECT_EQ(numbers.groups.rows.size(), kReservedGroups + in_force);
  }
}

TEST(InputProcessorTest, CountsRejectionsByReason) {
  InputProcessor processor(1, EventCoverage::kAll);
  processor.Apply(RejectedDatagram{RejectedDatagram::Reason::kForeignSender}, kNow);
  processor.Apply(RejectedDatagram{RejectedDatagram::Reason::kOversized}, kNow);
  processor.Apply(RejectedDatagram{RejectedDatagram::Reason::kOversized}, kNow);
  EXPECT_EQ(RejectedAs(processor, Rejection::kForeignSender), 1U);
  EXPECT_EQ(RejectedAs(processor, Rejection::kOversized), 2U);
  EXPECT_EQ(Sum(processor.stream().rejected), 3U);
}

}  // namespace
}  // namespace procevent
