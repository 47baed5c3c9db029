#include "cmd/doctor/probes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace procevent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr pid_t kChild = 500;
const Task kTask{kChild, kChild};
constexpr std::uint32_t kKnown = ChildStory::kStatus << 8U;

Event EventOf(const Event::Body& body) {
  Event event;
  event.body = body;
  return event;
}

TEST(ChildStoryTest, IsHeardWhole) {
  ChildStory story(kChild, EventMask::All());
  EXPECT_THAT(story.missing(), ElementsAre(EventKind::kFork, EventKind::kComm, EventKind::kExit));
  story.Hear(EventOf(ForkBody{{1, 1}, kTask}));
  story.Hear(EventOf(CommBody{kTask, {}}));
  EXPECT_THAT(story.missing(), ElementsAre(EventKind::kExit));
  story.Hear(EventOf(ExitBody{kTask, kKnown, 0, {}}));
  EXPECT_THAT(story.missing(), IsEmpty());
  EXPECT_THAT(story.heard(), ElementsAre(EventKind::kFork, EventKind::kComm, EventKind::kExit));
}

struct Row {
  const char* name;
  Event::Body body;
};

class OtherStoryTest : public testing::TestWithParam<Row> {};

TEST_P(OtherStoryTest, ProvesNothing) {
  ChildStory story(kChild, EventMask::All());
  story.Hear(EventOf(GetParam().body));
  EXPECT_THAT(story.heard(), IsEmpty());
  EXPECT_EQ(story.missing().size(), 3U);
}

INSTANTIATE_TEST_SUITE_P(Rows, OtherStoryTest,
                         testing::Values(Row{"AnothersFork", ForkBody{kTask, {501, 501}}},
                                         Row{"AnothersComm", CommBody{{501, 501}, {}}},
                                         Row{"AnothersExit", ExitBody{{501, 501}, kKnown, 0, {}}},
                                         Row{"AnotherStatus", ExitBody{kTask, 1U << 8U, 0, {}}},
                                         Row{"ASignal", ExitBody{kTask, 9, 0, {}}}, Row{"AnAck", AckBody{}},
                                         Row{"AnExec", ExecBody{kTask}}),
                         [](const auto& row) { return row.param.name; });

TEST(ChildStoryTest, NothingIsAwaitedThatTheMaskLeavesOut) {
  const ChildStory forks(kChild, EventMask::None().With(EventKind::kFork));
  EXPECT_THAT(forks.missing(), ElementsAre(EventKind::kFork, EventKind::kComm));
  const ChildStory none(kChild, EventMask::None().With(EventKind::kUid));
  EXPECT_THAT(none.missing(), ElementsAre(EventKind::kComm));
}

}  // namespace
}  // namespace procevent
