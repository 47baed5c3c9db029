// Tests ProcessTable::Adopt, for tables without procfs.
#include <gtest/gtest.h>

#include <string_view>

#include "core/lookup/process_table.h"
#include "tests/core/lookup/fake_proc.h"

namespace procevent {
namespace {

constexpr std::int32_t kShell = kFirstFakePid;
constexpr std::int32_t kOther = kFirstFakePid + 2;
constexpr std::int32_t kThread = kFirstFakePid + 3;
constexpr std::uint64_t kSecond = kNanosPerSecond;

// The observed threads include those of all events until then, also of events that are applied later.
TEST(ProcessTableAdoptTest, AdoptsObservedProcessesWithoutProc) {
  ProcessTable table({.limit = 100, .proc = ""});
  table.Adopt({.process = {.pid = kShell, .command = CommName("sh"), .user = 9, .start_ns = kSecond},
               .when_ns = 2 * kSecond,
               .threads = 2});
  EXPECT_EQ(table.Find(kShell)->command, CommName("sh"));
  EXPECT_EQ(table.Find(kShell)->user, 9U);
  EXPECT_EQ(table.Find(kShell)->start_ns, kSecond);
  table.Apply(EventAt(2 * kSecond, ForkBody{MainThread(kShell), {kThread, kShell}}));
  table.Apply(EventAt(3 * kSecond, MakeExit(MainThread(kShell))));
  EXPECT_TRUE(table.Find(kShell)->alive) << "the other thread lives";
  table.Apply(EventAt(4 * kSecond, MakeExit({kThread, kShell})));
  EXPECT_FALSE(table.Find(kShell)->alive);
  table.Apply(EventAt(5 * kSecond, UidBody{MainThread(kOther), 1, 2}));
  table.Adopt({.process = {.pid = kOther, .command = CommName("su"), .user = 9}, .when_ns = 6 * kSecond, .threads = 1});
  EXPECT_EQ(table.Find(kOther)->user, 2U) << "an event has shown it";
}

// An observation that shows the main thread alive was made before its EXIT, although the times are close.
TEST(ProcessTableAdoptTest, LivingMainThreadPrecedesItsExit) {
  ProcessTable table({.limit = 100, .proc = ""});
  table.Adopt({.process = {.pid = kShell, .command = CommName("sh"), .user = 5}, .when_ns = 2 * kSecond, .threads = 1});
  table.Apply(EventAt(2 * kSecond - 1, MakeExit(MainThread(kShell))));
  EXPECT_FALSE(table.Find(kShell)->alive);
}

// A start after a FORK is never that of the forked process. Two starts in /proc may differ by their conversion.
TEST(ProcessTableAdoptTest, StartAfterForkIsThatOfAnotherProcess) {
  ProcessTable table({.limit = 100, .proc = ""});
  table.Apply(EventAt(kSecond, ForkBody{MainThread(1), MainThread(kShell)}));
  table.Apply(EventAt(kSecond + 1, UidBody{MainThread(kShell), 5, 5}));
  const auto observe = [&table](std::uint64_t start_ns) {
    table.Adopt({.process = {.pid = kShell, .command = CommName("sh"), .user = 6, .start_ns = start_ns},
                 .when_ns = 2 * kSecond,
                 .threads = 1});
    return *table.Find(kShell);
  };
  EXPECT_EQ(observe(kSecond - kSecond / 100).user, 5U);
  EXPECT_EQ(observe(kSecond / 2).user, 5U) << "the host was suspended, which moves a start in /proc back";
  EXPECT_EQ(observe(kSecond + 1).user, 6U);
  EXPECT_EQ(observe(kSecond + 2).start_ns, kSecond + 1);
}

// Without procfs an observed start shows that the PID was reused while events were lost.
TEST(ProcessTableAdoptTest, DetectsReusedPid) {
  for (const bool exit_seen : {false, true}) {
    ProcessTable table({.limit = 100, .proc = ""});
    const auto observe = [&table](std::string_view name, std::uint32_t user, std::uint64_t start_ns,
                                  std::uint64_t when_ns) {
      table.Adopt({.process = {.pid = kShell, .command = CommName(name), .user = user, .start_ns = start_ns},
                   .when_ns = when_ns,
                   .threads = 1});
    };
    observe("old", 1, kSecond, 2 * kSecond);
    table.Apply(EventAt(3 * kSecond, UidBody{MainThread(kShell), 2, 2}));
    observe("same", 3, kSecond + kSecond / 100, 4 * kSecond);
    EXPECT_EQ(table.Find(kShell)->user, 2U) << "/proc is exact to 10 ms";
    EXPECT_EQ(table.Find(kShell)->start_ns, kSecond);
    if (exit_seen) {
      table.Apply(EventAt(5 * kSecond, MakeExit(MainThread(kShell))));
      EXPECT_FALSE(table.Find(kShell)->alive);
    }
    table.Invalidate();
    observe("new", 4, 6 * kSecond, 7 * kSecond);
    const Process found = *table.Find(kShell);
    EXPECT_EQ(found.command, CommName("new")) << exit_seen;
    EXPECT_EQ(found.user, 4U) << exit_seen;
    EXPECT_EQ(found.start_ns, 6 * kSecond) << exit_seen;
    EXPECT_TRUE(found.alive) << exit_seen;
    table.Apply(EventAt(8 * kSecond, MakeExit(MainThread(kShell))));
    EXPECT_FALSE(table.Find(kShell)->alive) << "it has one thread";
    EXPECT_EQ(table.size(), 1U);
  }
}

}  // namespace
}  // namespace procevent
