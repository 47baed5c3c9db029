#include "core/protocol/proc_snapshot.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace procevent {
namespace {

using namespace std::string_view_literals;

// Text of a real /proc/PID/stat with the given name, state, threads and start time.
std::string StatText(std::string_view name, std::string_view state = "S", std::string_view threads = "3",
                     std::string_view start = "1382940") {
  return "4711 (" + std::string(name) + ") " + std::string(state) +
         " 4705 4711 4705 34816 5127 4194304 1029 23154 0 12 3 1 29 14 20 0 " + std::string(threads) + " 0 " +
         std::string(start) +
         " 8454144 1312 18446744073709551615 94351 95001 140722 0 0 0 65536 3686404 1266761467 1 0 0 17 1 0 0 0 0 0 "
         "95112 95160 95789 140729 140734 140734 140737 0\n";
}

struct ParsedStat {
  bool ok = false;
  ProcSnapshot snapshot;
  std::uint64_t ticks = 0;
};
ParsedStat ParseStat(std::string_view text) {
  ParsedStat parsed;
  parsed.ok = ParseProcStat(text, parsed.snapshot, parsed.ticks);
  return parsed;
}

struct NameRow {
  std::string name;
  std::string_view bytes;
};
class ProcNameTest : public testing::TestWithParam<NameRow> {};

TEST_P(ProcNameTest, ParsesNameAndOtherFields) {
  const ParsedStat parsed = ParseStat(StatText(GetParam().bytes));
  ASSERT_TRUE(parsed.ok);
  EXPECT_EQ(parsed.snapshot.name, CommName(GetParam().bytes));
  EXPECT_EQ(parsed.snapshot.threads, 3U);
  EXPECT_EQ(parsed.snapshot.parent, 4705);
  EXPECT_EQ(parsed.ticks, 1'382'940U);
  EXPECT_FALSE(parsed.snapshot.leader_gone || parsed.snapshot.dead);
}

// A tracer (t) or disk I/O (D) can block a process in the middle of an exec.
TEST(ProcStatTextTest, MarksBlockedStatesAsExecInProgress) {
  for (const std::string state : {"t", "D"}) {
    EXPECT_TRUE(ParseStat(StatText("x", state)).snapshot.may_be_in_exec) << state;
  }
  for (const std::string state : {"R", "S", "T", "I", "Z"}) {
    EXPECT_FALSE(ParseStat(StatText("x", state)).snapshot.may_be_in_exec) << state;
  }
}

INSTANTIATE_TEST_SUITE_P(Names, ProcNameTest,
                         testing::Values(NameRow{"Plain", "bash"}, NameRow{"Empty", ""}, NameRow{"Blank", " "},
                                         NameRow{"Blanks", "Web Content"}, NameRow{"Opening", "("},
                                         NameRow{"Closing", ")"}, NameRow{"Brackets", "(sd-pam)"},
                                         NameRow{"ReversedBrackets", ")x("},
                                         NameRow{"ContainsFields", "a) Z 1 1 1 1 ("},
                                         NameRow{"EndsWithFields", "a) Z 1 1 1"}, NameRow{"Newline", "a\nb"},
                                         NameRow{"EndsInNewline", "a\n"}, NameRow{"OnlyNewline", "\n"},
                                         NameRow{"InvalidUtf8", "\xFF\xFE\xC3"}, NameRow{"Controls", "\x01\x1B[0m"},
                                         NameRow{"Fifteen", "123456789abcdef"},
                                         NameRow{"LongKernelThreadName", "kworker/u8:1-events_unbound"}),
                         [](const auto& row) { return row.param.name; });

struct StateRow {
  std::string name;
  std::string_view state;
  std::string_view threads;
  std::uint32_t alive;
  bool leader_gone;
  bool dead;
};
class ProcStateTest : public testing::TestWithParam<StateRow> {};
TEST_P(ProcStateTest, CountsLiveThreads) {
  const StateRow& row = GetParam();
  const ParsedStat parsed = ParseStat(StatText("x", row.state, row.threads));
  ASSERT_TRUE(parsed.ok);
  EXPECT_EQ(parsed.snapshot.threads, row.alive);
  EXPECT_EQ(parsed.snapshot.leader_gone, row.leader_gone);
  EXPECT_EQ(parsed.snapshot.dead, row.dead);
}
INSTANTIATE_TEST_SUITE_P(
    States, ProcStateTest,
    testing::Values(StateRow{"Sleeping", "S", "1", 1, false, false}, StateRow{"Running", "R", "8", 8, false, false},
                    StateRow{"DiskSleep", "D", "1", 1, false, false}, StateRow{"Stopped", "T", "2", 2, false, false},
                    StateRow{"Traced", "t", "2", 2, false, false}, StateRow{"Idle", "I", "1", 1, false, false},
                    StateRow{"LeaderGone", "Z", "3", 2, true, false},
                    StateRow{"LeaderGoneOneLeft", "Z", "2", 1, true, false},
                    StateRow{"Zombie", "Z", "1", 0, true, true}, StateRow{"DeadZombie", "Z", "0", 0, true, true},
                    StateRow{"Dead", "X", "0", 0, true, true}, StateRow{"DeadLeader", "X", "2", 1, true, false},
                    StateRow{"Released", "S", "0", 0, false, true}),
    [](const auto& row) { return row.param.name; });

TEST(ProcStatTextTest, KeepsOtherFields) {
  ProcSnapshot snapshot;
  snapshot.tgid = 7;
  snapshot.taken_ns = 8;
  snapshot.start_ns = 9;
  snapshot.euid = 10;
  snapshot.egid = 11;
  std::uint64_t ticks = 0;
  ASSERT_TRUE(ParseProcStat(StatText("x"), snapshot, ticks));
  EXPECT_EQ(snapshot.tgid, 7);
  EXPECT_EQ(snapshot.taken_ns, 8U);
  EXPECT_EQ(snapshot.start_ns, 9U);
  EXPECT_EQ(snapshot.euid, 10U);
  EXPECT_EQ(snapshot.egid, 11U);
}

TEST(ProcStatTextTest, ChecksNumberRanges) {
  EXPECT_EQ(ParseStat(StatText("x", "S", "4294967295")).snapshot.threads, UINT32_MAX);
  EXPECT_FALSE(ParseStat(StatText("x", "S", "4294967296")).ok);
  EXPECT_EQ(ParseStat(StatText("x", "S", "1", "18446744073709551615")).ticks, UINT64_MAX);
  EXPECT_FALSE(ParseStat(StatText("x", "S", "1", "18446744073709551616")).ok);
  EXPECT_EQ(ParseStat(StatText("x", "S", "1", "0")).ticks, 0U) << "process 1 may start at boot";
}

TEST(ProcStatTextTest, RejectsInvalidNumbers) {
  for (const std::string_view number : {"-1", "+1", "1x", "x", "0x1", "1.5"}) {
    EXPECT_FALSE(ParseStat(StatText("x", "S", number)).ok) << number;
    EXPECT_FALSE(ParseStat(StatText("x", "S", "1", number)).ok) << number;
  }
}

TEST(ProcStatTextTest, RejectsUnmatchedBrackets) {
  for (const std::string_view text : {"", "(", ")", "()", "1 x S 1 1", "1 )x( S 1", "1 (x S 1"}) {
    EXPECT_FALSE(ParseStat(text).ok) << text;
  }
  std::string crossed = StatText("x");
  EXPECT_FALSE(ParseStat(crossed.replace(crossed.find("(x)"), 3, ")x(")).ok);
}

// Truncation within the last number is undetectable. Every shorter text is rejected.
TEST(ProcStatTextTest, RejectsTruncatedTextWithoutChanges) {
  const std::string text = StatText("a) S 1 (b");
  const std::size_t start = text.find("1382940");
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const ParsedStat parsed = ParseStat(std::string_view(text).substr(0, length));
    EXPECT_EQ(parsed.ok, length > start) << length;
    if (!parsed.ok) {
      EXPECT_EQ(parsed.snapshot.name, CommName()) << length;
      EXPECT_EQ(parsed.snapshot.threads, 0U) << length;
      EXPECT_EQ(parsed.ticks, 0U) << length;
    } else if (length > text.find(' ', start)) {
      EXPECT_EQ(parsed.ticks, 1'382'940U) << length;
    }
  }
}

// An exec that failed beyond the point of no return has set the name of a program that never ran. Then a signal ends
// the only thread, and the code of the new program was never mapped.
struct ReliableNameRow {
  std::string name;
  std::uint32_t flags;
  std::string_view state;
  std::string_view threads;
  std::string_view statm;
  bool reliable;
};
class ReliableNameTest : public testing::TestWithParam<ReliableNameRow> {};
TEST_P(ReliableNameTest, NeedsMappedCodeOrAnotherProof) {
  std::string text = StatText("x", GetParam().state, GetParam().threads);
  text.replace(text.find("4194304"), 7, std::to_string(GetParam().flags));
  ProcSnapshot snapshot;
  std::uint64_t ticks = 0;
  ASSERT_TRUE(ParseProcStat(text, snapshot, ticks));
  ASSERT_TRUE(ParseProcStatm(GetParam().statm, snapshot));
  EXPECT_EQ(snapshot.has_reliable_name(), GetParam().reliable);
}
constexpr std::string_view kCode = "2178 1027 800 253 0 318 0\n";
constexpr std::string_view kNoCode = "33 1 0 0 0 32 0\n";
constexpr std::string_view kNoMemory = "0 0 0 0 0 0 0\n";
INSTANTIATE_TEST_SUITE_P(
    States, ReliableNameTest,
    testing::Values(ReliableNameRow{"Running", 0x400000, "R", "1", kCode, true},
                    ReliableNameRow{"InExec", 0x400000, "R", "1", kNoCode, false},
                    ReliableNameRow{"FailedExecBeforeItsSignal", 0x400000, "R", "1", kNoMemory, false},
                    ReliableNameRow{"FailedExecWithMemory", 0x400404, "R", "1", kNoCode, false},
                    ReliableNameRow{"FailedExecWithoutMemory", 0x400404, "R", "1", kNoMemory, false},
                    ReliableNameRow{"KilledProgramWithMemory", 0x400404, "R", "1", kCode, true},
                    ReliableNameRow{"ExitsByItself", 0x400004, "R", "1", kNoMemory, true},
                    ReliableNameRow{"KernelThread", 0x208040, "S", "1", kNoMemory, true},
                    ReliableNameRow{"LeaderGone", 0x400404, "Z", "2", kNoMemory, true},
                    ReliableNameRow{"LeaderExitsBeforeItsThreads", 0x400404, "R", "2", kNoMemory, true},
                    ReliableNameRow{"Zombie", 0x400404, "Z", "1", kNoMemory, true}),
    [](const auto& row) { return row.param.name; });

struct StatmRow {
  std::string name;
  std::string_view text;
  bool ok;
  bool may_be_in_exec;
};
class ProcStatmTest : public testing::TestWithParam<StatmRow> {};
TEST_P(ProcStatmTest, DetectsExecInProgress) {
  ProcSnapshot snapshot;
  EXPECT_EQ(ParseProcStatm(GetParam().text, snapshot), GetParam().ok);
  EXPECT_EQ(snapshot.may_be_in_exec, GetParam().may_be_in_exec);
  snapshot.may_be_in_exec = true;
  EXPECT_EQ(ParseProcStatm(GetParam().text, snapshot), GetParam().ok);
  EXPECT_TRUE(snapshot.may_be_in_exec) << "statm must not clear the flag set from stat";
}
INSTANTIATE_TEST_SUITE_P(
    Texts, ProcStatmTest,
    testing::Values(StatmRow{"Running", "2178 1027 800 253 0 318 0\n", true, false},
                    StatmRow{"NewMemoryWithoutCode", "33 1 0 0 0 32 0\n", true, true},
                    StatmRow{"CodeNotYetMapped", "2171 480 470 0 0 311 0\n", true, true},
                    StatmRow{"KernelThread", "0 0 0 0 0 0 0\n", true, false},
                    StatmRow{"OnePageOfCode", "1 0 0 1 0 0 0\n", true, false},
                    StatmRow{"MaximumValues", "18446744073709551615 1 1 18446744073709551615 0 1 0\n", true, false},
                    StatmRow{"Overflow", "18446744073709551616 1 1 0 0 1 0\n", false, false},
                    StatmRow{"InvalidCodeField", "2178 1027 800 x 0 318 0\n", false, false},
                    StatmRow{"InvalidSizeField", "-1 1027 800 0 0 318 0\n", false, false},
                    StatmRow{"Truncated", "2178 1027 800 ", false, false}, StatmRow{"Empty", "", false, false}),
    [](const auto& row) { return row.param.name; });

struct StatusRow {
  std::string name;
  std::string_view text;
  bool ok;
  std::uint32_t euid;
  std::uint32_t egid;
};
class ProcStatusTest : public testing::TestWithParam<StatusRow> {};
TEST(ProcStatusTextTest, RejectsMissingTgid) {
  ProcSnapshot snapshot;
  EXPECT_FALSE(ParseProcStatus("Name:\tx\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n", snapshot));
}

TEST_P(ProcStatusTest, ParsesEffectiveIds) {
  ProcSnapshot snapshot;
  snapshot.euid = snapshot.egid = 7;
  EXPECT_EQ(ParseProcStatus("\nTgid:\t9\n" + std::string(GetParam().text), snapshot), GetParam().ok);
  EXPECT_EQ(snapshot.tgid, 9);
  EXPECT_EQ(snapshot.euid, GetParam().euid);
  EXPECT_EQ(snapshot.egid, GetParam().egid);
}
INSTANTIATE_TEST_SUITE_P(
    Texts, ProcStatusTest,
    testing::Values(
        StatusRow{"Typical", "Name:\tx\nUmask:\t0022\nTgid:\t9\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nFDSize:\t64\n",
                  true, 2, 6},
        StatusRow{"Root", "Name:\tx\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n", true, 0, 0},
        StatusRow{"Swapped", "Name:\tx\nGid:\t5\t6\t7\t8\nUid:\t1\t2\t3\t4\n", true, 2, 6},
        StatusRow{"Largest", "x\nUid:\t1\t4294967294\t3\t4\nGid:\t5\t4294967294\t7\t8\n", true, kUnknownId - 1,
                  kUnknownId - 1},
        StatusRow{"TooLarge", "x\nUid:\t1\t4294967296\t3\t4\nGid:\t5\t6\t7\t8\n", false, kUnknownId, 6},
        StatusRow{"Negative", "x\nUid:\t1\t-2\t3\t4\nGid:\t5\t6\t7\t8\n", false, kUnknownId, 6},
        StatusRow{"NoGid", "x\nUid:\t1\t2\t3\t4\n", false, 2, kUnknownId},
        StatusRow{"NoUid", "x\nGid:\t5\t6\t7\t8\n", false, kUnknownId, 6},
        StatusRow{"Empty", "", false, kUnknownId, kUnknownId},
        StatusRow{"OnlyRealIds", "x\nUid:\t1\nGid:\t5\n", false, kUnknownId, kUnknownId},
        // The kernel escapes a newline in the name as backslash and n.
        StatusRow{"NameContainsUidKey", "Name:\tUid:\t7\t7\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n", true, 2, 6},
        StatusRow{"NameContainsEscapedNewline", "Name:\ta\\nUid:\t7\t7\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n", true, 2,
                  6}),
    [](const auto& row) { return row.param.name; });

TEST(ProcStatusTextTest, RejectsTruncatedText) {
  constexpr std::string_view kText =
      "Name:\tx\nTgid:\t9\nUid:\t1000\t2000\t3\t4\nGid:\t5000\t6000\t7\t8\nGroups:\t6000 \n";
  const std::size_t minimum = kText.find("6000");
  for (std::size_t length = 0; length <= kText.size(); ++length) {
    ProcSnapshot snapshot;
    EXPECT_EQ(ParseProcStatus(kText.substr(0, length), snapshot), length > minimum) << length;
    EXPECT_TRUE(length < kText.find("\t3") || snapshot.euid == 2000) << length;
    EXPECT_TRUE(length < kText.find("\t7") || snapshot.egid == 6000) << length;
  }
}

}  // namespace
}  // namespace procevent
