#include "cmd/watch/captured_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cmd/watch/watch_capture.h"
#include "core/base/system.h"
#include "core/protocol/encoder.h"

// Which name and user a watch prints for the events of a capture.
namespace procevent {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using Kind = ProcRead::Kind;

constexpr std::uint64_t kTick = 100 * kNanosPerMilli;  // ten times the margin of a snapshot
constexpr Task kShell{100, 100};
constexpr Task kChild{101, 101};

// Builds a capture of one CPU in memory, and prints it.
class CapturedNamesTest : public testing::Test {
 protected:
  void Add(std::uint64_t time_ns, const Event::Body& body) { AddWithSequence(sequence_ + 1, time_ns, body); }
  void AddWithSequence(std::uint32_t sequence, std::uint64_t time_ns, const Event::Body& body) {
    sequence_ = sequence;
    AddPacket(time_ns, kConnectorFamily,
              EncodeEvent({.sequence = sequence,
                           .what = std::holds_alternative<UnknownBody>(body) ? 1024U : 0U,
                           .timestamp_ns = time_ns,
                           .body = body}));
  }
  void AddRecord(std::uint64_t time_ns, const Input& record) {
    RecordBuffer buffer;
    AddPacket(time_ns, kRecordFamily, EncodePacket(record, buffer).payload);
  }
  // With all earlier events before it.
  void AddSnapshot(Kind kind, const ProcSnapshot& snapshot) {
    AddRecord(snapshot.taken_ns, ProcRead{.kind = kind, .snapshot = snapshot});
    AddRecord(snapshot.taken_ns, Watermark{snapshot.taken_ns + kTick / 2});
  }
  void AddSnapshot(Kind kind, std::uint64_t taken_ns, std::int32_t pid, std::string_view name, std::uint32_t user = 7) {
    AddSnapshot(kind,
                {.tgid = pid, .taken_ns = taken_ns, .name = CommName(name), .threads = 1, .start_ns = 5, .euid = user});
  }

  // The command and the user of each event, and the losses.
  std::vector<std::string> Print(EventCoverage coverage = EventCoverage::kAll, const WatchOptions& options = {}) {
    WatchOptions as_json = options;
    as_json.json = true;
    std::string out;
    metadata_.coverage = coverage;
    EXPECT_TRUE(
        PrintCapturedEvents(Open(), CaptureSummary::ReadFrom(Open()).value(), as_json, out, [] { return true; }));
    std::vector<std::string> lines;
    std::istringstream text(out);
    for (std::string line; std::getline(text, line);) {
      lines.push_back(Shorten(line));
    }
    return lines;
  }

  CaptureMetadata metadata_{.cpus = 1};

 private:
  static void Append(std::string& bytes, const auto& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  static void AppendPacket(std::string& bytes, std::uint64_t time_ns, std::uint16_t family,
                           std::span<const std::byte> payload) {
    const auto size = static_cast<std::uint32_t>(kCookedHeaderBytes + payload.size());
    Append(bytes, std::array{static_cast<std::uint32_t>(time_ns / kNanosPerSecond),
                             static_cast<std::uint32_t>(time_ns % kNanosPerSecond), size, size});
    Append(bytes, MakeCookedHeader(family));
    bytes.append(reinterpret_cast<const char*>(payload.data()), payload.size());
  }
  void AddPacket(std::uint64_t time_ns, std::uint16_t family, std::span<const std::byte> payload) {
    AppendPacket(packets_, time_ns + metadata_.clock_offset_ns, family, payload);
  }
  CaptureFile Open() {
    constexpr std::uint32_t kNanosecondPcap = 0xA1B23C4D;
    constexpr std::uint32_t kVersion = 4U << 16U | 2U;
    constexpr std::uint32_t kMaxPacket = 65535;
    capture_.clear();
    Append(capture_, std::array<std::uint32_t, 6>{kNanosecondPcap, kVersion, 0, 0, kMaxPacket, kCaptureLinkType});
    RecordBuffer buffer;
    AppendPacket(capture_, metadata_.clock_offset_ns, kRecordFamily, EncodePacket(metadata_, buffer).payload);
    capture_ += packets_;
    return CaptureFile::Open(::fmemopen(capture_.data(), capture_.size(), "rb"), "memory").value();
  }

  static std::string Value(const std::string& line, const std::string& key) {
    const std::size_t at = line.find('"' + key + R"(":")");
    const std::size_t begin = at + key.size() + 4;
    return at == std::string::npos ? "-" : line.substr(begin, line.find('"', begin) - begin);
  }
  static std::string Shorten(const std::string& line) {
    return line.starts_with(R"({"lost")")
               ? "lost"
               : Value(line, "event") + ' ' + Value(line, "command") + ' ' + Value(line, "user");
  }

  std::string packets_;
  std::string capture_;
  std::uint32_t sequence_ = 0;
};

TEST_F(CapturedNamesTest, NamesProcessesOfTheStart) {
  Add(1 * kTick, SidBody{kShell});
  AddSnapshot(Kind::kBootstrap, 2 * kTick, 100, "sh");
  Add(3 * kTick, ForkBody{kShell, kChild});
  Add(4 * kTick, SidBody{kChild});
  EXPECT_THAT(Print(), ElementsAre("sid sh 7", "fork sh 7", "sid sh 7"));
}

TEST_F(CapturedNamesTest, NamesAProgramAtItsExec) {
  AddSnapshot(Kind::kBootstrap, 1 * kTick, 100, "sh");
  Add(2 * kTick, ForkBody{kShell, kChild});
  Add(3 * kTick, ExecBody{kChild});
  AddSnapshot(Kind::kNameOnly, 4 * kTick, 101, "date");
  Add(5 * kTick, ExecBody{kChild});
  Add(6 * kTick, ExitBody{kChild, 0, 17, kShell});
  EXPECT_THAT(Print(), ElementsAre("fork sh 7", "exec date 7", "exec - 7", "exit - 7"))
      << "the second program was never read";
}

// The event of a later exec may precede the snapshot in time, although it follows it in the capture.
TEST_F(CapturedNamesTest, DropsASnapshotBesideTheNextExec) {
  Add(3 * kTick, ExecBody{kShell});
  AddRecord(4 * kTick,
            ProcRead{.kind = Kind::kNameOnly,
                     .snapshot = {.tgid = 100, .taken_ns = 4 * kTick, .name = CommName("either"), .threads = 1}});
  Add(4 * kTick + kNanosPerMilli, ExecBody{kShell});
  AddSnapshot(Kind::kNameOnly, 5 * kTick, 100, "second");
  EXPECT_THAT(Print(), ElementsAre("exec - -", "exec second 7"));
}

TEST_F(CapturedNamesTest, IgnoresUnreliableNames) {
  Add(1 * kTick, SidBody{kShell});
  AddSnapshot(Kind::kFull,
              {.tgid = 100, .taken_ns = kTick, .name = CommName("failed"), .threads = 1, .without_memory = true});
  AddSnapshot(Kind::kHidden, {.tgid = 100, .taken_ns = kTick, .name = {}});
  EXPECT_THAT(Print(), ElementsAre("sid - -"));
}

TEST_F(CapturedNamesTest, ReusedPidHasNoOldName) {
  AddSnapshot(Kind::kBootstrap, 1 * kTick, 101, "old");
  Add(2 * kTick, ExitBody{kChild, 0, 17, kShell});
  Add(3 * kTick, ForkBody{kShell, kChild});
  Add(4 * kTick, SidBody{kChild});
  EXPECT_THAT(Print(), ElementsAre("exit old 7", "fork - -", "sid - -"));
}

// A lost event may have been an exec: the snapshot is valid only from the loss on.
TEST_F(CapturedNamesTest, LossesEndNames) {
  AddSnapshot(Kind::kBootstrap, 1 * kTick, 100, "sh");
  AddWithSequence(1, 2 * kTick, SidBody{kShell});
  AddSnapshot(Kind::kBootstrap, 3 * kTick, 101, "between");
  AddWithSequence(9, 4 * kTick, SidBody{kShell});
  Add(5 * kTick, SidBody{kChild});
  AddSnapshot(Kind::kFull, 6 * kTick, 100, "bash", 8);
  EXPECT_THAT(Print(), ElementsAre("sid sh 7", "lost", "sid bash 8", "sid - -"));
  EXPECT_THAT(Print(EventCoverage::kLifecycle), ElementsAre("sid sh 7", "sid sh 7", "sid between 7"))
      << "the gaps of a narrowed subscription are no losses";
}

TEST_F(CapturedNamesTest, InvalidationsEndNames) {
  AddSnapshot(Kind::kBootstrap, 1 * kTick, 100, "sh");
  Add(2 * kTick, SidBody{kShell});
  AddRecord(2 * kTick, Invalidation{});
  AddSnapshot(Kind::kFull, 3 * kTick, 100, "bash", 8);
  Add(4 * kTick, SidBody{kShell});
  EXPECT_THAT(Print(), ElementsAre("sid sh 7", "sid bash 8"));
}

TEST_F(CapturedNamesTest, UserBeforeAChangeIsUnknown) {
  Add(1 * kTick, ExecBody{kShell});
  Add(2 * kTick, UidBody{kShell, 9, 9});
  AddSnapshot(Kind::kNameOnly, 3 * kTick, 100, "su", 9);
  EXPECT_THAT(Print(), ElementsAre("exec su -", "uid su 9"));
}

TEST_F(CapturedNamesTest, AnotherThreadHasAUserOfItsOwn) {
  Add(1 * kTick, ExecBody{kShell});
  Add(2 * kTick, UidBody{{103, 100}, 9, 9});
  AddSnapshot(Kind::kFull, 3 * kTick, 100, "server", 7);
  EXPECT_THAT(Print(), ElementsAre("exec server 7", "uid server 7"));
}

// The kernel renames a new kernel thread without an event.
TEST_F(CapturedNamesTest, NewKernelThreadHasNoName) {
  Add(1 * kTick, ForkBody{{2, 2}, kChild});
  AddSnapshot(Kind::kNameOnly, 2 * kTick, 101, "kthreadd");
  AddSnapshot(Kind::kNameOnly, 2 * kTick, 100, "kthreadd");
  Add(3 * kTick, SidBody{kChild});
  AddSnapshot(Kind::kFull, 4 * kTick, 101, "kworker/0:1");
  Add(5 * kTick, SidBody{kShell});
  EXPECT_THAT(Print(), ElementsAre("fork - -", "sid kworker/0:1 7", "sid kthreadd 7"))
      << "another program may have the name of kthreadd";
}

TEST_F(CapturedNamesTest, LaterSnapshotAddsTheUser) {
  Add(1 * kTick, ExecBody{kShell});
  AddSnapshot(Kind::kNameOnly, 2 * kTick, 100, "sh", kUnknownId);
  AddSnapshot(Kind::kFull, 3 * kTick, 100, "sh", 8);
  Add(4 * kTick, SidBody{kShell});
  EXPECT_THAT(Print(), ElementsAre("exec sh 8", "sid sh 8"));
}

// The name is known before the period of the process ends, and the events in between are printed with it.
TEST_F(CapturedNamesTest, NamesAreFoundWithinTheWindow) {
  Add(1 * kTick, ExecBody{kShell});
  AddSnapshot(Kind::kNameOnly, 10 * kTick, 100, "soon");
  Add(50 * kTick, ExecBody{kChild});
  AddSnapshot(Kind::kNameOnly, 80 * kTick, 101, "late");
  for (std::uint64_t at = 81; at < 120; ++at) {
    Add(at * kTick, SidBody{kChild});
  }
  const auto lines = Print();
  ASSERT_THAT(lines, SizeIs(41));
  EXPECT_EQ(lines[0], "exec soon 7");
  EXPECT_EQ(lines[1], "exec - -") << "2 seconds are read ahead";
  EXPECT_EQ(lines[2], "sid late 7");
}

// More programs than the names of a watch are bounded to.
TEST_F(CapturedNamesTest, KeepsTheNamesToComeWhenItIsFull) {
  constexpr std::int32_t kPrograms = 70'000;
  constexpr std::int32_t kReadLater = 500;
  constexpr std::uint64_t kInterval = 50'000;
  for (std::int32_t i = 1; i <= kPrograms + kReadLater; ++i) {
    const std::uint64_t now = kTick + static_cast<std::uint64_t>(i) * kInterval;
    if (i <= kPrograms) {
      Add(now, ExecBody{{i, i}});
    }
    if (i > kReadLater) {
      AddRecord(now, ProcRead{.kind = Kind::kNameOnly,
                              .snapshot = {.tgid = i - kReadLater,
                                           .taken_ns = now,
                                           .name = CommName(std::to_string(i - kReadLater)),
                                           .threads = 1}});
      AddRecord(now, Watermark{now});
    }
  }
  const auto lines = Print();
  ASSERT_THAT(lines, SizeIs(kPrograms));
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    wrong += lines[i] == "exec " + std::to_string(i + 1) + " -" ? 0U : 1U;
  }
  EXPECT_EQ(wrong, 0U);
}

TEST_F(CapturedNamesTest, WindowIsBoundedInBytes) {
  const std::vector<std::byte> large(60'000);
  Add(1 * kTick, ExecBody{kShell});
  for (int i = 0; i < 600; ++i) {
    Add(1 * kTick + 1, UnknownBody{large});
  }
  AddSnapshot(Kind::kNameOnly, 2 * kTick, 100, "sh");
  Add(3 * kTick, SidBody{kShell});
  EventTypes types = AllTypesButAck();
  types.at(static_cast<std::size_t>(EventKind::kUnknown)) = false;
  EXPECT_THAT(Print(EventCoverage::kAll, {.types = types}), ElementsAre("exec - -", "sid sh 7"));
}

// The FORK of the second process was lost.
TEST_F(CapturedNamesTest, ReusedPidAfterALoss) {
  AddSnapshot(Kind::kBootstrap,
              {.tgid = 100, .taken_ns = kTick, .name = CommName("old"), .threads = 1, .start_ns = 5, .euid = 7});
  Add(2 * kTick, UidBody{kShell, 9, 9});
  Add(3 * kTick, ExitBody{kShell, 0, 17, kChild});
  AddWithSequence(9, 3 * kTick, SidBody{kChild});
  AddSnapshot(
      Kind::kFull,
      {.tgid = 100, .taken_ns = 4 * kTick, .name = CommName("new"), .threads = 1, .start_ns = 3 * kTick, .euid = 8});
  Add(5 * kTick, SidBody{kShell});
  EXPECT_THAT(Print(), ElementsAre("uid old 9", "exit old 9", "lost", "sid - -", "sid new 8"));
}

TEST_F(CapturedNamesTest, DurationOfAHostileClock) {
  metadata_.clock_offset_ns = std::numeric_limits<std::uint32_t>::max() * kNanosPerSecond;
  Add(0, SidBody{kShell});
  EXPECT_THAT(
      Print(EventCoverage::kAll, {.duration = std::chrono::milliseconds(std::numeric_limits<std::int64_t>::max())}),
      SizeIs(1));
  EXPECT_THAT(Print(EventCoverage::kAll, {.duration = std::chrono::milliseconds(0)}), SizeIs(0));
}

}  // namespace
}  // namespace procevent
