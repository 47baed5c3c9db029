// Complete datagrams, well-formed and malformed, and their decoded messages.
#include "core/protocol/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string_view>
#include <vector>

#include "core/protocol/encoder.h"
#include "core/protocol/wire.h"
#include "tests/core/protocol/test_events.h"

namespace procevent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct HexRow {
  std::string_view name;
  std::string_view hex;  // netlink header, connector header, event header, body
  Event event;
};

// The decoder ignores flags, sequence and port ID of the netlink header, so they differ between rows.
TEST(DecoderTest, DecodesEveryEventType) {
  CommBody comm{.task = {0x0b, 0x0a}};
  comm.comm = {'k', 'w', 'o', 'r', 'k', 'e', 'r', '/', '0', ':', '1', '-', 'e', 'v', 'e', '\0'};
  const std::vector<HexRow> rows{
      {"ack",
       "4c000000 0300 0000 00000000 00000000  01000000 01000000 05000000 2b1a0000 2800 0000"
       "00000000 01000000 0807060504030201  16000000 0000000000000000000000000000000000000000",
       {5, 0x1a2b, 0, 1, 0x0102030405060708, AckBody{22}}},
      {"ack without a CPU",
       "4c000000 0300 0000 00000000 00000000  01000000 01000000 05000000 2b1a0000 2800 0000"
       "00000000 ffffffff 0807060504030201  00000000 0000000000000000000000000000000000000000",
       {5, 0x1a2b, 0, kNoCpu, 0x0102030405060708, AckBody{0}}},
      {"fork",
       "4c000000 0300 0000 09000000 00000000  01000000 01000000 09000000 00000000 2800 0000"
       "01000000 00000000 00ca9a3b00000000  e8030000 e7030000 ea030000 e9030000 0000000000000000",
       {9, 0, 1, 0, 1'000'000'000, ForkBody{{1000, 999}, {1002, 1001}}}},
      {"exec",
       "4c000000 0300 0000 ffffffff 00000000  01000000 01000000 ffffffff 00000000 2800 0000"
       "02000000 7f000000 ffffffffffffffff  01000000 02000000 00000000000000000000000000000000",
       {UINT32_MAX, 0, 2, 127, UINT64_MAX, ExecBody{{1, 2}}}},
      {"exit",
       "4c000000 0300 0000 01000000 00000000  01000000 01000000 01000000 00000000 2800 0000"
       "00000080 02000000 0100000000000000  64000000 63000000 8b000000 11000000 01000000 02000000",
       {1, 0, 0x80000000, 2, 1, ExitBody{{100, 99}, 0x8b, 17, {1, 2}}}},
      {"exit of a thread, which sends no signal",
       "4c000000 0300 0000 01000000 00000000  01000000 01000000 01000000 00000000 2800 0000"
       "00000080 02000000 0100000000000000  64000000 63000000 00010000 ffffffff 00000000 00000000",
       {1, 0, 0x80000000, 2, 1, ExitBody{{100, 99}, 0x100, UINT32_MAX, {0, 0}}}},
      {"nonzero exit",
       "4c000000 0300 0000 01000000 00000000  01000000 01000000 01000000 00000000 2800 0000"
       "00000020 02000000 0100000000000000  64000000 63000000 00010000 11000000 01000000 02000000",
       {1, 0, 0x20000000, 2, 1, ExitBody{{100, 99}, 0x100, 17, {1, 2}}}},
      {"exit before Linux 4.18, without the parent",
       "44000000 0300 0000 01000000 00000000  01000000 01000000 01000000 00000000 2000 0000"
       "00000080 02000000 0100000000000000  64000000 63000000 00010000 11000000",
       {1, 0, 0x80000000, 2, 1, ExitBody{{100, 99}, 0x100, 17, {0, 0}}}},
      {"uid",
       "4c000000 0300 0000 01000000 00000000  01000000 01000000 01000000 00000000 2800 0000"
       "04000000 02000000 0100000000000000  01000000 02000000 e8030000 feffffff 0000000000000000",
       {1, 0, 4, 2, 1, UidBody{{1, 2}, 1000, 0xfffffffe}}},
      {"gid",
       "4c000000 0300 0000 01000000 00000000  01000000 01000000 01000000 00000000 2800 0000"
       "40000000 02000000 0100000000000000  01000000 02000000 e8030000 e9030000 0000000000000000",
       {1, 0, 0x40, 2, 1, GidBody{{1, 2}, 1000, 1001}}},
      {"sid",
       "4c000000 0300 0000 01000000 00000000  01000000 01000000 01000000 00000000 2800 0000"
       "80000000 02000000 0100000000000000  01000000 02000000 00000000000000000000000000000000",
       {1, 0, 0x80, 2, 1, SidBody{{1, 2}}}},
      {"ptrace",
       "4c000000 0300 0000 01000000 00000000  01000000 01000000 01000000 00000000 2800 0000"
       "00010000 02000000 0100000000000000  01000000 02000000 03000000 04000000 0000000000000000",
       {1, 0, 0x100, 2, 1, PtraceBody{{1, 2}, {3, 4}}}},
      {"comm",
       "4c000000 0300 0000 01000000 00000000  01000000 01000000 01000000 00000000 2800 0000"
       "00020000 02000000 0100000000000000  0b000000 0a000000 6b776f726b65722f303a312d65766500",
       {1, 0, 0x200, 2, 1, comm}},
      {"coredump",
       "4c000000 0300 0000 01000000 00000000  01000000 01000000 01000000 00000000 2800 0000"
       "00000040 02000000 0100000000000000  01000000 02000000 03000000 04000000 0000000000000000",
       {1, 0, 0x40000000, 2, 1, CoredumpBody{{1, 2}, {3, 4}}}},
      {"other netlink data type",
       "4c000000 1000 ffff 01020304 05060708  01000000 01000000 01000000 00000000 2800 ffff"
       "80000000 02000000 0100000000000000  01000000 02000000 00000000000000000000000000000000",
       {1, 0, 0x80, 2, 1, SidBody{{1, 2}}}},
  };
  for (const HexRow& row : rows) {
    SCOPED_TRACE(row.name);
    const Bytes datagram = FromHex(row.hex);
    const std::vector<Message> messages = DecodeAll(datagram);
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0].outcome, DecodeOutcome::kEvent);
    EXPECT_TRUE(messages[0].event == row.event);
  }
}

TEST(DecoderTest, KeepsTypeAndPayloadOfUnknownEvents) {
  for (const std::string_view payload :
       {"", "01", "0102030405", "0102030405060708 0910111213141516 1718192021222324"}) {
    SCOPED_TRACE(payload);
    const Bytes raw = FromHex(payload);
    const Bytes datagram = EncodeEvent({.sequence = 7, .what = 0x00000400, .cpu = 1, .body = UnknownBody{raw}});
    const std::vector<Message> messages = DecodeAll(datagram);
    ASSERT_EQ(messages.size(), 1U);
    ASSERT_EQ(messages[0].outcome, DecodeOutcome::kEvent);
    EXPECT_EQ(messages[0].event.kind(), EventKind::kUnknown);
    EXPECT_EQ(messages[0].event.what, 0x400U);
    EXPECT_EQ(messages[0].event.sequence, 7U);
    EXPECT_TRUE(messages[0].event.body == Event::Body(UnknownBody{raw}));
  }
}

TEST(DecoderTest, TreatsCombinedTypeBitsAsUnknown) {
  Bytes datagram = EncodeEvent({.body = ForkBody{}});
  Overwrite32(datagram, 36, wire::kWhatFork | wire::kWhatExec);
  const std::vector<Message> messages = DecodeAll(datagram);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].event.kind(), EventKind::kUnknown);
}

TEST(DecoderTest, DecodesNothingFromEmptyDatagram) { EXPECT_THAT(OutcomesOf({}), IsEmpty()); }

TEST(DecoderTest, ClassifiesEveryReservedNetlinkType) {
  for (std::uint16_t type = 0; type < 16; ++type) {
    SCOPED_TRACE(type);
    DecodeOutcome expected = DecodeOutcome::kReservedType;
    if (type == wire::kNoop || type == wire::kDone) {
      expected = DecodeOutcome::kControl;
    } else if (type == wire::kError) {
      expected = DecodeOutcome::kTruncatedEventBody;  // the errno is missing
    } else if (type == wire::kOverrun) {
      expected = DecodeOutcome::kOverrun;
    }
    EXPECT_THAT(OutcomesOf(EncodeNetlink(type, {})), ElementsAre(expected));
  }
}

TEST(DecoderTest, AcceptsPayloadOfNoopAndOverrun) {
  const Bytes payload = FromHex("0102030405");
  EXPECT_THAT(OutcomesOf(EncodeNetlink(wire::kNoop, payload)), ElementsAre(DecodeOutcome::kControl));
  EXPECT_THAT(OutcomesOf(EncodeNetlink(wire::kOverrun, payload)), ElementsAre(DecodeOutcome::kOverrun));
  EXPECT_THAT(OutcomesOf(EncodeNetlink(5, payload)), ElementsAre(DecodeOutcome::kReservedType));
}

TEST(DecoderTest, DistinguishesNoopAndDone) {
  const std::vector<Message> messages =
      DecodeAll(Concatenate({EncodeNetlink(wire::kDone, {}), EncodeNetlink(wire::kNoop, {})}));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].control, Control::kDone);
  EXPECT_EQ(messages[1].control, Control::kNoop);
}

TEST(DecoderTest, RejectsDataMessageWithoutPayload) {
  EXPECT_THAT(OutcomesOf(EncodeNetlink(16, {})), ElementsAre(DecodeOutcome::kTruncatedConnectorHeader));
  EXPECT_THAT(OutcomesOf(EncodeNetlink(0xffff, {})), ElementsAre(DecodeOutcome::kTruncatedConnectorHeader));
}

struct ErrorRow {
  std::string_view name;
  std::string_view payload;
  DecodeOutcome outcome;
  std::int32_t kernel_errno;
};

TEST(DecoderTest, DecodesErrnoOfErrorMessages) {
  constexpr std::int32_t kMinInt32 = std::numeric_limits<std::int32_t>::min();
  const std::vector<ErrorRow> rows{
      {"0 is an acknowledgement", "00000000", DecodeOutcome::kAcknowledgement, 0},
      {"0 with the header of the request", "00000000 28000000030000000000000000000000", DecodeOutcome::kAcknowledgement,
       0},
      {"EPERM", "ffffffff", DecodeOutcome::kKernelError, 1},
      {"ECONNREFUSED", "91ffffff 28000000030000000000000000000000", DecodeOutcome::kKernelError, 111},
      {"positive errno stays positive", "16000000", DecodeOutcome::kKernelError, 22},
      {"INT32_MIN + 1", "01000080", DecodeOutcome::kKernelError, std::numeric_limits<std::int32_t>::max()},
      {"INT32_MIN has no positive value", "00000080", DecodeOutcome::kKernelError, kMinInt32},
      {"no errno", "", DecodeOutcome::kTruncatedEventBody, 0},
      {"three bytes of an errno", "ffffff", DecodeOutcome::kTruncatedEventBody, 0},
  };
  for (const ErrorRow& row : rows) {
    SCOPED_TRACE(row.name);
    const std::vector<Message> messages = DecodeAll(EncodeNetlink(wire::kError, FromHex(row.payload)));
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0].outcome, row.outcome);
    EXPECT_EQ(messages[0].kernel_errno, row.kernel_errno);
  }
}

TEST(DecoderTest, DetectsForeignConnectors) {
  for (const std::size_t offset : {16U, 20U}) {
    for (const std::uint32_t value : {0U, 2U, 0x01000000U, UINT32_MAX}) {
      Bytes datagram = EncodeEvent({.body = ExecBody{}});
      Overwrite32(datagram, offset, value);
      EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kForeignConnector)) << offset << " " << value;
    }
  }
}

// The decoder does not validate the content of another connector's message.
TEST(DecoderTest, AcceptsAnyContentOfForeignConnectors) {
  Bytes datagram = EncodeEvent({.body = ExecBody{}});
  Overwrite32(datagram, 16, 9);
  Overwrite16(datagram, 32, 0xffff);
  EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kForeignConnector));
}

TEST(DecoderTest, DecodesSeveralMessagesInOneDatagram) {
  Bytes foreign = EncodeEvent({.body = ExecBody{}});
  Overwrite32(foreign, 16, 2);
  const Bytes one = FromHex("01");  // odd length: the next message starts at the alignment
  const Bytes datagram = Concatenate({
      EncodeEvent({.sequence = 1, .body = ForkBody{}}),
      EncodeNetlink(wire::kNoop, one),
      EncodeError(0),
      foreign,
      EncodeNetlink(wire::kOverrun, {}),
      EncodeEvent({.sequence = 2, .what = 0x800, .body = UnknownBody{one}}),
      EncodeError(13),
      EncodeNetlink(9, {}),
      EncodeNetlink(wire::kDone, {}),
      EncodeEvent({.sequence = 3, .body = CommBody{}}),
  });
  EXPECT_THAT(OutcomesOf(datagram),
              ElementsAre(DecodeOutcome::kEvent, DecodeOutcome::kControl, DecodeOutcome::kAcknowledgement,
                          DecodeOutcome::kForeignConnector, DecodeOutcome::kOverrun, DecodeOutcome::kEvent,
                          DecodeOutcome::kKernelError, DecodeOutcome::kReservedType, DecodeOutcome::kControl,
                          DecodeOutcome::kEvent));
  const std::vector<Message> messages = DecodeAll(datagram);
  EXPECT_EQ(messages[0].event.sequence, 1U);
  EXPECT_EQ(messages[5].event.sequence, 2U);
  EXPECT_EQ(messages[6].kernel_errno, 13);
  EXPECT_EQ(messages[9].event.sequence, 3U);
}

TEST(DecoderTest, StopsAfterMalformedMessage) {
  Bytes bad = EncodeEvent({.body = ForkBody{}});
  Overwrite16(bad, 32, 12);
  const Bytes good = EncodeEvent({.body = ForkBody{}});
  EXPECT_THAT(OutcomesOf(Concatenate({good, bad, good})),
              ElementsAre(DecodeOutcome::kEvent, DecodeOutcome::kTruncatedEventHeader));
}

TEST(DecoderTest, ReturnsFalseRepeatedlyAfterEnd) {
  for (const Bytes& datagram : {EncodeEvent({.body = ForkBody{}}), FromHex("0102")}) {
    Decoder decoder(datagram);
    Message message;
    EXPECT_TRUE(decoder.Next(message));
    EXPECT_FALSE(decoder.Next(message));
    EXPECT_FALSE(decoder.Next(message));
  }
}

}  // namespace
}  // namespace procevent
