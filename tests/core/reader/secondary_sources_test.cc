// A second source, which a reader drains beside the connector.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/file_descriptor.h"
#include "core/base/system.h"
#include "core/protocol/capture_packet.h"
#include "core/sources/capture/capture_file.h"
#include "core/sources/capture/capture_writer.h"
#include "core/sources/source.h"
#include "reader_fixture.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

// The other end of a SocketSource. Each message is the PID of a process that no longer exists.
class SocketPeer {
 public:
  SocketPeer() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
    peer_.Reset(ends[0]);
    source_.Reset(ends[1]);
  }
  void Send(std::int32_t pid) const { EXPECT_EQ(::send(peer_.get(), &pid, sizeof pid, 0), ssize_t{sizeof pid}); }

  std::atomic<std::uint64_t> drops{0};
  std::atomic<std::uint64_t> received{0};
  std::atomic<bool> fails{false};
  std::atomic<bool> closed{false};

 private:
  friend class SocketSource;
  OwnedFd peer_;
  OwnedFd source_;
};

class SocketSource final : public Source {
 public:
  explicit SocketSource(SocketPeer& peer) : peer_(peer) { inputs_.reserve(kBatch); }

  [[nodiscard]] int fd() const override { return peer_.source_.get(); }
  Result<ReceiveResult> Receive() override {
    inputs_.clear();
    if (peer_.fails) {
      return Error{"receive from the second source", EIO, "restart it"};
    }
    std::int32_t pid = 0;
    while (inputs_.size() < kBatch && ::recv(fd(), &pid, sizeof pid, 0) == ssize_t{sizeof pid}) {
      ProcRead gone{.kind = ProcRead::Kind::kGone, .requested = false, .snapshot = {}};
      gone.snapshot.tgid = pid;
      gone.snapshot.taken_ns = MonotonicNanos();
      inputs_.emplace_back(gone);
    }
    peer_.received += inputs_.size();
    return ReceiveResult{inputs_.size(), inputs_.size() < kBatch};
  }
  [[nodiscard]] std::span<const Input> inputs() const override { return inputs_; }
  [[nodiscard]] QueueState Queue() override { return {.drops = peer_.drops}; }
  void Close() override { peer_.closed = true; }

 private:
  static constexpr std::size_t kBatch = 4;
  SocketPeer& peer_;
  std::vector<Input> inputs_;
};

class SecondarySourcesTest : public ReaderTest {
 protected:
  SecondarySourcesTest() {
    std::string name = testing::TempDir() + "procevent_secondary_XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    capture_ = std::make_unique<CaptureWriter>(directory_ / "a.pcap");
  }
  ~SecondarySourcesTest() override {
    reader_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Start(std::chrono::milliseconds canary_interval = 100ms) {
    ReaderSources sources = MakeFakeSources(kernel_);
    for (SocketPeer& peer : peers_) {
      sources.secondary.push_back(std::make_unique<SocketSource>(peer));
    }
    reader_ = std::make_unique<Reader>(std::move(sources),
                                       ReaderOptions{.drain_interval = 1ms, .canary_interval = canary_interval}, 2,
                                       EventCoverage::kAll, CountingOptions{}, proc_.get(), capture_.get());
    reader_->Start();
  }

  // The PIDs of reads ('s') and of forked children ('f'), in the order in which they were applied.
  std::vector<std::pair<char, std::int32_t>> AppliedInputs(std::uint64_t* invalidations) {
    reader_->Stop();
    EXPECT_TRUE(capture_->Finish());
    std::vector<std::pair<char, std::int32_t>> applied;
    CaptureFile file = CaptureFile::Open(directory_ / "a.pcap").value();
    for (auto packet = file.Read(); packet && packet.value(); packet = file.Read()) {
      const PacketContent& content = packet.value()->content;
      *invalidations += FindInput<Invalidation>(content) != nullptr ? 1U : 0U;
      if (const auto* const read = FindInput<ProcRead>(content)) {
        applied.emplace_back('s', read->snapshot.tgid);
      } else if (const auto* const datagram = FindInput<ConnectorDatagram>(content)) {
        ForEachMessage(datagram->bytes, [&](const Message& message) {
          if (const auto* const fork = std::get_if<ForkBody>(&message.event.body)) {
            applied.emplace_back('f', fork->child.tgid);
          }
        });
      }
    }
    return applied;
  }

  static bool Await(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(100us);
    }
    return condition();
  }

  std::array<SocketPeer, 2> peers_;
  std::filesystem::path directory_;
  std::unique_ptr<CaptureWriter> capture_;
};

// Five messages, more than a batch of the source, are sent right before the event that they explain. They may be
// applied before earlier events, too.
TEST_F(SecondarySourcesTest, AppliesTheirInputsBeforeTheEventsThatTheyExplain) {
  constexpr std::int32_t kEvents = 300;
  constexpr std::int32_t kMessages = 5;
  Start();
  for (std::int32_t event = 1; event <= kEvents; ++event) {
    for (std::int32_t i = 1; i <= kMessages; ++i) {
      peers_[0].Send(1000 * i + event);
    }
    kernel_.SendEvent(ForkBody{{1, 1}, {event, event}});
    if (event % 10 == 0) {
      TakeSnapshot();
    }
  }
  TakeSnapshot();
  std::uint64_t invalidations = 0;
  const auto applied = AppliedInputs(&invalidations);
  for (std::int32_t event = 1; event <= kEvents; ++event) {
    const auto fork = std::ranges::find(applied, std::pair('f', event));
    ASSERT_NE(fork, applied.end()) << event;
    for (std::int32_t i = 1; i <= kMessages; ++i) {
      ASSERT_LT(std::ranges::find(applied, std::pair('s', 1000 * i + event)), fork) << event;
    }
  }
}

TEST_F(SecondarySourcesTest, CountsTheirLossesWithoutInvalidation) {
  Start();
  TakeSnapshot();
  peers_[0].drops += 7;
  peers_[1].drops += 2;
  EXPECT_EQ(TakeSnapshot().secondary_losses, 9U);
  peers_[1].drops += 1;
  const Snapshot snapshot = TakeSnapshot();
  EXPECT_EQ(snapshot.secondary_losses, 10U);
  EXPECT_EQ(snapshot.socket_drops, 0U);
  EXPECT_EQ(snapshot.numbers.total_lost(), 0U);
  std::uint64_t invalidations = 0;
  AppliedInputs(&invalidations);
  EXPECT_EQ(invalidations, 0U);
}

// Without a wake-up a message would wait for the next canary, and their distances double.
TEST_F(SecondarySourcesTest, WakesTheReaderAtRest) {
  Start(3600s);
  for (std::uint64_t i = 1; i <= 30; ++i) {
    peers_[i % 2].Send(1);
    ASSERT_TRUE(Await([&] { return peers_[0].received + peers_[1].received == i; })) << i;
  }
}

TEST_F(SecondarySourcesTest, ClosesThemOnStop) {
  Start();
  EXPECT_FALSE(peers_[0].closed || peers_[1].closed);
  reader_->Stop();
  EXPECT_TRUE(peers_[0].closed && peers_[1].closed);
}

TEST_F(SecondarySourcesTest, GoesOnWithoutASourceThatFails) {
  Start();
  peers_[0].drops = 3;
  peers_[0].fails = true;
  const auto notice = AwaitNotice(Notice::Kind::kSourceFailed);
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->error.operation, "receive from the second source");
  EXPECT_TRUE(peers_[0].closed);
  peers_[1].Send(1);
  kernel_.SendEvent(kFork);
  EXPECT_TRUE(Await([&] { return peers_[1].received == 1; }));
  const Snapshot snapshot = TakeSnapshot();
  EXPECT_TRUE(snapshot.subscribed);
  EXPECT_EQ(snapshot.numbers.events_of(EventKind::kFork), 1U);
  EXPECT_EQ(snapshot.secondary_losses, 3U) << "its losses stay counted";
}

}  // namespace
}  // namespace procevent
