#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file_descriptor.h"
#include "core/protocol/encoder.h"
#include "core/protocol/wire.h"
#include "core/sources/connector/datagram_batch.h"
#include "core/sources/connector/subscription_error.h"

namespace procevent {

namespace {

std::span<const std::byte> AsBytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
bool HasContent(const Datagram& datagram, std::string_view text) {
  return std::ranges::equal(datagram.bytes, AsBytes(text));
}

TEST(DatagramBatchTest, KeepsKernelDatagrams) {
  DatagramBatch batch;
  ASSERT_TRUE(batch.Append(AsBytes("first"), 0));
  ASSERT_TRUE(batch.Append(AsBytes("second"), 0));
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch[0].origin, Datagram::Origin::kKernel);
  EXPECT_TRUE(HasContent(batch[0], "first"));
  EXPECT_TRUE(HasContent(batch[1], "second"));
}

TEST(DatagramBatchTest, MarksForeignSender) {
  DatagramBatch batch;
  ASSERT_TRUE(batch.Append(AsBytes("forged"), 4711));
  EXPECT_EQ(batch[0].origin, Datagram::Origin::kForeign);
}

TEST(DatagramBatchTest, MarksOversizedDatagram) {
  const std::vector<std::byte> just_fits(DatagramBatch::kSlotBytes);
  const std::vector<std::byte> too_long(DatagramBatch::kSlotBytes + 1);
  DatagramBatch batch;
  ASSERT_TRUE(batch.Append(just_fits, 0));
  ASSERT_TRUE(batch.Append(too_long, 0));
  EXPECT_EQ(batch[0].origin, Datagram::Origin::kKernel);
  EXPECT_EQ(batch[1].origin, Datagram::Origin::kOversized);
  EXPECT_EQ(batch[1].bytes.size(), DatagramBatch::kSlotBytes);
}

TEST(DatagramBatchTest, HasSlotsOfTheRequestedSize) {
  constexpr std::size_t kLong = 2048;
  DatagramBatch batch(kLong);
  for (std::size_t i = 0; i < DatagramBatch::kSlots; ++i) {
    const std::vector<std::byte> datagram(kLong + i % 2, static_cast<std::byte>(i));
    ASSERT_TRUE(batch.Append(datagram, 0));
  }
  for (std::size_t i = 0; i < DatagramBatch::kSlots; ++i) {
    EXPECT_EQ(batch[i].origin, i % 2 == 0 ? Datagram::Origin::kKernel : Datagram::Origin::kOversized);
    EXPECT_TRUE(std::ranges::equal(batch[i].bytes, std::vector<std::byte>(kLong, static_cast<std::byte>(i)))) << i;
  }
}

TEST(DatagramBatchTest, HoldsAtMostSixtyFour) {
  DatagramBatch batch;
  for (std::size_t i = 0; i < DatagramBatch::kSlots; ++i) {
    ASSERT_TRUE(batch.Append(AsBytes("x"), 0)) << i;
  }
  EXPECT_TRUE(batch.full());
  EXPECT_FALSE(batch.Append(AsBytes("x"), 0));
  batch.Clear();
  EXPECT_EQ(batch.size(), 0U);
}

// A Unix socket stands in for a sender without a netlink address.
TEST(DatagramBatchTest, TreatsSenderWithoutNetlinkAddressAsForeign) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const OwnedFd receiver(ends[0]);
  const OwnedFd sender(ends[1]);
  ASSERT_EQ(::send(sender.get(), "hi", 2, 0), 2);
  DatagramBatch batch;
  const auto filled = batch.FillFrom(receiver.get());
  ASSERT_TRUE(filled.ok());
  ASSERT_EQ(filled.value(), 1U);
  EXPECT_EQ(batch[0].origin, Datagram::Origin::kForeign);
  EXPECT_TRUE(HasContent(batch[0], "hi"));
}

TEST(DatagramBatchTest, FillFromEmptySocketSucceeds) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const OwnedFd receiver(ends[0]);
  const OwnedFd sender(ends[1]);
  DatagramBatch batch;
  const auto filled = batch.FillFrom(receiver.get());
  ASSERT_TRUE(filled.ok());
  EXPECT_EQ(filled.value(), 0U);
}

TEST(DatagramBatchTest, FillFromBadDescriptorFailsAndEmptiesBatch) {
  DatagramBatch batch;
  ASSERT_TRUE(batch.Append(AsBytes("old"), 0));
  const auto filled = batch.FillFrom(-1);
  ASSERT_FALSE(filled.ok());
  EXPECT_EQ(filled.error().cause.code, EBADF);
  EXPECT_EQ(batch.size(), 0U);
}

Bytes EventWithSequence(std::uint32_t sequence) {
  return EncodeEvent({.sequence = sequence,
                      .acknowledged = 0,
                      .what = wire::kWhatSid,
                      .cpu = 0,
                      .timestamp_ns = 1,
                      .body = SidBody{{7, 7}}});
}

std::vector<std::uint32_t> SequencesIn(const DatagramBatch& batch) {
  std::vector<std::uint32_t> sequences;
  ForEachKernelEvent(batch, [&](const Event& event) { sequences.push_back(event.sequence); });
  return sequences;
}

TEST(ForEachKernelEventTest, VisitsOnlyKernelEventsInOrder) {
  DatagramBatch batch;
  EXPECT_EQ(SequencesIn(batch), std::vector<std::uint32_t>{});
  Bytes two = EventWithSequence(1);
  const Bytes second = EventWithSequence(2);
  two.insert(two.end(), second.begin(), second.end());
  ASSERT_TRUE(batch.Append(two, 0));
  ASSERT_TRUE(batch.Append(EventWithSequence(3), 4711));  // not the kernel
  ASSERT_TRUE(batch.Append(EncodeNetlink(wire::kNoop, {}), 0));
  ASSERT_TRUE(batch.Append(EncodeError(0), 0));
  const Bytes whole = EventWithSequence(4);
  ASSERT_TRUE(batch.Append(std::span(whole).first(whole.size() - 40), 0));
  ASSERT_TRUE(batch.Append(EventWithSequence(5), 0));
  EXPECT_EQ(SequencesIn(batch), (std::vector<std::uint32_t>{1, 2, 5}));
}

}  // namespace

namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct NoAckRow {
  std::string name;
  ConnectorEnvironment environment;
  std::vector<std::string> parts;
};

class MakeNoAckErrorTest : public testing::TestWithParam<NoAckRow> {};

TEST_P(MakeNoAckErrorTest, NamesCauseAndRemedy) {
  const std::string line = Describe(MakeNoAckError(GetParam().environment));
  for (const auto& part : GetParam().parts) {
    EXPECT_THAT(line, HasSubstr(part));
  }
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Namespaces, MakeNoAckErrorTest,
    testing::Values(
        NoAckRow{"Network", {.foreign_network = true}, {"network namespace", "--network host"}},
        NoAckRow{"Pids", {.foreign_pids = true}, {"PID namespace", "--pid host"}},
        NoAckRow{"Users", {.foreign_users = true}, {"user namespace", "--userns host"}},
        NoAckRow{"NetworkAndPids", {.foreign_network = true, .foreign_pids = true}, {"--network host", "--pid host"}},
        NoAckRow{
            "NetworkAndUsers", {.foreign_network = true, .foreign_users = true}, {"--network host", "--userns host"}},
        NoAckRow{"PidsAndUsers", {.foreign_pids = true, .foreign_users = true}, {"--pid host", "--userns host"}},
        NoAckRow{"AllThree",
                 {.foreign_network = true, .foreign_pids = true, .foreign_users = true},
                 {"--network host", "--pid host", "--userns host"}},
        NoAckRow{"NoProcEvents", {.no_proc_events = true}, {"CONFIG_PROC_EVENTS"}},
        NoAckRow{"Unexplained", {}, {"another process", "retries"}}),
    [](const auto& row) { return row.param.name; });

// Detects the environment with another /proc: an empty one without options, or one that shows only processes. Returns 1
// if the network namespace is taken for a foreign one, 77 if /proc cannot be mounted.
int DetectWithProc(const char* options) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return 77;
  }
  const bool mounted = options == nullptr ? ::mount("tmpfs", "/proc", "tmpfs", 0, nullptr) == 0
                                          : ::mount("proc", "/proc", "proc", 0, options) == 0;
  return !mounted ? 77 : DetectConnectorEnvironment().foreign_network ? 1 : 0;
}

TEST(DetectConnectorEnvironmentTest, ReportsNoForeignNetworkIfProcHidesIt) {
  if (DetectConnectorEnvironment().foreign_network) {
    GTEST_SKIP() << "not the host's network namespace";
  }
  for (const char* const options : {static_cast<const char*>(nullptr), "subset=pid"}) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(DetectWithProc(options));
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
      GTEST_SKIP() << "cannot mount over /proc here";
    }
    EXPECT_EQ(WEXITSTATUS(status), 0) << (options == nullptr ? "no /proc" : options);
  }
}

TEST(SubscriptionErrorTest, RetriesOnlyWithoutKnownCause) {
  EXPECT_TRUE(IsRetryUseful({}));
  EXPECT_FALSE(IsRetryUseful({.foreign_network = true}));
  EXPECT_FALSE(IsRetryUseful({.foreign_pids = true}));
  EXPECT_FALSE(IsRetryUseful({.foreign_users = true}));
  EXPECT_FALSE(IsRetryUseful({.no_proc_events = true}));
}

TEST(SubscriptionErrorTest, ExplainsRefusedConnectionByNetworkNamespace) {
  EXPECT_THAT(Describe(MakeSendError(ECONNREFUSED, {})), HasSubstr("--network host"));
  EXPECT_THAT(Describe(MakeSendError(ECONNREFUSED, {.foreign_pids = true})), HasSubstr("--network host --pid host"));
}

TEST(SubscriptionErrorTest, NamesCauseOfEachCall) {
  EXPECT_THAT(Describe(MakeOpenError(EPROTONOSUPPORT)), HasSubstr("CONFIG_CONNECTOR"));
  EXPECT_THAT(Describe(MakeOpenError(EMFILE)), HasSubstr("ulimit -n"));
  EXPECT_THAT(Describe(MakeOpenError(EPERM)), HasSubstr("AF_NETLINK"));
  EXPECT_THAT(Describe(MakeBindError(EPERM)), HasSubstr("NET_ADMIN"));
  EXPECT_THAT(Describe(MakeSendError(EPERM, {})), HasSubstr("NET_ADMIN"));
  EXPECT_THAT(Describe(MakeSubscribeRefusedError(EPERM)), HasSubstr("NET_ADMIN"));
  const std::string receive_error = Describe(MakeReceiveError(ENOMEM));
  EXPECT_THAT(receive_error, StartsWith("cannot receive from the connector socket: Cannot allocate memory; "));
  EXPECT_THAT(receive_error, HasSubstr("new socket"));
}

}  // namespace

}  // namespace procevent
