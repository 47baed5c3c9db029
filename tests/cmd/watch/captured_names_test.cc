#include "cmd/watch/captured_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "cmd/watch/event_printer.h"
#include "core/base/system.h"
#include "core/protocol/encoder.h"

// Which name and user a watch prints for the events of a capture.
namespace procevent {
namespace {

using testing::ElementsAre;
using Kind = CapturedProcSnapshot::Kind;

constexpr std::uint64_t kSecond = kNanosPerSecond;
constexpr Task kShell{100, 100};
constexpr Task kChild{101, 101};

// Builds a capture of one CPU in memory, and prints it.
class CapturedNamesTest : public testing::Test {
 protected:
  void Add(std::uint64_t time_ns, const Event::Body& body) { AddWithSequence(++sequence_, time_ns, body); }
  void AddWithSequence(std::uint32_t sequence, std::uint64_t time_ns, const Event::Body& body) {
    sequence_ = sequence;
    packets_.push_back({CapturedPacket::Kind::kDatagram,
                        EncodeEvent({.sequence = sequence, .what = 0, .timestamp_ns = time_ns, .body = body})});
  }
  void AddRecord(const CaptureRecord& record) {
    RecordBuffer buffer;
    const auto bytes = EncodeRecord(record, buffer);
    packets_.push_back({CapturedPacket::Kind::kRecord, Bytes(bytes.begin(), bytes.end())});
  }
  void AddSnapshot(Kind kind, std::uint64_t taken_ns, std::int32_t pid, std::string_view name, std::uint32_t user = 7) {
    AddRecord(CapturedProcSnapshot{
        .kind = kind,
        .snapshot = {
            .tgid = pid, .taken_ns = taken_ns, .name = CommName(name), .threads = 1, .start_ns = 5, .euid = user}});
  }

  // The command and the user of each event, and the losses.
  std::vector<std::string> Print(EventCoverage coverage = EventCoverage::kAll) {
    CaptureSummary summary;
    summary.coverage = coverage;
    summary.events_per_cpu = {sequence_};
    CapturedNames names(summary);
    for (const Packet& packet : packets_) {
      names.Add({.kind = packet.kind, .payload = packet.bytes});
    }
    names.Finish();
    EventPrinter printer({.json = true}, [](const CommBody& /*comm*/) { return false; },
                         {.cpus = 1,
                          .gaps_are_losses = coverage == EventCoverage::kAll,
                          .local_users = false,
                          .processes = {.proc = ""},
                          .update_table = [&names](ProcessTable& table) { names.ApplyNextStep(table); }});
    std::string out;
    printer.BeginWithoutProc(out);
    std::vector<std::string> lines;
    for (const Packet& packet : packets_) {
      if (packet.kind == CapturedPacket::Kind::kRecord) {
        if (std::holds_alternative<CapturedInvalidation>(*DecodeRecord(packet.bytes))) {
          printer.Invalidate();
        }
        continue;
      }
      ForEachMessage(packet.bytes, [&](const Message& message) { printer.Print(message, 0, out); });
      for (std::size_t end = 0; (end = out.find('\n')) != std::string::npos; out.erase(0, end + 1)) {
        lines.push_back(Shorten(out.substr(0, end)));
      }
    }
    return lines;
  }

 private:
  struct Packet {
    CapturedPacket::Kind kind;
    Bytes bytes;
  };

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

  std::vector<Packet> packets_;
  std::uint32_t sequence_ = 0;
};

TEST_F(CapturedNamesTest, NamesProcessesOfTheStart) {
  Add(1 * kSecond, SidBody{kShell});
  AddSnapshot(Kind::kBootstrap, 2 * kSecond, 100, "sh");
  Add(3 * kSecond, ForkBody{kShell, kChild});
  Add(4 * kSecond, SidBody{kChild});
  EXPECT_THAT(Print(), ElementsAre("sid sh 7", "fork sh 7", "sid sh 7"));
}

TEST_F(CapturedNamesTest, NamesAProgramAtItsExec) {
  AddSnapshot(Kind::kBootstrap, 1 * kSecond, 100, "sh");
  Add(2 * kSecond, ForkBody{kShell, kChild});
  Add(3 * kSecond, ExecBody{kChild});
  AddSnapshot(Kind::kNameOnly, 4 * kSecond, 101, "date");
  Add(5 * kSecond, ExecBody{kChild});
  Add(6 * kSecond, ExitBody{kChild, 0, 17, kShell});
  EXPECT_THAT(Print(), ElementsAre("fork sh 7", "exec date 7", "exec - 7", "exit - 7"))
      << "the second program was never read";
}

// The event of a later exec may precede the snapshot in time, although it follows it in the capture.
TEST_F(CapturedNamesTest, DropsASnapshotBesideTheNextExec) {
  Add(3 * kSecond, ExecBody{kShell});
  AddSnapshot(Kind::kNameOnly, 4 * kSecond, 100, "either");
  Add(4 * kSecond + kNanosPerMilli, ExecBody{kShell});
  AddSnapshot(Kind::kNameOnly, 5 * kSecond, 100, "second");
  EXPECT_THAT(Print(), ElementsAre("exec - -", "exec second 7"));
}

TEST_F(CapturedNamesTest, IgnoresUnreliableNames) {
  Add(1 * kSecond, SidBody{kShell});
  AddRecord(CapturedProcSnapshot{
      .kind = Kind::kFull,
      .snapshot = {
          .tgid = 100, .taken_ns = kSecond, .name = CommName("failed"), .threads = 1, .without_memory = true}});
  AddRecord(CapturedProcSnapshot{.kind = Kind::kHidden, .snapshot = {.tgid = 100, .taken_ns = kSecond, .name = {}}});
  AddSnapshot(Kind::kReconciliation, 2 * kSecond, 100, "kthreadd");
  EXPECT_THAT(Print(), ElementsAre("sid - -"));
}

TEST_F(CapturedNamesTest, ReusedPidHasNoOldName) {
  AddSnapshot(Kind::kBootstrap, 1 * kSecond, 101, "old");
  Add(2 * kSecond, ExitBody{kChild, 0, 17, kShell});
  Add(3 * kSecond, ForkBody{kShell, kChild});
  Add(4 * kSecond, SidBody{kChild});
  EXPECT_THAT(Print(), ElementsAre("exit old 7", "fork - -", "sid - -"));
}

// A lost event may have been an exec: the snapshot is valid only from the loss on.
TEST_F(CapturedNamesTest, LossesEndNames) {
  AddSnapshot(Kind::kBootstrap, 1 * kSecond, 100, "sh");
  AddWithSequence(1, 2 * kSecond, SidBody{kShell});
  AddSnapshot(Kind::kBootstrap, 3 * kSecond, 101, "between");
  AddWithSequence(9, 4 * kSecond, SidBody{kShell});
  Add(5 * kSecond, SidBody{kChild});
  AddSnapshot(Kind::kFull, 6 * kSecond, 100, "bash", 8);
  EXPECT_THAT(Print(), ElementsAre("sid sh 7", "lost", "sid bash 8", "sid - -"));
  EXPECT_THAT(Print(EventCoverage::kLifecycle), ElementsAre("sid sh 7", "sid sh 7", "sid between 7"))
      << "the gaps of a narrowed subscription are no losses";
}

TEST_F(CapturedNamesTest, InvalidationsEndNames) {
  AddSnapshot(Kind::kBootstrap, 1 * kSecond, 100, "sh");
  Add(2 * kSecond, SidBody{kShell});
  AddRecord(CapturedInvalidation{});
  AddSnapshot(Kind::kFull, 3 * kSecond, 100, "bash", 8);
  Add(4 * kSecond, SidBody{kShell});
  EXPECT_THAT(Print(), ElementsAre("sid sh 7", "sid bash 8"));
}

TEST_F(CapturedNamesTest, UserBeforeAChangeIsUnknown) {
  Add(1 * kSecond, ExecBody{kShell});
  Add(2 * kSecond, UidBody{kShell, 9, 9});
  AddSnapshot(Kind::kNameOnly, 3 * kSecond, 100, "su", 9);
  EXPECT_THAT(Print(), ElementsAre("exec su -", "uid su 9"));
}

}  // namespace
}  // namespace procevent
