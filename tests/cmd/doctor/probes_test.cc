#include "cmd/doctor/probes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace procevent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr pid_t kChild = 500;
const Task kTask{kChild, kChild};
constexpr std::uint32_t kKnown = ExpectedChildEvents::kStatus << 8U;

Event EventOf(const Event::Body& body) {
  Event event;
  event.body = body;
  return event;
}

TEST(ChildStoryTest, IsHeardWhole) {
  ExpectedChildEvents story(kChild, EventMask::All());
  EXPECT_THAT(story.missing(), ElementsAre(EventKind::kFork, EventKind::kComm, EventKind::kExit));
  story.RecordEvent(EventOf(ForkBody{{1, 1}, kTask}));
  story.RecordEvent(EventOf(CommBody{kTask, {}}));
  EXPECT_THAT(story.missing(), ElementsAre(EventKind::kExit));
  story.RecordEvent(EventOf(ExitBody{kTask, kKnown, 0, {}}));
  EXPECT_THAT(story.missing(), IsEmpty());
  EXPECT_THAT(story.received(), ElementsAre(EventKind::kFork, EventKind::kComm, EventKind::kExit));
}

struct Row {
  const char* name;
  Event::Body body;
};

class OtherChildEventsTest : public testing::TestWithParam<Row> {};

TEST_P(OtherChildEventsTest, ProvesNothing) {
  ExpectedChildEvents story(kChild, EventMask::All());
  story.RecordEvent(EventOf(GetParam().body));
  EXPECT_THAT(story.received(), IsEmpty());
  EXPECT_EQ(story.missing().size(), 3U);
}

INSTANTIATE_TEST_SUITE_P(Rows, OtherChildEventsTest,
                         testing::Values(Row{"AnothersFork", ForkBody{kTask, {501, 501}}},
                                         Row{"AnothersComm", CommBody{{501, 501}, {}}},
                                         Row{"AnothersExit", ExitBody{{501, 501}, kKnown, 0, {}}},
                                         Row{"AnotherStatus", ExitBody{kTask, 1U << 8U, 0, {}}},
                                         Row{"ASignal", ExitBody{kTask, 9, 0, {}}}, Row{"AnAck", AckBody{}},
                                         Row{"AnExec", ExecBody{kTask}}),
                         [](const auto& row) { return row.param.name; });

TEST(ChildStoryTest, NothingIsAwaitedThatTheMaskLeavesOut) {
  const ExpectedChildEvents forks(kChild, EventMask::None().With(EventKind::kFork));
  EXPECT_THAT(forks.missing(), ElementsAre(EventKind::kFork, EventKind::kComm));
  const ExpectedChildEvents none(kChild, EventMask::None().With(EventKind::kUid));
  EXPECT_THAT(none.missing(), ElementsAre(EventKind::kComm));
}

}  // namespace
}  // namespace procevent
