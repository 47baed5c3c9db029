#include "core/protocol/event.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/event_mask.h"

namespace procevent {

namespace {

using namespace std::string_view_literals;

struct NameRow {
  std::string name;
  std::string_view bytes;
  std::string_view kept;
};
class CommNameTableTest : public testing::TestWithParam<NameRow> {};
TEST_P(CommNameTableTest, Keeps) { EXPECT_EQ(CommName(GetParam().bytes).view(), GetParam().kept); }
INSTANTIATE_TEST_SUITE_P(Names, CommNameTableTest,
                         testing::Values(NameRow{"Empty", "", ""}, NameRow{"Plain", "bash", "bash"},
                                         NameRow{"Fifteen", "123456789abcdef", "123456789abcdef"},
                                         NameRow{"Sixteen", "123456789abcdefg", "123456789abcdef"},
                                         NameRow{"AWorkersLongName", "kworker/u16:3-events_unbound", "kworker/u16:3-e"},
                                         NameRow{"EndsAtNul", "ab\0cd"sv, "ab"}, NameRow{"OnlyNul", "\0ab"sv, ""},
                                         NameRow{"NulAfterFifteen", "123456789abcdef\0x"sv, "123456789abcdef"},
                                         NameRow{"AnyOtherByte", "\xFF\x01\n\x7F", "\xFF\x01\n\x7F"}),
                         [](const auto& row) { return row.param.name; });

std::array<char, kCommSize> FieldOf(std::string_view bytes) {
  std::array<char, kCommSize> field{};
  std::ranges::copy(bytes, field.begin());
  return field;
}

TEST(CommNameTest, WhatFollowsTheNulIsNoPartOfIt) {
  const CommName dirty(FieldOf("ab\0cdefghijklmn"sv));
  EXPECT_EQ(dirty, CommName("ab"));
  EXPECT_EQ(dirty.hash(), CommName("ab").hash());
}

TEST(CommNameTest, AFieldWithoutNulIsCut) {
  EXPECT_EQ(CommName(FieldOf("0123456789abcdef")).view(), "0123456789abcde");
}

TEST(CommNameTest, NamesDiffer) {
  EXPECT_NE(CommName("bash"), CommName("bas"));
  EXPECT_NE(CommName("bash"), CommName());
  EXPECT_EQ(CommName(), CommName(""));
}

// The comm table looks at the low bits.
TEST(CommNameTest, HashesScatter) {
  constexpr std::size_t kPlaces = 4096;
  const auto families = std::to_array<std::string_view>({"", "kworker/", "rename-", "aaaaaaaa", "worker-pool"});
  for (const std::string_view family : families) {
    std::set<std::uint64_t> hashes;
    std::vector<int> places(kPlaces);
    for (std::size_t i = 0; i < kPlaces; ++i) {
      const std::uint64_t hash = CommName(std::string(family) + std::to_string(i)).hash();
      hashes.insert(hash);
      ++places[hash % kPlaces];
    }
    EXPECT_EQ(hashes.size(), kPlaces) << family;
    EXPECT_LT(std::ranges::max(places), 12) << family;
    EXPECT_LT(std::ranges::count(places, 0), kPlaces * 45 / 100) << family << ": 37 % if they fell at random";
  }
}

}  // namespace

namespace {

struct MaskRow {
  EventKind kind;
  std::uint32_t bits;
};

TEST(EventMaskTest, BitsOfEachKind) {
  const std::vector<MaskRow> rows{
      {EventKind::kAck, 0},           {EventKind::kFork, 0x1},   {EventKind::kExec, 0x2},
      {EventKind::kExit, 0xa0000000},  // both forms: the filter's and the event's
      {EventKind::kUid, 0x4},         {EventKind::kGid, 0x40},   {EventKind::kSid, 0x80},
      {EventKind::kPtrace, 0x100},    {EventKind::kComm, 0x200}, {EventKind::kCoredump, 0x40000000},
      {EventKind::kUnknown, 0},
  };
  ASSERT_EQ(rows.size(), kEventKinds);
  EventMask all = EventMask::None();
  for (const MaskRow& row : rows) {
    const EventMask alone = EventMask::None().With(row.kind);
    EXPECT_EQ(alone.bits(), row.bits) << kEventNames[static_cast<std::size_t>(row.kind)];
    for (const MaskRow& other : rows) {
      EXPECT_EQ(alone.Has(other.kind), other.kind == row.kind && row.bits != 0);
    }
    EXPECT_EQ(EventMask::All().Has(row.kind), row.bits != 0);
    EXPECT_FALSE(EventMask::None().Has(row.kind));
    all = all.With(row.kind);
  }
  EXPECT_EQ(all, EventMask::All());
  EXPECT_EQ(EventMask::All().bits(), 0xe00003c7U);
}

TEST(EventMaskTest, WithTwiceIsOnce) {
  const EventMask once = EventMask::None().With(EventKind::kFork).With(EventKind::kExit);
  EXPECT_EQ(once.With(EventKind::kFork), once);
  EXPECT_EQ(once.bits(), 0xa0000001U);
}

}  // namespace

namespace {

struct StatusRow {
  std::string_view name;
  std::uint32_t wait_status;
  WaitStatus expected;
};

TEST(WaitStatusTest, Table) {
  const std::vector<StatusRow> rows{
      {"true", 0x0000, {}},
      {"false", 0x0100, {.status = 1}},
      {"command not found", 0x7f00, {.status = 127}},
      {"the highest status", 0xff00, {.status = 255}},
      {"bits above the status mean nothing", 0xffff0200, {.status = 2}},
      {"SIGHUP", 0x0001, {.signal = 1}},
      {"SIGKILL", 0x0009, {.signal = 9}},
      {"SIGTERM", 0x000f, {.signal = 15}},
      {"SIGSEGV, core dumped", 0x008b, {.signal = 11, .core_dumped = true}},
      {"SIGABRT, no core", 0x0006, {.signal = 6}},
      {"the last real-time signal", 0x0040, {.signal = 64}},
      {"a signal hides the status", 0x0509, {.signal = 9}},
      {"no core without a signal", 0x0380, {.status = 3}},
      {"stopped cannot be", 0x137f, {.signal = 127}},
  };
  for (const StatusRow& row : rows) {
    EXPECT_EQ(DecodeWaitStatus(row.wait_status), row.expected) << row.name;
  }
}

// The C library's macros say the same of every status that can be.
TEST(WaitStatusTest, AgreesWithTheCLibrary) {
  for (std::uint32_t raw = 0; raw <= 0xffff; ++raw) {
    const auto status = static_cast<int>(raw);
    const WaitStatus ours = DecodeWaitStatus(raw);
    if (WIFEXITED(status)) {
      ASSERT_EQ(ours, (WaitStatus{.status = static_cast<std::uint8_t>(WEXITSTATUS(status))})) << raw;
    } else if (WIFSIGNALED(status)) {
      const auto signal = static_cast<std::uint8_t>(WTERMSIG(status));
      ASSERT_EQ(ours, (WaitStatus{.signal = signal, .core_dumped = WCOREDUMP(status) != 0})) << raw;
    }
  }
}

TEST(SignalNameTest, IsWhatGlibcCallsIt) {
  for (int signal = 1; signal < 32; ++signal) {
    EXPECT_EQ(SignalName(static_cast<unsigned>(signal)),
              signal == 29 ? "SIGIO" : "SIG" + std::string(::sigabbrev_np(signal)))
        << signal;
  }
}

TEST(SignalNameTest, RealTimeSignalsCountFromTheFirst) {
  EXPECT_EQ(SignalName(32), "SIG32");
  EXPECT_EQ(SignalName(33), "SIG33");
  EXPECT_EQ(SignalName(34), "SIGRTMIN");
  EXPECT_EQ(SignalName(35), "SIGRTMIN+1");
  EXPECT_EQ(SignalName(64), "SIGRTMIN+30");
  EXPECT_EQ(SignalName(65), "SIG65");
  EXPECT_EQ(SignalName(127), "SIG127");
  EXPECT_EQ(SignalName(0), "SIG0");
}

TEST(SignalNameTest, WhatEndsAProcessByDefault) {
  EXPECT_TRUE(EndsByDefault(9));
  EXPECT_TRUE(EndsByDefault(31));
  EXPECT_FALSE(EndsByDefault(17));  // SIGCHLD
  EXPECT_FALSE(EndsByDefault(28));  // SIGWINCH
  EXPECT_FALSE(EndsByDefault(0));
  EXPECT_FALSE(EndsByDefault(32));
}

}  // namespace

}  // namespace procevent
