#include "core/tracker/process_rules.h"

#include <gtest/gtest.h>

#include <limits>

namespace procevent {
namespace {

constexpr std::uint64_t kMilli = kNanosPerMilli;
constexpr std::uint64_t kSnapshot = 1'000 * kMilli;
constexpr bool kLeader = true;
constexpr bool kOtherThread = false;

TEST(SnapshotMarginTest, OrderIsCertainFromTenMillisecondsOn) {
  EXPECT_TRUE(CertainlyPrecedes(kSnapshot, kSnapshot + 10 * kMilli));
  EXPECT_FALSE(CertainlyPrecedes(kSnapshot, kSnapshot + 10 * kMilli - 1));
  EXPECT_FALSE(CertainlyPrecedes(kSnapshot, kSnapshot));
  EXPECT_FALSE(CertainlyPrecedes(kSnapshot, kSnapshot - 10 * kMilli));
}

TEST(NameOfChildTest, DependsOnTheForkingThread) {
  EXPECT_EQ(NameOfChild({100, 100}), ChildName::kOfParent);
  EXPECT_EQ(NameOfChild({101, 100}), ChildName::kOfAnotherThread);
  EXPECT_EQ(NameOfChild({2, 2}), ChildName::kOfKernelThread);
}

TEST(ThreadStateTest, EndsWithTheLastThread) {
  ThreadState state;
  state.OnThreadStart(1, 0);
  EXPECT_EQ(state.count, 2U);
  EXPECT_FALSE(state.OnThreadExit(kOtherThread, 2, 0));
  EXPECT_TRUE(state.OnThreadExit(kLeader, 3, 0));
}

TEST(ThreadStateTest, LeaderMayEndFirst) {
  ThreadState state;
  state.OnThreadStart(1, 0);
  EXPECT_FALSE(state.OnThreadExit(kLeader, 2, 0));
  EXPECT_TRUE(state.leader_gone);
  state.OnThreadStart(3, 0);
  EXPECT_FALSE(state.OnThreadExit(kOtherThread, 4, 0));
  EXPECT_TRUE(state.OnThreadExit(kOtherThread, 5, 0));
}

TEST(ThreadStateTest, OneThreadIsLeftWhileTheLeaderLives) {
  ThreadState state;
  EXPECT_FALSE(state.OnThreadExit(kOtherThread, 1, 0)) << "the FORK of the thread was lost";
  EXPECT_EQ(state, ThreadState{});
  EXPECT_TRUE(state.OnThreadExit(kLeader, 2, 0));
}

TEST(ThreadStateTest, ExecLeavesOneThreadAsLeader) {
  ThreadState state = ThreadState::Of(3, true);
  state.OnExec(1, 0);
  EXPECT_EQ(state, ThreadState{});
}

TEST(ThreadStateTest, SnapshotIncludesEventsUpToItsTime) {
  const ThreadState shown = ThreadState::Of(3, false);
  ThreadState state = shown;
  state.OnThreadStart(kSnapshot, kSnapshot);
  state.OnExec(kSnapshot, kSnapshot);
  EXPECT_FALSE(state.OnThreadExit(kOtherThread, kSnapshot, kSnapshot));
  EXPECT_EQ(state, shown);
  state.OnThreadStart(kSnapshot + 1, kSnapshot);
  EXPECT_EQ(state.count, 4U);
  EXPECT_FALSE(state.OnThreadExit(kOtherThread, kSnapshot + 1, kSnapshot));
  EXPECT_EQ(state.count, 3U);
  state.OnExec(kSnapshot + 1, kSnapshot);
  EXPECT_EQ(state.count, 1U);
}

TEST(ThreadStateTest, SnapshotOfALivingLeaderPrecedesItsExit) {
  ThreadState state = ThreadState::Of(2, false);
  EXPECT_FALSE(state.OnThreadExit(kLeader, kSnapshot - 1, kSnapshot));
  EXPECT_EQ(state, ThreadState::Of(1, true));
  EXPECT_FALSE(state.OnThreadExit(kLeader, kSnapshot - 1, kSnapshot)) << "the snapshot includes this EXIT";
  ThreadState alone;
  EXPECT_TRUE(alone.OnThreadExit(kLeader, kSnapshot - 1, kSnapshot));
}

TEST(ThreadStateTest, BoundsTheThreadsOfASnapshot) {
  EXPECT_EQ(ThreadState::Of(std::numeric_limits<std::uint32_t>::max(), true).count, ThreadState::kMaxThreads);
  EXPECT_EQ(ThreadState::Of(7, false).count, 7U);
}

TEST(CompareStartsTest, ProcRoundsTheStartOfAForkDown) {
  constexpr std::uint64_t kFork = 5'000 * kMilli;
  EXPECT_EQ(CompareStarts(StartSource::kFork, kFork, kFork), StartMatch::kSame);
  EXPECT_EQ(CompareStarts(StartSource::kFork, kFork, kFork - 50 * kMilli + 1), StartMatch::kSame);
  EXPECT_EQ(CompareStarts(StartSource::kFork, kFork, kFork - 50 * kMilli), StartMatch::kEarlier);
  EXPECT_EQ(CompareStarts(StartSource::kFork, kFork, kFork + 1), StartMatch::kLater);
}

TEST(CompareStartsTest, StartsInProcDifferByTheConversion) {
  constexpr std::uint64_t kStart = 5'000 * kMilli;
  EXPECT_EQ(CompareStarts(StartSource::kProc, kStart, kStart + 50 * kMilli), StartMatch::kSame);
  EXPECT_EQ(CompareStarts(StartSource::kProc, kStart, kStart + 50 * kMilli + 1), StartMatch::kLater);
  EXPECT_EQ(CompareStarts(StartSource::kProc, kStart, kStart - 50 * kMilli + 1), StartMatch::kSame);
  EXPECT_EQ(CompareStarts(StartSource::kProc, kStart, kStart - 50 * kMilli), StartMatch::kEarlier);
}

}  // namespace
}  // namespace procevent
