// A capture goes in, numbers come out: the same ones, however it is replayed.
#include "core/reader/replayer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <thread>

#include "core/base/system.h"
#include "core/protocol/encoder.h"
#include "core/sources/capture/capture_writer.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::uint64_t kOffset = 1'700'000'000 * kNanosPerSecond;
constexpr std::uint64_t kStart = 5'000 * kNanosPerSecond;

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

  void Put(std::uint64_t at_ns, const CaptureRecord& record) {
    RecordBuffer buffer;
    writer_->Write(kOffset + kStart + at_ns, kRecordFamily, EncodeRecord(record, buffer));
  }
  void Put(std::uint64_t at_ns, std::uint32_t cpu, const Event::Body& body, std::uint32_t what) {
    Event event;
    event.body = body;
    event.what = what;
    event.cpu = cpu;
    event.sequence = ++sequence_.at(cpu);
    event.timestamp_ns = kStart + at_ns;
    writer_->Write(kOffset + kStart + at_ns + 1000, kConnectorFamily, EncodeEvent(event));
  }
  void Lose(std::uint32_t cpu, std::uint32_t events) { sequence_.at(cpu) += events; }

  // A shell, known from the start, forks `children`, each of which ends with 3 after a millisecond.
  void PutFamily(int children, std::uint64_t every_ns = kNanosPerMilli) {
    Put(0, CaptureMetadata{.clock_offset_ns = kOffset, .cpus = 2});
    CapturedProcSnapshot shell;
    shell.snapshot.tgid = 100;
    shell.snapshot.taken_ns = kStart;
    shell.snapshot.name = CommName("shell");
    shell.snapshot.threads = 1;
    shell.snapshot.start_ns = 1;
    Put(0, shell);
    for (int i = 0; i < children; ++i) {
      const std::uint64_t at = kNanosPerSecond + static_cast<std::uint64_t>(i) * every_ns;
      const Task child{1000 + i, 1000 + i};
      Put(at, 0, ForkBody{{100, 100}, child}, 1);
      Put(at + kNanosPerMilli, 1, ExitBody{child, 3 << 8, 17, {100, 100}}, 0x80000000);
    }
    const std::uint64_t end = kNanosPerSecond + static_cast<std::uint64_t>(children) * every_ns;
    Put(end, CapturedWatermark{kStart + end});
  }

  Replayer& Start() {
    static_cast<void>(writer_->Finish());
    replayer_ = std::make_unique<Replayer>(StoredCapture(options_.file), options_, ledger_options_);
    replayer_->Start();
    return *replayer_;
  }

  Snapshot Take() {
    Snapshot snapshot(2);
    EXPECT_EQ(replayer_->exchange().CopySnapshot(snapshot, 10s), SnapshotExchange::Freshness::kFresh);
    return snapshot;
  }

  Notice AwaitNotice() {
    Notice notice;
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!replayer_->notices().TryPop(notice)) {
      if (std::chrono::steady_clock::now() > deadline) {
        ADD_FAILURE() << "the replay tells nothing";
        break;
      }
      std::this_thread::sleep_for(1ms);
    }
    return notice;
  }

  static Counts CountsOf(const Snapshot& snapshot, std::string_view name) {
    for (const CommRow& row : snapshot.ledger.comms.rows) {
      if (row.label.view() == name) {
        return row.counts;
      }
    }
    return {};
  }

  std::string WhyNot() {
    try {
      Start();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "it starts";
  }

  std::filesystem::path directory_;
  ReplayOptions options_;
  LedgerOptions ledger_options_;
  std::unique_ptr<CaptureWriter> writer_;
  std::unique_ptr<Replayer> replayer_;
  std::array<std::uint32_t, 2> sequence_{0xFFFFFFF0, 7};  // the one wraps around
};

TEST_F(ReplayerTest, TellsWhatWasRecorded) {
  PutFamily(50);
  Start();
  EXPECT_EQ(replayer_->summary().datagrams, 100U);
  EXPECT_EQ(replayer_->summary().cpus(), 2U);
  const Notice notice = AwaitNotice();
  EXPECT_EQ(notice.kind, Notice::Kind::kReplayFinished);
  EXPECT_EQ(notice.number, 100U);
  const Snapshot snapshot = Take();
  EXPECT_TRUE(snapshot.replayed);
  EXPECT_TRUE(snapshot.subscribed);
  EXPECT_TRUE(snapshot.loss_exact);
  EXPECT_EQ(snapshot.kernel_forks, std::nullopt);
  EXPECT_EQ(snapshot.ledger.events_of(EventKind::kFork), 50U);
  EXPECT_EQ(snapshot.ledger.total_lost(), 0U);
  EXPECT_EQ(snapshot.ledger.processes, 1U);
  EXPECT_EQ(CountsOf(snapshot, "shell")[CountKind::kForks], 50U);
  EXPECT_EQ(CountsOf(snapshot, "shell")[CountKind::kFailed], 50U);
  EXPECT_EQ(snapshot.ledger.exits.lifetimes.count(), 50U);
  EXPECT_EQ(snapshot.ledger.exits.lifetimes.sum(), 50 * kNanosPerMilli);
}

TEST_F(ReplayerTest, LossesAreThoseOfTheRecording) {
  PutFamily(3);
  Lose(1, 7);
  Put(2 * kNanosPerSecond, 1, ExecBody{{5, 5}}, 2);
  Put(2 * kNanosPerSecond, CapturedRejection{CapturedRejection::Reason::kForeignSender});
  Put(2 * kNanosPerSecond, CapturedRejection{CapturedRejection::Reason::kOversized});
  Start();
  AwaitNotice();
  const Snapshot snapshot = Take();
  EXPECT_EQ(snapshot.ledger.lost.at(0), 0U);
  EXPECT_EQ(snapshot.ledger.lost.at(1), 7U);
  EXPECT_EQ(snapshot.ledger.rejected.at(static_cast<std::size_t>(Rejection::kForeignSender)), 1U);
  EXPECT_EQ(snapshot.ledger.rejected.at(static_cast<std::size_t>(Rejection::kOversized)), 1U);
}

TEST_F(ReplayerTest, TheCapturesClockIsTheLedgers) {
  PutFamily(100);
  Start();
  AwaitNotice();
  EXPECT_GT(Take().ledger.peaks.at(0).at(0), 0) << "time stands still at the end: the minute does not pass";
  EXPECT_EQ(Take().ledger.peaks, Take().ledger.peaks);
}

// Twice the speed is half the time; more than that would be a benchmark.
TEST_F(ReplayerTest, WaitsAsLongAsTheRecordingDid) {
  PutFamily(20, 20 * kNanosPerMilli);  // 1.4 s
  options_.speed = 4;
  const auto began = std::chrono::steady_clock::now();
  Start();
  const Snapshot early = Take();
  EXPECT_EQ(early.ledger.events_of(EventKind::kFork), 0U) << "the first fork is a second later";
  AwaitNotice();
  EXPECT_GE(std::chrono::steady_clock::now() - began, 340ms);
  EXPECT_EQ(Take().ledger.events_of(EventKind::kFork), 20U);
}

TEST_F(ReplayerTest, RoundAfterRoundNothingIsLostAndNothingFalls) {
  PutFamily(30);
  Put(1900 * kNanosPerMilli, 0, ForkBody{{100, 100}, {500, 500}}, 1);  // it lives at the end
  options_.loop = true;
  Start();
  std::uint64_t forks = 0;
  while (forks < 10'000) {
    const Snapshot snapshot = Take();
    const std::uint64_t now = snapshot.ledger.events_of(EventKind::kFork);
    ASSERT_GE(now, forks);
    forks = now;
    EXPECT_EQ(snapshot.ledger.total_lost(), 0U);
    EXPECT_LE(snapshot.ledger.processes, 3U);
    EXPECT_LE(CountsOf(snapshot, "shell")[CountKind::kForks], forks);
    EXPECT_EQ(snapshot.ledger.exits.lifetimes.sum(), snapshot.ledger.exits.lifetimes.count() * kNanosPerMilli);
    EXPECT_EQ(snapshot.ledger.events_of(EventKind::kFork),
              CountsOf(snapshot, "shell")[CountKind::kForks] + snapshot.ledger.pending[CountKind::kForks]);
  }
  replayer_->Stop();
}

// A changeover of sockets delivers some twice; what is last in the file is then not the last in number.
TEST_F(ReplayerTest, WhatCameTwiceCostsNothingInTheNextRound) {
  PutFamily(5);
  const std::uint32_t latest = sequence_.at(0);
  sequence_.at(0) -= 3;
  Put(1100 * kNanosPerMilli, 0, ExecBody{{5, 5}}, 2);
  sequence_.at(0) = latest;
  options_.loop = true;
  Start();
  Snapshot snapshot(2);
  while (snapshot.ledger.events_of(EventKind::kFork) < 500) {
    snapshot = Take();
  }
  const std::uint64_t rounds = snapshot.ledger.events_of(EventKind::kFork) / 5 + 1;
  EXPECT_LE(snapshot.ledger.rejected.at(static_cast<std::size_t>(Rejection::kRepeated)), rounds);
  EXPECT_EQ(snapshot.ledger.total_lost(), 0U);
}

// Names retire at full seconds of the capture's clock, however often somebody asks.
TEST_F(ReplayerTest, ScrapesDoNotChangeWhoRetires) {
  PutFamily(3);
  for (std::int32_t i = 0; i < 40; ++i) {
    const std::uint64_t at = (2000 + static_cast<std::uint64_t>(i) * 37) * kNanosPerMilli;
    CommBody comm{{100, 100}, {}};
    const std::string name = "n" + std::to_string(i);
    std::ranges::copy(name, comm.comm.begin());
    Put(at, 0, comm, 0x200);
    Put(at + 1000, 0, ForkBody{{100, 100}, {5000 + i, 5000 + i}}, 1);
  }
  ledger_options_.comm_retire_after = 500ms;
  std::vector<std::string> names;
  for (const bool asked : {false, true, true}) {
    options_.speed = asked ? 20 : 0;
    Start();
    Notice notice;
    while (!replayer_->notices().TryPop(notice)) {
      asked ? static_cast<void>(Take()) : std::this_thread::sleep_for(1ms);
    }
    const Snapshot snapshot = Take();
    std::string all;
    for (const CommRow& row : snapshot.ledger.comms.rows) {
      all += row.in_use ? std::string(row.label.view()) + ' ' : "";
    }
    names.push_back(all);
    replayer_->Stop();
  }
  EXPECT_THAT(names.at(0), HasSubstr("n39"));
  EXPECT_EQ(names.at(0).find("n0 "), std::string::npos) << "nobody retires: this test shows nothing";
  EXPECT_EQ(names.at(1), names.at(0));
  EXPECT_EQ(names.at(2), names.at(0));
}

TEST_F(ReplayerTest, OthersTalkIsNoTime) {
  PutFamily(5);
  writer_->Write(kOffset + kStart + 3600 * kNanosPerSecond, 0, {});
  options_.speed = 10;
  Start();
  EXPECT_EQ(AwaitNotice().kind, Notice::Kind::kReplayFinished);
}

TEST_F(ReplayerTest, APacketFromBeforeTheClockIsRefused) {
  PutFamily(5);
  writer_->Write(5, kConnectorFamily, EncodeNetlink(1, {}));
  EXPECT_THAT(WhyNot(), HasSubstr("has packets from before its clock began: it was edited; replay the original"));
}

TEST_F(ReplayerTest, StopsInTheMiddle) {
  PutFamily(20, 10 * kNanosPerSecond);
  options_.speed = 1;
  Start();
  EXPECT_EQ(Take().ledger.events_of(EventKind::kFork), 0U);
  const auto began = std::chrono::steady_clock::now();
  replayer_->Stop();
  EXPECT_LE(std::chrono::steady_clock::now() - began, 5s);
}

TEST_F(ReplayerTest, ACaptureThatIsCutWhileItIsReplayedIsTold) {
  PutFamily(20);
  options_.loop = true;
  Start();
  while (Take().ledger.events_of(EventKind::kFork) < 100) {
  }
  std::filesystem::resize_file(options_.file, std::filesystem::file_size(options_.file) - 10);
  const Notice notice = AwaitNotice();
  EXPECT_EQ(notice.kind, Notice::Kind::kReplayFailed);
  EXPECT_THAT(Describe(notice.error), HasSubstr("it was whole when the replay began"));
  const Snapshot snapshot = Take();
  EXPECT_FALSE(snapshot.subscribed);
  EXPECT_EQ(snapshot.subscription_error, notice.error);
  EXPECT_GE(snapshot.ledger.events_of(EventKind::kFork), 100U) << "what was counted stays";
}

TEST_F(ReplayerTest, OtherGroupsHoldFromWhenTheyCame) {
  PutFamily(20);
  options_.loop = true;
  Start();
  const std::vector<NameGroup> groups{{"shell", "renamed"}};
  replayer_->SetNameGroups(groups);
  while (CountsOf(Take(), "renamed")[CountKind::kForks] == 0) {
  }
}

// A capture by others has no opening: its first event tells which clock it goes by.
TEST_F(ReplayerTest, ACaptureOfOthersIsReplayed) {
  Put(kNanosPerSecond, 1, ForkBody{{1, 1}, {7, 7}}, 1);
  writer_->Write(kOffset + kStart + kNanosPerSecond, 0, {});  // routes, say
  writer_->Write(kOffset + kStart + kNanosPerSecond, kRecordFamily, std::as_bytes(std::span("other programs' talk")));
  Put(2 * kNanosPerSecond, 1, ExitBody{{7, 7}, 0, 17, {1, 1}}, 0x80000000);
  Start();
  AwaitNotice();
  const Snapshot snapshot = Take();
  EXPECT_EQ(replayer_->summary().cpus(), 2U);
  EXPECT_EQ(replayer_->summary().first_ns, kStart + kNanosPerSecond);
  EXPECT_EQ(snapshot.ledger.pending[CountKind::kSucceeded], 1U) << "nobody says by which name";
}

TEST_F(ReplayerTest, WhatCannotBeReplayedIsSaidBeforeItBegins) {
  Put(0, CaptureMetadata{.clock_offset_ns = kOffset, .cpus = 2});
  EXPECT_THAT(WhyNot(), HasSubstr("a.pcap holds no process event: record one with: procevent_exporter record FILE"));
}

TEST_F(ReplayerTest, ACutOffCaptureIsRefusedWithThePlace) {
  PutFamily(5);
  static_cast<void>(writer_->Finish());
  std::filesystem::resize_file(options_.file, std::filesystem::file_size(options_.file) - 1);
  EXPECT_THAT(WhyNot(), HasSubstr("a.pcap is broken at offset "));
}

TEST_F(ReplayerTest, ARecordOfANewerVersionIsRefused) {
  PutFamily(1);
  RecordBuffer buffer;
  const auto record = EncodeRecord(CapturedInvalidation{}, buffer);
  buffer.at(23) = std::byte{9};
  writer_->Write(kOffset, kRecordFamily, record);
  EXPECT_THAT(WhyNot(), HasSubstr("holds a record that this version does not know: replay it with a newer one"));
}

TEST_F(ReplayerTest, TwoInOneAreRefused) {
  PutFamily(1);
  PutFamily(1);
  EXPECT_THAT(WhyNot(), HasSubstr("is several captures in one: replay them one by one"));
}

}  // namespace
}  // namespace procevent
