#include "cmd/doctor/probes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace procevent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr pid_t kChild = 500;
const Task kTask{kChild, kChild};
constexpr std::uint32_t kExitWithStatus = ExpectedChildEvents::kExitStatus << 8U;

Event EventOf(const Event::Body& body) {
  Event event;
  event.body = body;
  return event;
}

TEST(ExpectedChildEventsTest, RecordsForkCommAndExit) {
  ExpectedChildEvents expected(kChild, EventMask::All());
  EXPECT_THAT(expected.missing(), ElementsAre(EventKind::kFork, EventKind::kComm, EventKind::kExit));
  expected.RecordEvent(EventOf(ForkBody{{1, 1}, kTask}));
  expected.RecordEvent(EventOf(CommBody{kTask, {}}));
  EXPECT_THAT(expected.missing(), ElementsAre(EventKind::kExit));
  expected.RecordEvent(EventOf(ExitBody{kTask, kExitWithStatus, 0, {}}));
  EXPECT_THAT(expected.missing(), IsEmpty());
  EXPECT_THAT(expected.received(), ElementsAre(EventKind::kFork, EventKind::kComm, EventKind::kExit));
}

struct Row {
  const char* name;
  Event::Body body;
};

class OtherChildEventsTest : public testing::TestWithParam<Row> {};

TEST_P(OtherChildEventsTest, IgnoresUnrelatedEvents) {
  ExpectedChildEvents expected(kChild, EventMask::All());
  expected.RecordEvent(EventOf(GetParam().body));
  EXPECT_THAT(expected.received(), IsEmpty());
  EXPECT_EQ(expected.missing().size(), 3U);
}

INSTANTIATE_TEST_SUITE_P(Rows, OtherChildEventsTest,
                         testing::Values(Row{"ForkOfAnotherProcess", ForkBody{kTask, {501, 501}}},
                                         Row{"CommOfAnotherProcess", CommBody{{501, 501}, {}}},
                                         Row{"ExitOfAnotherProcess", ExitBody{{501, 501}, kExitWithStatus, 0, {}}},
                                         Row{"OtherExitStatus", ExitBody{kTask, 1U << 8U, 0, {}}},
                                         Row{"KilledBySignal", ExitBody{kTask, 9, 0, {}}}, Row{"Ack", AckBody{}},
                                         Row{"Exec", ExecBody{kTask}}),
                         [](const auto& row) { return row.param.name; });

TEST(ExpectedChildEventsTest, ExpectsOnlyEventsOfTheMask) {
  const ExpectedChildEvents forks(kChild, EventMask::None().With(EventKind::kFork));
  EXPECT_THAT(forks.missing(), ElementsAre(EventKind::kFork, EventKind::kComm));
  const ExpectedChildEvents none(kChild, EventMask::None().With(EventKind::kUid));
  EXPECT_THAT(none.missing(), ElementsAre(EventKind::kComm));
}

}  // namespace
}  // namespace procevent
