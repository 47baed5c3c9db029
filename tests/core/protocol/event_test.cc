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
  std::string_view expected;
};
class CommNameTableTest : public testing::TestWithParam<NameRow> {};
TEST_P(CommNameTableTest, KeepsExpectedBytes) { EXPECT_EQ(CommName(GetParam().bytes).view(), GetParam().expected); }
INSTANTIATE_TEST_SUITE_P(Names, CommNameTableTest,
                         testing::Values(NameRow{"Empty", "", ""}, NameRow{"Plain", "bash", "bash"},
                                         NameRow{"Fifteen", "123456789abcdef", "123456789abcdef"},
                                         NameRow{"Sixteen", "123456789abcdefg", "123456789abcdef"},
                                         NameRow{"LongWorkerName", "kworker/u16:3-events_unbound", "kworker/u16:3-e"},
                                         NameRow{"EndsAtNul", "ab\0cd"sv, "ab"}, NameRow{"OnlyNul", "\0ab"sv, ""},
                                         NameRow{"NulAfterFifteen", "123456789abcdef\0x"sv, "123456789abcdef"},
                                         NameRow{"AnyOtherByte", "\xFF\x01\n\x7F", "\xFF\x01\n\x7F"}),
                         [](const auto& row) { return row.param.name; });

TEST(MakeBodyTest, MakesZerosOfEveryKind) {
  for (std::size_t kind = 0; kind < kEventKinds; ++kind) {
    EXPECT_EQ(MakeBody(static_cast<EventKind>(kind)).index(), kind);
  }
  EXPECT_EQ(std::get<ExitBody>(MakeBody(EventKind::kExit)), ExitBody{});
}

TEST(EventNamesTest, AreInTheOrderOfKinds) {
  EXPECT_EQ(kEventNames.front(), "ack");
  EXPECT_EQ(kEventNames.at(static_cast<std::size_t>(EventKind::kExit)), "exit");
  EXPECT_EQ(kEventNames.back(), "unknown");
  EXPECT_EQ(std::set(kEventNames.begin(), kEventNames.end()).size(), kEventKinds);
}

std::array<char, kCommSize> FieldOf(std::string_view bytes) {
  std::array<char, kCommSize> field{};
  std::ranges::copy(bytes, field.begin());
  return field;
}

TEST(CommNameTest, IgnoresBytesAfterNul) {
  const CommName name(FieldOf("ab\0cdefghijklmn"sv));
  EXPECT_EQ(name, CommName("ab"));
}

TEST(CommNameTest, TruncatesFieldWithoutNul) {
  EXPECT_EQ(CommName(FieldOf("0123456789abcdef")).view(), "0123456789abcde");
}

TEST(CommNameTest, ComparesNames) {
  EXPECT_NE(CommName("bash"), CommName("bas"));
  EXPECT_NE(CommName("bash"), CommName());
  EXPECT_EQ(CommName(), CommName(""));
}

struct MaskRow {
  EventKind kind;
  std::uint32_t bits;
};

TEST(EventMaskTest, MapsKindsToBits) {
  const std::vector<MaskRow> rows{
      {EventKind::kAck, 0},           {EventKind::kFork, 0x1},   {EventKind::kExec, 0x2},
      {EventKind::kExit, 0xa0000000},  // both bits: filter and event
      {EventKind::kUid, 0x4},         {EventKind::kGid, 0x40},   {EventKind::kSid, 0x80},
      {EventKind::kPtrace, 0x100},    {EventKind::kComm, 0x200}, {EventKind::kCoredump, 0x40000000},
      {EventKind::kUnknown, 0},
  };
  ASSERT_EQ(rows.size(), kEventKinds);
  EventMask all = EventMask::None();
  for (const MaskRow& row : rows) {
    const EventMask single = EventMask::None().With(row.kind);
    EXPECT_EQ(single.bits(), row.bits) << kEventNames[static_cast<std::size_t>(row.kind)];
    for (const MaskRow& other : rows) {
      EXPECT_EQ(single.Has(other.kind), other.kind == row.kind && row.bits != 0);
    }
    EXPECT_EQ(EventMask::All().Has(row.kind), row.bits != 0);
    EXPECT_FALSE(EventMask::None().Has(row.kind));
    all = all.With(row.kind);
  }
  EXPECT_EQ(all, EventMask::All());
  EXPECT_EQ(EventMask::All().bits(), 0xe00003c7U);
}

TEST(EventMaskTest, WithIsIdempotent) {
  const EventMask once = EventMask::None().With(EventKind::kFork).With(EventKind::kExit);
  EXPECT_EQ(once.With(EventKind::kFork), once);
  EXPECT_EQ(once.bits(), 0xa0000001U);
}

struct StatusRow {
  std::string_view name;
  std::uint32_t wait_status;
  WaitStatus expected;
};

TEST(WaitStatusTest, DecodesStatusAndSignal) {
  const std::vector<StatusRow> rows{
      {"success", 0x0000, {}},
      {"status 1", 0x0100, {.status = 1}},
      {"command not found", 0x7f00, {.status = 127}},
      {"maximum status", 0xff00, {.status = 255}},
      {"ignores bits above the status", 0xffff0200, {.status = 2}},
      {"SIGHUP", 0x0001, {.signal = 1}},
      {"SIGKILL", 0x0009, {.signal = 9}},
      {"SIGTERM", 0x000f, {.signal = 15}},
      {"SIGSEGV, core dumped", 0x008b, {.signal = 11, .core_dumped = true}},
      {"SIGABRT, no core", 0x0006, {.signal = 6}},
      {"last real-time signal", 0x0040, {.signal = 64}},
      {"signal overrides the status", 0x0509, {.signal = 9}},
      {"ignores the core bit without a signal", 0x0380, {.status = 3}},
      {"0x7f is signal 127", 0x137f, {.signal = 127}},
  };
  for (const StatusRow& row : rows) {
    EXPECT_EQ(DecodeWaitStatus(row.wait_status), row.expected) << row.name;
  }
}

TEST(WaitStatusTest, MatchesCLibraryMacros) {
  for (std::uint32_t raw = 0; raw <= 0xffff; ++raw) {
    const auto status = static_cast<int>(raw);
    const WaitStatus decoded = DecodeWaitStatus(raw);
    if (WIFEXITED(status)) {
      ASSERT_EQ(decoded, (WaitStatus{.status = static_cast<std::uint8_t>(WEXITSTATUS(status))})) << raw;
    } else if (WIFSIGNALED(status)) {
      const auto signal = static_cast<std::uint8_t>(WTERMSIG(status));
      ASSERT_EQ(decoded, (WaitStatus{.signal = signal, .core_dumped = WCOREDUMP(status) != 0})) << raw;
    }
  }
}

}  // namespace
}  // namespace procevent
