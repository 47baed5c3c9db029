// Tests which activities the tracker emits, with a sink of its own beside those of the product.
#include "core/tracker/activity.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "core/base/system.h"
#include "core/statistics/statistics.h"
#include "core/tracker/process_tracker.h"

namespace procevent {
namespace {

constexpr std::uint64_t kStep = kNanosPerMilli;

// An activity that a sink received, with copies of everything that is valid only during a call.
struct Received {
  Activity activity;
  std::string comm;
  Attributes::Missing missing;
  std::uint64_t lifetime_ns = 0;
};

Received Copy(const Activity& activity) {
  const Attributes& attributes = activity.process.attributes->value;
  return {activity, std::string(attributes.comm.view()), attributes.missing,
          activity.exit != nullptr ? activity.exit->lifetime_ns : 0};
}

class RecordingSink {
 public:
  void OnEvent(const Activity& activity) { events.push_back(Copy(activity)); }
  void OnAttributed(const Activity& activity) { attributed.push_back(Copy(activity)); }

  std::vector<Received> events;
  std::vector<Received> attributed;
};

// Sinks of the product, and another one that they do not know.
class ActivityTest : public testing::Test {
 protected:
  void Emit(const Event::Body& body) {
    now_ += kStep;
    tracker_.Apply({.timestamp_ns = now_, .body = body});
  }
  void Fork(std::int32_t parent, std::int32_t child) { Emit(ForkBody{{parent, parent}, {child, child}}); }
  void Rename(std::int32_t pid, std::string_view name) {
    CommBody body{.task = {pid, pid}};
    std::ranges::copy(name, body.comm.begin());
    Emit(body);
  }
  void Exit(std::int32_t pid, std::uint32_t status = 0) {
    Emit(ExitBody{.task = {pid, pid}, .wait_status = status << 8U, .parent = {}});
  }
  // Answers all requests for names.
  void ReadNames(std::string_view name) {
    while (const auto request = tracker_.reconciler().NextRequest()) {
      ProcSnapshot snapshot;
      snapshot.tgid = request->tgid;
      snapshot.taken_ns = now_;
      snapshot.name = CommName(name);
      snapshot.threads = 1;
      tracker_.reconciler().ApplySnapshot(snapshot, request->full);
    }
    now_ += 20 * kStep;
    tracker_.reconciler().ConfirmUpTo(now_);
  }

  std::uint64_t now_ = kNanosPerSecond;
  Totals totals_;
  GroupTable groups_{CountingOptions()};
  RecordingSink sink_;
  SinkList<Totals, GroupTable, RecordingSink> sinks_{totals_, groups_, sink_};
  ProcessTracker tracker_{100, ActivitySink(sinks_)};
};

TEST_F(ActivityTest, HasTheProcessWithItsAttributesAtOnceIfTheNameIsKnown) {
  Rename(100, "sh");
  Fork(100, 200);
  const std::uint64_t forked_ns = now_;
  Exit(200, 3);
  ASSERT_EQ(sink_.attributed.size(), 2U);
  const Received& fork = sink_.attributed[0];
  EXPECT_EQ(fork.activity.stage, Activity::Stage::kImmediate);
  EXPECT_EQ(fork.activity.what, CountKind::kForks);
  EXPECT_EQ(fork.activity.times, 1U);
  EXPECT_EQ(fork.activity.when_ns, forked_ns);
  EXPECT_EQ(fork.activity.process.pid, 100);
  EXPECT_EQ(fork.comm, "sh");
  const Received& exit = sink_.attributed[1];
  EXPECT_EQ(exit.activity.what, CountKind::kFailed);
  EXPECT_EQ(exit.activity.process.pid, 200);
  EXPECT_EQ(exit.activity.process.parent, 100);
  EXPECT_EQ(exit.activity.process.start_ns, forked_ns);
  EXPECT_EQ(exit.lifetime_ns, kStep);
  EXPECT_EQ(exit.comm, "sh");
  EXPECT_EQ(sink_.events.size(), 2U);
}

TEST_F(ActivityTest, WaitsForTheNameAndIsEmittedOnceWithIt) {
  Rename(100, "sh");
  Fork(100, 200);
  Emit(ExecBody{{200, 200}});
  Fork(200, 201);
  Fork(200, 202);
  const std::uint64_t last_fork_ns = now_;
  Exit(201);
  const std::uint64_t exit_ns = now_;
  ASSERT_EQ(sink_.events.size(), 5U);
  EXPECT_EQ(sink_.events.back().activity.stage, Activity::Stage::kWaiting);
  EXPECT_EQ(sink_.events.back().missing, Attributes::Missing::kUnattributed);
  ASSERT_EQ(sink_.attributed.size(), 1U) << "the fork of 200 only";
  ReadNames("make");
  ASSERT_EQ(sink_.events.size(), 5U);
  ASSERT_EQ(sink_.attributed.size(), 4U);
  std::map<CountKind, Received> resolved;
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(sink_.attributed[i].comm, "make");
    EXPECT_EQ(sink_.attributed[i].activity.stage, Activity::Stage::kResolved);
    resolved[sink_.attributed[i].activity.what] = sink_.attributed[i];
  }
  EXPECT_EQ(resolved[CountKind::kExecs].activity.times, 1U);
  EXPECT_EQ(resolved[CountKind::kForks].activity.times, 2U);
  EXPECT_EQ(resolved[CountKind::kForks].activity.when_ns, last_fork_ns);
  EXPECT_EQ(resolved[CountKind::kForks].activity.process.pid, 200);
  const Activity& exit = resolved[CountKind::kSucceeded].activity;
  EXPECT_EQ(exit.when_ns, exit_ns);
  EXPECT_EQ(exit.process.pid, 201);
  EXPECT_EQ(exit.process.parent, 200);
  EXPECT_EQ(exit.process.start_ns, exit_ns - 2 * kStep);
}

TEST_F(ActivityTest, KeepsTheParentOfAnExitThatWaits) {
  Rename(100, "sh");
  Fork(100, 200);
  Emit(ExecBody{{200, 200}});
  Fork(200, 201);
  Fork(201, 202);
  Exit(202);
  Exit(201);
  ReadNames("make");
  std::map<std::int32_t, std::int32_t> parents;
  for (const Received& received : sink_.attributed) {
    if (received.activity.what == CountKind::kSucceeded) {
      parents[received.activity.process.pid] = received.activity.process.parent;
    }
  }
  EXPECT_EQ(parents, (std::map<std::int32_t, std::int32_t>{{201, 200}, {202, 201}})) << "200 owns what waits";
}

TEST_F(ActivityTest, HasTheParentThatASnapshotShowed) {
  ProcSnapshot snapshot;
  snapshot.tgid = 300;
  snapshot.parent = 299;
  snapshot.taken_ns = now_;
  tracker_.reconciler().AddFoundProcess(snapshot, ProcessFoundReason::kBootstrap);
  Fork(300, 301);
  ASSERT_EQ(sink_.events.size(), 1U);
  EXPECT_EQ(sink_.events[0].activity.process.parent, 299);
}

TEST_F(ActivityTest, HasNoAttributesForAProcessWithoutARow) {
  Exit(300, 1);
  Emit(CoredumpBody{{301, 301}, {}});
  ASSERT_EQ(sink_.attributed.size(), 2U);
  for (const Received& received : sink_.attributed) {
    EXPECT_EQ(received.missing, Attributes::Missing::kUntracked);
  }
  EXPECT_EQ(sink_.attributed[0].activity.process.pid, 300);
  EXPECT_EQ(sink_.attributed[1].activity.process.pid, 301);
}

TEST_F(ActivityTest, ReachesTheOtherSinksToo) {
  Rename(100, "sh");
  Fork(100, 200);
  Emit(ExecBody{{200, 200}});
  EXPECT_EQ(totals_.counts()[CountKind::kForks], 1U);
  EXPECT_EQ(totals_.counts()[CountKind::kExecs], 1U) << "although it waits for its name";
  const GroupRow& row = groups_.state().rows[kReservedGroups];
  EXPECT_EQ(row.labels[0].view(), "sh");
  EXPECT_EQ(row.counts[CountKind::kForks], 1U);
  EXPECT_EQ(row.counts[CountKind::kExecs], 0U);
}

}  // namespace
}  // namespace procevent
