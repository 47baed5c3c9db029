// Compares the processor with its reference on events that no kernel makes, and on so many that its pools are full.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include "tests/core/reference/processor_pair.h"
#include "tests/core/reference/simulated_host.h"

namespace procevent {
namespace {

constexpr std::uint64_t kMilli = 1'000'000;

class InvalidInputTest : public ::testing::Test {
 protected:
  static CountingOptions SmallTables() {
    CountingOptions options;
    options.process_limit = 12;
    options.group_limit = 5;
    options.group_retire_after = std::chrono::milliseconds(1500);
    return options;
  }

  std::uint32_t Random(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }
  bool OneIn(std::uint32_t times) { return Random(times) == 0; }
  std::int32_t Id() {
    return OneIn(50) ? -static_cast<std::int32_t>(Random(3)) : 1 + static_cast<std::int32_t>(Random(20));
  }
  Task AnyTask() {
    const std::int32_t tgid = Id();
    return {OneIn(3) ? Id() : tgid, tgid};
  }
  std::uint32_t Status() { return OneIn(2) ? 0 : Random(0x10000); }
  std::string Name() { return OneIn(20) ? "" : "n" + std::to_string(Random(1 + Random(12))); }
  std::uint64_t Moment() { return now_ns_ - Random(30) * kMilli; }

  Event::Body AnyBody() {
    switch (Random(12)) {
      case 0:
        return UidBody{AnyTask(), 0, Random(2)};
      case 1:
        return GidBody{AnyTask(), 0, OneIn(9) ? kUnknownId : Random(2)};
      case 2:
        return PtraceBody{AnyTask(), OneIn(2) ? Task{} : AnyTask()};
      case 3:
        return CommBody{AnyTask(), CommBytes(Name())};
      case 4:
        return CoredumpBody{AnyTask(), AnyTask()};
      case 5:
        return OneIn(2) ? Event::Body(AckBody{}) : Event::Body(SidBody{AnyTask()});
      case 6:
      case 7:
        return ExecBody{AnyTask()};
      case 8:
      case 9:
        return ExitBody{AnyTask(), Status(), 0, AnyTask()};
      default:
        return ForkBody{AnyTask(), AnyTask()};
    }
  }
  static std::array<char, kCommSize> CommBytes(const std::string& name) {
    std::array<char, kCommSize> comm{};
    name.copy(comm.data(), kCommSize - 1);
    return comm;
  }
  Event AnyEvent() {
    Event event;
    event.cpu = Random(3);
    event.sequence = sequences_.at(event.cpu) += OneIn(40) ? 1 + Random(3) : 1;
    event.timestamp_ns = Moment();
    event.body = AnyBody();
    return event;
  }
  ProcSnapshot AnySnapshot(std::int32_t tgid) {
    return {.tgid = tgid,
            .taken_ns = now_ns_,
            .name = CommName(Name()),
            .threads = 1 + Random(4),
            .leader_gone = OneIn(4),
            .dead = OneIn(6),
            .may_be_in_exec = OneIn(3),
            .without_memory = OneIn(5),
            .start_ns = Moment(),
            .euid = Random(2),
            .egid = OneIn(5) ? kUnknownId : Random(2)};
  }
  void ReadOne(ProcessorPair& pair) {
    std::int32_t tgid = 1 + static_cast<std::int32_t>(Random(20));
    bool full = true;
    if (OneIn(2)) {
      const auto request = pair.NextRequest();
      tgid = request ? request->tgid : tgid;
      full = request ? request->full : full;
    }
    switch (Random(8)) {
      case 0:
        return pair.ApplyGone(tgid, now_ns_);
      case 1:
        return pair.ApplyHidden(tgid);
      case 2:
        return pair.AddFoundProcess(AnySnapshot(tgid), ProcessFoundReason::kReconciliation);
      default:
        return pair.ApplySnapshot(AnySnapshot(tgid), full);
    }
  }

  std::mt19937_64 random_{4711};
  std::array<std::uint32_t, 3> sequences_{};
  std::uint64_t now_ns_ = 1'000 * kMilli;
  SimulatedHost empty_host_{{.processes = 0}};
};

TEST_F(InvalidInputTest, AgreesOnEventsThatNoKernelMakes) {
  constexpr std::uint64_t kEvents = 100'000 / kSlowdown;
  ProcessorPair pair(empty_host_, 3, SmallTables(), 1);
  for (std::uint64_t i = 0; i < kEvents; ++i) {
    now_ns_ += Random(4) * kMilli / 2;
    pair.ApplyEvent(AnyEvent(), now_ns_);
    if (OneIn(3)) {
      ReadOne(pair);
    }
    if (OneIn(8)) {
      pair.Advance(now_ns_);
      pair.ConfirmUpTo(now_ns_ - Random(5) * kMilli);
    }
    if (OneIn(500)) {
      pair.Invalidate();
    }
    ASSERT_FALSE(HasFailure()) << "event " << i;
    if (i % 10 == 0) {
      ASSERT_TRUE(pair.Agree(i % 1000 == 0)) << "event " << i;
    }
  }
}

class FullPoolsTest : public InvalidInputTest {
 protected:
  void ApplyEvent(ProcessorPair& pair, Event::Body body) {
    Event event;
    event.sequence = ++sequences_[0];
    event.timestamp_ns = now_ns_ += 1000;
    event.body = body;
    pair.ApplyEvent(event, now_ns_);
  }
};

TEST_F(FullPoolsTest, AgreesOnALongExec) {
  ProcessorPair pair(empty_host_, 1, {}, 1);
  ApplyEvent(pair, ExecBody{{1, 1}});
  int reads = 0;
  for (int turn = 0; turn < 40; ++turn) {
    if (const auto request = pair.NextRequest()) {
      ++reads;
      ProcSnapshot in_exec = AnySnapshot(request->tgid);
      in_exec.dead = false;
      in_exec.may_be_in_exec = true;
      pair.ApplySnapshot(in_exec, request->full);
    }
    now_ns_ += 20 * kMilli;
    pair.ConfirmUpTo(now_ns_);
    ASSERT_TRUE(pair.Agree(true)) << "turn " << turn;
  }
  EXPECT_EQ(reads, 26);
}

TEST_F(FullPoolsTest, AgreesWithTooManyPendingExits) {
  ProcessorPair pair(empty_host_, 1, {}, 1);
  constexpr std::int32_t kChildren = 66'000;
  ApplyEvent(pair, ExecBody{{1, 1}});
  for (std::int32_t child = 2; child < kChildren; ++child) {
    ApplyEvent(pair, ForkBody{{1, 1}, {child, child}});
    ApplyEvent(pair, ExitBody{{child, child}, child % 3 == 0 ? 9U : 0U, 17, {1, 1}});
    if (child % 5000 == 0 || child > 65'530) {
      ASSERT_TRUE(pair.Agree(false)) << child;
    }
  }
  ASSERT_TRUE(pair.HoldInvariants());
  EXPECT_EQ(pair.snapshot().attributions[static_cast<std::size_t>(Attribution::kUnattributed)], 1U);
}

TEST_F(FullPoolsTest, AgreesWithTooManyPendingCounts) {
  ProcessorPair pair(empty_host_, 1, {}, 1);
  constexpr std::int32_t kProcesses = 5000;
  for (std::int32_t tgid = 1; tgid < kProcesses; ++tgid) {
    ApplyEvent(pair, ExecBody{{tgid, tgid}});
    ApplyEvent(pair, ForkBody{{tgid, tgid}, {tgid + kProcesses, tgid + kProcesses}});
    if (tgid % 100 == 0) {
      ASSERT_TRUE(pair.Agree(false)) << tgid;
    }
  }
  for (std::int32_t tgid = 1; tgid < kProcesses; ++tgid) {
    ApplyEvent(pair, CommBody{{tgid, tgid}, CommBytes("n" + std::to_string(tgid % 20))});
    ApplyEvent(pair, UidBody{{tgid + kProcesses, tgid + kProcesses}, 0, 0});
    ApplyEvent(pair, ExitBody{{tgid, tgid}, 0, 17, {1, 1}});
    if (tgid % 100 == 0) {
      ASSERT_TRUE(pair.Agree(false)) << tgid;
    }
  }
  ASSERT_TRUE(pair.HoldInvariants());
}

TEST_F(FullPoolsTest, AgreesWithTooManyUnconfirmedSnapshots) {
  ProcessorPair pair(empty_host_, 1, {}, 1);
  constexpr std::int32_t kProcesses = 1500;
  for (std::int32_t tgid = 1; tgid < kProcesses; ++tgid) {
    ApplyEvent(pair, ExecBody{{tgid, tgid}});
  }
  now_ns_ += 100 * kMilli;
  while (const auto request = pair.NextRequest()) {
    ASSERT_FALSE(HasFailure());
    pair.ApplySnapshot(AnySnapshot(request->tgid), request->full);
  }
  for (std::int32_t tgid = 1; tgid < kProcesses; ++tgid) {
    pair.ApplyGone(tgid, now_ns_);
  }
  ASSERT_TRUE(pair.Agree(false));
  pair.ConfirmUpTo(now_ns_ + 100 * kMilli);
  ASSERT_TRUE(pair.Agree(false));
  ASSERT_TRUE(pair.HoldInvariants());
}

TEST_F(FullPoolsTest, AgreesAfterAnIdleMinute) {
  ProcessorPair pair(empty_host_, 1, {}, 1);
  ApplyEvent(pair, ForkBody{{1, 1}, {2, 2}});
  ASSERT_TRUE(pair.Agree(true));
  now_ns_ += 62'000 * kMilli;
  pair.Advance(now_ns_);
  ASSERT_TRUE(pair.Agree(true));
}

}  // namespace
}  // namespace procevent
