#include "core/reader/replayer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <thread>

#include "core/base/fatal_error.h"
#include "core/base/system.h"
#include "core/protocol/encoder.h"
#include "core/sources/capture/capture_writer.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint64_t kOffset = 1'700'000'000 * kNanosPerSecond;
constexpr std::uint64_t kStart = 5'000 * kNanosPerSecond;

// An error that names the file, the cause and the remedy.
auto IsCaptureError(const char* cause, const char* remedy) {
  return AllOf(HasSubstr("cannot use the capture "), HasSubstr("a.pcap"), HasSubstr(cause), HasSubstr(remedy));
}

class ReplayerTest : public testing::Test {
 protected:
  ReplayerTest() {
    std::string name = testing::TempDir() + "procevent_replay_XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    options_.file = directory_ / "a.pcap";
    options_.speed = 0;
    writer_ = std::make_unique<CaptureWriter>(options_.file);
  }
  ~ReplayerTest() override { std::filesystem::remove_all(directory_); }

  // Writes a record, or an event of the next sequence number of its CPU, at a time of the capture.
  template <typename Record>
  void Write(std::uint64_t at_ns, const Record& record) {
    RecordBuffer buffer;
    writer_->Write(kOffset + kStart + at_ns, kRecordFamily, EncodePacket(record, buffer).payload);
  }
  void Write(std::uint64_t at_ns, std::uint32_t cpu, const Event::Body& body, std::uint32_t what) {
    Event event;
    event.body = body;
    event.what = what;
    event.cpu = cpu;
    event.sequence = ++sequence_.at(cpu);
    event.timestamp_ns = kStart + at_ns;
    writer_->Write(kOffset + kStart + at_ns + 1000, kConnectorFamily, EncodeEvent(event));
  }
  // Writes a record without fields whose head has another version or kind, at the end of the capture.
  void WriteInvalidation(std::uint8_t version, std::uint8_t kind) {
    RecordBuffer buffer;
    const EncodedPacket packet = EncodePacket(Invalidation{}, buffer);
    buffer.at(23) = std::byte{version};
    buffer.at(4) = std::byte{kind};
    writer_->Write(kOffset + kStart + 10 * kNanosPerSecond, packet.family, packet.payload);
  }
  void Lose(std::uint32_t cpu, std::uint32_t events) { sequence_.at(cpu) += events; }

  // A shell, in the bootstrap snapshot, forks `children` children. Each of them exits with 3 after a millisecond.
  void WriteFamily(int children, std::uint64_t every_ns = kNanosPerMilli) {
    Write(0, CaptureMetadata{.clock_offset_ns = kOffset, .cpus = 2});
    ProcRead shell;
    shell.snapshot.tgid = 100;
    shell.snapshot.taken_ns = kStart;
    shell.snapshot.name = CommName("shell");
    shell.snapshot.threads = 1;
    shell.snapshot.start_ns = 1;
    Write(0, shell);
    for (int i = 0; i < children; ++i) {
      const std::uint64_t at = kNanosPerSecond + static_cast<std::uint64_t>(i) * every_ns;
      const Task child{1000 + i, 1000 + i};
      Write(at, 0, ForkBody{{100, 100}, child}, 1);
      Write(at + kNanosPerMilli, 1, ExitBody{child, 3 << 8, 17, {100, 100}}, 0x80000000);
    }
    const std::uint64_t end = kNanosPerSecond + static_cast<std::uint64_t>(children) * every_ns;
    Write(end, Watermark{kStart + end});
  }

  Replayer& Start() {
    static_cast<void>(writer_->Finish());
    replayer_ =
        std::make_unique<Replayer>(ValueOrThrow(StoredCapture::Open(options_.file)), options_, counting_options_);
    replayer_->Start();
    return *replayer_;
  }

  Snapshot TakeSnapshot() {
    Snapshot snapshot(2);
    EXPECT_EQ(replayer_->exchange().CopySnapshot(snapshot, 10s), SnapshotExchange::Freshness::kFresh);
    return snapshot;
  }

  Notice AwaitNotice() {
    Notice notice;
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!replayer_->notices().TryPop(notice)) {
      if (std::chrono::steady_clock::now() > deadline) {
        ADD_FAILURE() << "the replay posted no notice";
        break;
      }
      std::this_thread::sleep_for(1ms);
    }
    return notice;
  }

  static Counts CountsOf(const Snapshot& snapshot, std::string_view name) {
    for (const GroupRow& row : snapshot.numbers.groups.rows) {
      if (row.labels[0].view() == name) {
        return row.counts;
      }
    }
    return {};
  }

  std::string StartError() {
    try {
      Start();
    } catch (const FatalError& error) {
      return error.what();
    }
    return "no error";
  }

  std::filesystem::path directory_;
  ReplayOptions options_;
  CountingOptions counting_options_;
  std::unique_ptr<CaptureWriter> writer_;
  std::unique_ptr<Replayer> replayer_;
  std::array<std::uint32_t, 2> sequence_{0xFFFFFFF0, 7};  // the first wraps around
};

TEST_F(ReplayerTest, GivesTheRecordedNumbers) {
  WriteFamily(50);
  Start();
  EXPECT_EQ(replayer_->summary().datagrams, 100U);
  EXPECT_EQ(replayer_->summary().cpus(), 2U);
  const Notice notice = AwaitNotice();
  EXPECT_EQ(notice.kind, Notice::Kind::kReplayFinished);
  EXPECT_EQ(notice.count, 100U);
  const Snapshot snapshot = TakeSnapshot();
  EXPECT_TRUE(snapshot.replayed);
  EXPECT_TRUE(snapshot.subscribed);
  EXPECT_TRUE(snapshot.loss_exact);
  EXPECT_EQ(snapshot.kernel_forks, std::nullopt);
  EXPECT_EQ(snapshot.numbers.events_of(EventKind::kFork), 50U);
  EXPECT_EQ(snapshot.numbers.total_lost(), 0U);
  EXPECT_EQ(snapshot.numbers.processes, 1U);
  EXPECT_EQ(CountsOf(snapshot, "shell")[CountKind::kForks], 50U);
  EXPECT_EQ(CountsOf(snapshot, "shell")[CountKind::kFailed], 50U);
  EXPECT_EQ(snapshot.numbers.exits.lifetimes.count(), 50U);
  EXPECT_EQ(snapshot.numbers.exits.lifetimes.sum(), 50 * kNanosPerMilli);
}

TEST_F(ReplayerTest, GivesTheRecordedLosses) {
  WriteFamily(3);
  Lose(1, 7);
  Write(2 * kNanosPerSecond, 1, ExecBody{{5, 5}}, 2);
  Write(2 * kNanosPerSecond, RejectedDatagram{RejectedDatagram::Reason::kForeignSender});
  Write(2 * kNanosPerSecond, RejectedDatagram{RejectedDatagram::Reason::kOversized});
  Start();
  AwaitNotice();
  const Snapshot snapshot = TakeSnapshot();
  EXPECT_EQ(snapshot.numbers.lost.at(0), 0U);
  EXPECT_EQ(snapshot.numbers.lost.at(1), 7U);
  EXPECT_EQ(snapshot.numbers.rejected.at(static_cast<std::size_t>(Rejection::kForeignSender)), 1U);
  EXPECT_EQ(snapshot.numbers.rejected.at(static_cast<std::size_t>(Rejection::kOversized)), 1U);
}

TEST_F(ReplayerTest, UsesTheCapturesClockForTheNumbers) {
  WriteFamily(100);
  Start();
  AwaitNotice();
  EXPECT_GT(TakeSnapshot().numbers.peaks.at(0).at(0), 0) << "time stands still at the end: the minute does not pass";
  EXPECT_EQ(TakeSnapshot().numbers.peaks, TakeSnapshot().numbers.peaks);
}

// Only the lower bound is checked: a slow machine may take longer.
TEST_F(ReplayerTest, TakesTheRecordedTimeDividedByTheSpeed) {
  WriteFamily(20, 20 * kNanosPerMilli);  // 1.4 s
  options_.speed = 4;
  const auto began = std::chrono::steady_clock::now();
  Start();
  const Snapshot early = TakeSnapshot();
  EXPECT_EQ(early.numbers.events_of(EventKind::kFork), 0U) << "the first fork is a second later";
  AwaitNotice();
  EXPECT_GE(std::chrono::steady_clock::now() - began, 340ms);
  EXPECT_EQ(TakeSnapshot().numbers.events_of(EventKind::kFork), 20U);
}

TEST_F(ReplayerTest, LoopsWithoutLossesAndWithoutFallingCounters) {
  WriteFamily(30);
  Write(1900 * kNanosPerMilli, 0, ForkBody{{100, 100}, {500, 500}}, 1);  // a process that is alive at the end
  options_.loop = true;
  Start();
  std::uint64_t forks = 0;
  while (forks < 10'000) {
    const Snapshot snapshot = TakeSnapshot();
    const std::uint64_t now = snapshot.numbers.events_of(EventKind::kFork);
    ASSERT_GE(now, forks);
    forks = now;
    EXPECT_EQ(snapshot.numbers.total_lost(), 0U);
    EXPECT_LE(snapshot.numbers.processes, 3U);
    EXPECT_LE(CountsOf(snapshot, "shell")[CountKind::kForks], forks);
    EXPECT_EQ(snapshot.numbers.exits.lifetimes.sum(), snapshot.numbers.exits.lifetimes.count() * kNanosPerMilli);
    EXPECT_EQ(snapshot.numbers.events_of(EventKind::kFork),
              CountsOf(snapshot, "shell")[CountKind::kForks] + snapshot.numbers.pending[CountKind::kForks]);
  }
  replayer_->Stop();
}

// At a resubscription two sockets deliver the same events. The last event in the file then has not the last number.
TEST_F(ReplayerTest, LoopsWithoutLossesAfterRepeatedEvents) {
  WriteFamily(5);
  const std::uint32_t latest = sequence_.at(0);
  sequence_.at(0) -= 3;
  Write(1100 * kNanosPerMilli, 0, ExecBody{{5, 5}}, 2);
  sequence_.at(0) = latest;
  options_.loop = true;
  Start();
  Snapshot snapshot(2);
  while (snapshot.numbers.events_of(EventKind::kFork) < 500) {
    snapshot = TakeSnapshot();
  }
  const std::uint64_t rounds = snapshot.numbers.events_of(EventKind::kFork) / 5 + 1;
  EXPECT_LE(snapshot.numbers.rejected.at(static_cast<std::size_t>(Rejection::kRepeated)), rounds);
  EXPECT_EQ(snapshot.numbers.total_lost(), 0U);
}

// Names retire at full seconds of the capture's clock, at any speed and with any number of scrapes.
TEST_F(ReplayerTest, RetiresTheSameNamesWithAndWithoutScrapes) {
  WriteFamily(3);
  for (std::int32_t i = 0; i < 40; ++i) {
    const std::uint64_t at = (2000 + static_cast<std::uint64_t>(i) * 37) * kNanosPerMilli;
    CommBody comm{{100, 100}, {}};
    const std::string name = "n" + std::to_string(i);
    std::ranges::copy(name, comm.comm.begin());
    Write(at, 0, comm, 0x200);
    Write(at + 1000, 0, ForkBody{{100, 100}, {5000 + i, 5000 + i}}, 1);
  }
  counting_options_.group_retire_after = 500ms;
  std::vector<std::string> names;
  for (const bool scraped : {false, true, true}) {
    options_.speed = scraped ? 20 : 0;
    Start();
    Notice notice;
    while (!replayer_->notices().TryPop(notice)) {
      scraped ? static_cast<void>(TakeSnapshot()) : std::this_thread::sleep_for(1ms);
    }
    const Snapshot snapshot = TakeSnapshot();
    std::string all;
    for (const GroupRow& row : snapshot.numbers.groups.rows) {
      all += row.in_use() ? std::string(row.labels[0].view()) + ' ' : "";
    }
    names.push_back(all);
    replayer_->Stop();
  }
  EXPECT_THAT(names.at(0), HasSubstr("n39"));
  EXPECT_EQ(names.at(0).find("n0 "), std::string::npos) << "no name retires: this test shows nothing";
  EXPECT_EQ(names.at(1), names.at(0));
  EXPECT_EQ(names.at(2), names.at(0));
}

TEST_F(ReplayerTest, IgnoresTheTimeOfForeignPackets) {
  WriteFamily(5);
  writer_->Write(kOffset + kStart + 3600 * kNanosPerSecond, 0, {});
  options_.speed = 10;
  Start();
  EXPECT_EQ(AwaitNotice().kind, Notice::Kind::kReplayFinished);
}

TEST_F(ReplayerTest, RejectsAPacketBeforeTheClockBegan) {
  WriteFamily(5);
  writer_->Write(5, kConnectorFamily, EncodeNetlink(1, {}));
  EXPECT_THAT(StartError(), IsCaptureError("before its clock began", "use the original"));
}

TEST_F(ReplayerTest, StopsInTheMiddleOfTheCapture) {
  WriteFamily(20, 10 * kNanosPerSecond);
  options_.speed = 1;
  Start();
  EXPECT_EQ(TakeSnapshot().numbers.events_of(EventKind::kFork), 0U);
  const auto began = std::chrono::steady_clock::now();
  replayer_->Stop();
  EXPECT_LE(std::chrono::steady_clock::now() - began, 5s);
}

TEST_F(ReplayerTest, PostsANoticeIfTheCaptureIsTruncatedMeanwhile) {
  WriteFamily(20);
  options_.loop = true;
  Start();
  while (TakeSnapshot().numbers.events_of(EventKind::kFork) < 100) {
  }
  std::filesystem::resize_file(options_.file, std::filesystem::file_size(options_.file) - 10);
  const Notice notice = AwaitNotice();
  EXPECT_EQ(notice.kind, Notice::Kind::kReplayFailed);
  EXPECT_THAT(Describe(notice.error), HasSubstr("cannot replay the capture: the file changed"));
  const Snapshot snapshot = TakeSnapshot();
  EXPECT_FALSE(snapshot.subscribed);
  EXPECT_EQ(snapshot.subscription_error, notice.error);
  EXPECT_GE(snapshot.numbers.events_of(EventKind::kFork), 100U) << "recorded counts stay";
}

TEST_F(ReplayerTest, AppliesNewNameGroupsWhileRunning) {
  WriteFamily(20);
  options_.loop = true;
  Start();
  replayer_->Reload({.name_groups = {{"shell", "renamed"}}});
  while (CountsOf(TakeSnapshot(), "renamed")[CountKind::kForks] == 0) {
  }
}

TEST_F(ReplayerTest, IncreasesTheGroupLimitAfterTheReplay) {
  WriteFamily(20);
  counting_options_.group_limit = 10;
  Start();
  AwaitNotice();
  replayer_->Reload({.group_limit = 30});
  while (TakeSnapshot().numbers.groups.limit != 30) {
  }
  EXPECT_EQ(CountsOf(TakeSnapshot(), "shell")[CountKind::kForks], 20U) << "recorded counts stay";
}

// A capture by another program has no metadata: its first event gives the clock offset.
TEST_F(ReplayerTest, ReplaysACaptureOfAnotherProgram) {
  Write(kNanosPerSecond, 1, ForkBody{{1, 1}, {7, 7}}, 1);
  writer_->Write(kOffset + kStart + kNanosPerSecond, 0, {});  // of NETLINK_ROUTE
  writer_->Write(kOffset + kStart + kNanosPerSecond, kRecordFamily,
                 std::as_bytes(std::span("data of another program")));
  Write(2 * kNanosPerSecond, 1, ExitBody{{7, 7}, 0, 17, {1, 1}}, 0x80000000);
  Start();
  AwaitNotice();
  const Snapshot snapshot = TakeSnapshot();
  EXPECT_EQ(replayer_->summary().cpus(), 2U);
  EXPECT_EQ(replayer_->summary().first_ns, kStart + kNanosPerSecond);
  EXPECT_EQ(snapshot.numbers.pending[CountKind::kSucceeded], 1U) << "its name is unknown";
}

TEST_F(ReplayerTest, RejectsACaptureWithoutEvents) {
  Write(0, CaptureMetadata{.clock_offset_ns = kOffset, .cpus = 2});
  EXPECT_THAT(StartError(), IsCaptureError("no process events", "procevent_exporter record FILE"));
}

TEST_F(ReplayerTest, RejectsATruncatedCaptureAndNamesTheOffset) {
  WriteFamily(5);
  static_cast<void>(writer_->Finish());
  std::filesystem::resize_file(options_.file, std::filesystem::file_size(options_.file) - 1);
  EXPECT_THAT(StartError(), HasSubstr("a.pcap at offset "));
}

TEST_F(ReplayerTest, SkipsAndCountsRecordsOfNewerPrograms) {
  WriteFamily(50);
  for (const std::uint8_t kind : std::array<std::uint8_t, 3>{22, 99, 22}) {
    WriteInvalidation(2, kind);
  }
  Start();
  EXPECT_EQ(replayer_->summary().skipped_records, 3U);
  EXPECT_EQ(replayer_->summary().datagrams, 100U);
  AwaitNotice();
  const Snapshot snapshot = TakeSnapshot();
  EXPECT_EQ(CountsOf(snapshot, "shell")[CountKind::kForks], 50U);
  EXPECT_EQ(snapshot.numbers.events_of(EventKind::kFork), 50U);
}

TEST_F(ReplayerTest, RejectsAnUnknownKindInAFileOfVersion1) {
  WriteFamily(1);
  WriteInvalidation(1, 22);
  EXPECT_THAT(StartError(), IsCaptureError("damaged record", "newer procevent_exporter"));
}

TEST_F(ReplayerTest, RejectsARecordOfUnknownType) {
  WriteFamily(1);
  WriteInvalidation(9, 19);
  EXPECT_THAT(StartError(), IsCaptureError("damaged record", "newer procevent_exporter"));
}

TEST_F(ReplayerTest, RejectsSeveralCapturesInOneFile) {
  WriteFamily(1);
  WriteFamily(1);
  EXPECT_THAT(StartError(), IsCaptureError("several captures", "one by one"));
}

}  // namespace
}  // namespace procevent
