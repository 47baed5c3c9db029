#include "core/source/datagram_batch.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

#include "core/base/owned_fd.h"

namespace procevent {
namespace {

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
bool Holds(const Datagram& datagram, std::string_view text) { return std::ranges::equal(datagram.bytes, Bytes(text)); }

TEST(DatagramBatchTest, KeepsWhatTheKernelSent) {
  DatagramBatch batch;
  ASSERT_TRUE(batch.Append(Bytes("first"), 0));
  ASSERT_TRUE(batch.Append(Bytes("second"), 0));
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch[0].origin, Datagram::Origin::kKernel);
  EXPECT_TRUE(Holds(batch[0], "first"));
  EXPECT_TRUE(Holds(batch[1], "second"));
}

TEST(DatagramBatchTest, TellsAForeignSender) {
  DatagramBatch batch;
  ASSERT_TRUE(batch.Append(Bytes("forged"), 4711));
  EXPECT_EQ(batch[0].origin, Datagram::Origin::kForeign);
}

TEST(DatagramBatchTest, TellsWhatIsTooLong) {
  const std::vector<std::byte> just_fits(DatagramBatch::kSlotBytes);
  const std::vector<std::byte> too_long(DatagramBatch::kSlotBytes + 1);
  DatagramBatch batch;
  ASSERT_TRUE(batch.Append(just_fits, 0));
  ASSERT_TRUE(batch.Append(too_long, 0));
  EXPECT_EQ(batch[0].origin, Datagram::Origin::kKernel);
  EXPECT_EQ(batch[1].origin, Datagram::Origin::kOversized);
  EXPECT_EQ(batch[1].bytes.size(), DatagramBatch::kSlotBytes);
}

TEST(DatagramBatchTest, TakesSixtyFourAndNoMore) {
  DatagramBatch batch;
  for (std::size_t i = 0; i < DatagramBatch::kSlots; ++i) {
    ASSERT_TRUE(batch.Append(Bytes("x"), 0)) << i;
  }
  EXPECT_TRUE(batch.full());
  EXPECT_FALSE(batch.Append(Bytes("x"), 0));
  batch.Clear();
  EXPECT_EQ(batch.size(), 0U);
}

// A Unix socket stands in for one whose sender has no netlink address.
TEST(DatagramBatchTest, ASenderWithoutANetlinkAddressIsForeign) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const OwnedFd here(ends[0]);
  const OwnedFd there(ends[1]);
  ASSERT_EQ(::send(there.get(), "hi", 2, 0), 2);
  DatagramBatch batch;
  const auto filled = batch.FillFrom(here.get());
  ASSERT_TRUE(filled.ok());
  ASSERT_EQ(filled.value(), 1U);
  EXPECT_EQ(batch[0].origin, Datagram::Origin::kForeign);
  EXPECT_TRUE(Holds(batch[0], "hi"));
}

TEST(DatagramBatchTest, NothingWaitingIsNoError) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const OwnedFd here(ends[0]);
  const OwnedFd there(ends[1]);
  DatagramBatch batch;
  const auto filled = batch.FillFrom(here.get());
  ASSERT_TRUE(filled.ok());
  EXPECT_EQ(filled.value(), 0U);
}

TEST(DatagramBatchTest, ABadDescriptorIsAnErrorAndEmptiesTheBatch) {
  DatagramBatch batch;
  ASSERT_TRUE(batch.Append(Bytes("old"), 0));
  const auto filled = batch.FillFrom(-1);
  ASSERT_FALSE(filled.ok());
  EXPECT_EQ(filled.error().code, EBADF);
  EXPECT_EQ(batch.size(), 0U);
}

}  // namespace
}  // namespace procevent
