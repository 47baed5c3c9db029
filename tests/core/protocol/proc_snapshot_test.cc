#include "core/protocol/proc_snapshot.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace procevent {
namespace {

using namespace std::string_view_literals;

// Of a real one, but for the name, the state, the threads and the start.
std::string Stat(std::string_view name, std::string_view state = "S", std::string_view threads = "3",
                 std::string_view start = "1382940") {
  return "4711 (" + std::string(name) + ") " + std::string(state) +
         " 4705 4711 4705 34816 5127 4194304 1029 23154 0 12 3 1 29 14 20 0 " + std::string(threads) + " 0 " +
         std::string(start) +
         " 8454144 1312 18446744073709551615 94351 95001 140722 0 0 0 65536 3686404 1266761467 1 0 0 17 1 0 0 0 0 0 "
         "95112 95160 95789 140729 140734 140734 140737 0\n";
}

struct ParsedStat {
  bool whole = false;
  ProcSnapshot sighting;
  std::uint64_t ticks = 0;
};
ParsedStat ParseStat(std::string_view text) {
  ParsedStat seen;
  seen.whole = ParseProcStat(text, seen.sighting, seen.ticks);
  return seen;
}

struct NameRow {
  std::string name;
  std::string_view bytes;
};
class ProcNameTest : public testing::TestWithParam<NameRow> {};

TEST_P(ProcNameTest, StatTellsItAndAllElse) {
  const ParsedStat seen = ParseStat(Stat(GetParam().bytes));
  ASSERT_TRUE(seen.whole);
  EXPECT_EQ(seen.sighting.name, CommName(GetParam().bytes));
  EXPECT_EQ(seen.sighting.threads, 3U);
  EXPECT_EQ(seen.sighting.parent, 4705);
  EXPECT_EQ(seen.ticks, 1'382'940U);
  EXPECT_FALSE(seen.sighting.leader_gone || seen.sighting.dead);
}

// A tracer holds it, or a disk, and either may do so in the middle of an exec.
TEST(ProcStatReaderTest, WhoIsHeldIsToldFromWhoRuns) {
  for (const std::string state : {"t", "D"}) {
    EXPECT_TRUE(ParseStat(Stat("x", state)).sighting.exec_in_progress) << state;
  }
  for (const std::string state : {"R", "S", "T", "I", "Z"}) {
    EXPECT_FALSE(ParseStat(Stat("x", state)).sighting.exec_in_progress) << state;
  }
}

INSTANTIATE_TEST_SUITE_P(Names, ProcNameTest,
                         testing::Values(NameRow{"Plain", "bash"}, NameRow{"Empty", ""}, NameRow{"Blank", " "},
                                         NameRow{"Blanks", "Web Content"}, NameRow{"Opening", "("},
                                         NameRow{"Closing", ")"}, NameRow{"Brackets", "(sd-pam)"},
                                         NameRow{"TheOtherWay", ")x("}, NameRow{"LooksLikeTheRest", "a) Z 1 1 1 1 ("},
                                         NameRow{"EndsLikeTheRest", "a) Z 1 1 1"}, NameRow{"Newline", "a\nb"},
                                         NameRow{"EndsInNewline", "a\n"}, NameRow{"OnlyNewline", "\n"},
                                         NameRow{"NoUtf8", "\xFF\xFE\xC3"}, NameRow{"Controls", "\x01\x1B[0m"},
                                         NameRow{"Fifteen", "123456789abcdef"},
                                         NameRow{"AKernelThreadsLongName", "kworker/u8:1-events_unbound"}),
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
TEST_P(ProcStateTest, TellsWhoIsLeft) {
  const StateRow& row = GetParam();
  const ParsedStat seen = ParseStat(Stat("x", row.state, row.threads));
  ASSERT_TRUE(seen.whole);
  EXPECT_EQ(seen.sighting.threads, row.alive);
  EXPECT_EQ(seen.sighting.leader_gone, row.leader_gone);
  EXPECT_EQ(seen.sighting.dead, row.dead);
}
INSTANTIATE_TEST_SUITE_P(
    States, ProcStateTest,
    testing::Values(StateRow{"Sleeping", "S", "1", 1, false, false}, StateRow{"Running", "R", "8", 8, false, false},
                    StateRow{"InTheKernel", "D", "1", 1, false, false}, StateRow{"Stopped", "T", "2", 2, false, false},
                    StateRow{"Traced", "t", "2", 2, false, false}, StateRow{"Idle", "I", "1", 1, false, false},
                    StateRow{"LeaderGone", "Z", "3", 2, true, false},
                    StateRow{"LeaderGoneOneLeft", "Z", "2", 1, true, false},
                    StateRow{"Zombie", "Z", "1", 0, true, true}, StateRow{"DeadZombie", "Z", "0", 0, true, true},
                    StateRow{"Dead", "X", "0", 0, true, true}, StateRow{"DeadLeader", "X", "2", 1, true, false},
                    StateRow{"Released", "S", "0", 0, false, true}),
    [](const auto& row) { return row.param.name; });

TEST(ProcStatTextTest, WhatItSaysNothingOfStays) {
  ProcSnapshot sighting;
  sighting.tgid = 7;
  sighting.taken_ns = 8;
  sighting.start_ns = 9;
  sighting.euid = 10;
  sighting.egid = 11;
  std::uint64_t ticks = 0;
  ASSERT_TRUE(ParseProcStat(Stat("x"), sighting, ticks));
  EXPECT_EQ(sighting.tgid, 7);
  EXPECT_EQ(sighting.taken_ns, 8U);
  EXPECT_EQ(sighting.start_ns, 9U);
  EXPECT_EQ(sighting.euid, 10U);
  EXPECT_EQ(sighting.egid, 11U);
}

TEST(ProcStatTextTest, HugeNumbers) {
  EXPECT_EQ(ParseStat(Stat("x", "S", "4294967295")).sighting.threads, UINT32_MAX);
  EXPECT_FALSE(ParseStat(Stat("x", "S", "4294967296")).whole);
  EXPECT_EQ(ParseStat(Stat("x", "S", "1", "18446744073709551615")).ticks, UINT64_MAX);
  EXPECT_FALSE(ParseStat(Stat("x", "S", "1", "18446744073709551616")).whole);
  EXPECT_EQ(ParseStat(Stat("x", "S", "1", "0")).ticks, 0U) << "pid 1 of a container may start with the machine";
}

TEST(ProcStatTextTest, WhatIsNoNumberIsRefused) {
  for (const std::string_view number : {"-1", "+1", "1x", "x", "0x1", "1.5"}) {
    EXPECT_FALSE(ParseStat(Stat("x", "S", number)).whole) << number;
    EXPECT_FALSE(ParseStat(Stat("x", "S", "1", number)).whole) << number;
  }
}

TEST(ProcStatTextTest, BracketsThatDoNotMatchAreRefused) {
  for (const std::string_view text : {"", "(", ")", "()", "1 x S 1 1", "1 )x( S 1", "1 (x S 1"}) {
    EXPECT_FALSE(ParseStat(text).whole) << text;
  }
  std::string crossed = Stat("x");
  EXPECT_FALSE(ParseStat(crossed.replace(crossed.find("(x)"), 3, ")x(")).whole);
}

// A text that was cut in the last number is not known to be cut; all shorter ones are.
TEST(ProcStatTextTest, ACutTextIsRefusedAndChangesNothing) {
  const std::string text = Stat("a) S 1 (b");
  const std::size_t start = text.find("1382940");
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const ParsedStat seen = ParseStat(std::string_view(text).substr(0, length));
    EXPECT_EQ(seen.whole, length > start) << length;
    if (!seen.whole) {
      EXPECT_EQ(seen.sighting.name, CommName()) << length;
      EXPECT_EQ(seen.sighting.threads, 0U) << length;
      EXPECT_EQ(seen.ticks, 0U) << length;
    } else if (length > text.find(' ', start)) {
      EXPECT_EQ(seen.ticks, 1'382'940U) << length;
    }
  }
}

struct StatmRow {
  std::string name;
  std::string_view text;
  bool whole;
  bool held;
};
class ProcStatmTest : public testing::TestWithParam<StatmRow> {};
TEST_P(ProcStatmTest, TellsWhoIsInTheMiddleOfAnExec) {
  ProcSnapshot sighting;
  EXPECT_EQ(ParseProcStatm(GetParam().text, sighting), GetParam().whole);
  EXPECT_EQ(sighting.exec_in_progress, GetParam().held);
  sighting.exec_in_progress = true;
  EXPECT_EQ(ParseProcStatm(GetParam().text, sighting), GetParam().whole);
  EXPECT_TRUE(sighting.exec_in_progress) << "whom a tracer or a disk holds, it does not let go";
}
INSTANTIATE_TEST_SUITE_P(
    Texts, ProcStatmTest,
    testing::Values(StatmRow{"Running", "2178 1027 800 253 0 318 0\n", true, false},
                    StatmRow{"NewMemory", "33 1 0 0 0 32 0\n", true, true},
                    StatmRow{"Mapping", "2171 480 470 0 0 311 0\n", true, true},
                    StatmRow{"KernelThread", "0 0 0 0 0 0 0\n", true, false},
                    StatmRow{"OnePageOfCode", "1 0 0 1 0 0 0\n", true, false},
                    StatmRow{"Huge", "18446744073709551615 1 1 18446744073709551615 0 1 0\n", true, false},
                    StatmRow{"TooHuge", "18446744073709551616 1 1 0 0 1 0\n", false, false},
                    StatmRow{"CodeIsNoNumber", "2178 1027 800 x 0 318 0\n", false, false},
                    StatmRow{"SizeIsNoNumber", "-1 1027 800 0 0 318 0\n", false, false},
                    StatmRow{"Cut", "2178 1027 800 ", false, false}, StatmRow{"Empty", "", false, false}),
    [](const auto& row) { return row.param.name; });

struct StatusRow {
  std::string name;
  std::string_view text;
  bool whole;
  std::uint32_t euid;
  std::uint32_t egid;
};
class ProcStatusTest : public testing::TestWithParam<StatusRow> {};
TEST(ProcStatusTgidTest, MustBeThere) {
  ProcSnapshot sighting;
  EXPECT_FALSE(ParseProcStatus("Name:\tx\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n", sighting));
}

TEST_P(ProcStatusTest, TellsTheEffectiveIds) {
  ProcSnapshot sighting;
  sighting.euid = sighting.egid = 7;
  EXPECT_EQ(ParseProcStatus("\nTgid:\t9\n" + std::string(GetParam().text), sighting), GetParam().whole);
  EXPECT_EQ(sighting.tgid, 9);
  EXPECT_EQ(sighting.euid, GetParam().euid);
  EXPECT_EQ(sighting.egid, GetParam().egid);
}
INSTANTIATE_TEST_SUITE_P(
    Texts, ProcStatusTest,
    testing::Values(StatusRow{"Real",
                              "Name:\tx\nUmask:\t0022\nTgid:\t9\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nFDSize:\t64\n",
                              true, 2, 6},
                    StatusRow{"Root", "Name:\tx\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n", true, 0, 0},
                    StatusRow{"Swapped", "Name:\tx\nGid:\t5\t6\t7\t8\nUid:\t1\t2\t3\t4\n", true, 2, 6},
                    StatusRow{"Largest", "x\nUid:\t1\t4294967294\t3\t4\nGid:\t5\t4294967294\t7\t8\n", true,
                              kUnknownId - 1, kUnknownId - 1},
                    StatusRow{"TooLarge", "x\nUid:\t1\t4294967296\t3\t4\nGid:\t5\t6\t7\t8\n", false, kUnknownId, 6},
                    StatusRow{"Negative", "x\nUid:\t1\t-2\t3\t4\nGid:\t5\t6\t7\t8\n", false, kUnknownId, 6},
                    StatusRow{"NoGid", "x\nUid:\t1\t2\t3\t4\n", false, 2, kUnknownId},
                    StatusRow{"NoUid", "x\nGid:\t5\t6\t7\t8\n", false, kUnknownId, 6},
                    StatusRow{"Empty", "", false, kUnknownId, kUnknownId},
                    StatusRow{"OnlyTheReal", "x\nUid:\t1\nGid:\t5\n", false, kUnknownId, kUnknownId},
                    // The kernel writes a name's newline as backslash and n.
                    StatusRow{"ANameThatLies", "Name:\tUid:\t7\t7\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n", true, 2, 6},
                    StatusRow{"ANameThatLiesInTwoLines", "Name:\ta\\nUid:\t7\t7\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n",
                              true, 2, 6}),
    [](const auto& row) { return row.param.name; });

TEST(ProcStatusTextTest, ACutTextIsRefused) {
  constexpr std::string_view kText =
      "Name:\tx\nTgid:\t9\nUid:\t1000\t2000\t3\t4\nGid:\t5000\t6000\t7\t8\nGroups:\t6000 \n";
  const std::size_t enough = kText.find("6000");
  for (std::size_t length = 0; length <= kText.size(); ++length) {
    ProcSnapshot sighting;
    EXPECT_EQ(ParseProcStatus(kText.substr(0, length), sighting), length > enough) << length;
    EXPECT_TRUE(length < kText.find("\t3") || sighting.euid == 2000) << length;
    EXPECT_TRUE(length < kText.find("\t7") || sighting.egid == 6000) << length;
  }
}

}  // namespace
}  // namespace procevent
