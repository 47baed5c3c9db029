// Exact bytes of requests to the kernel, and of the kernel messages that tests use.
#include "core/protocol/encoder.h"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/wire.h"
#include "tests/core/protocol/test_events.h"

namespace procevent {
namespace {

struct BytesRow {
  std::string_view name;
  Bytes bytes;
  std::string_view hex;
};

TEST(EncoderTest, EncodesRequests) {
  const EventMask some = EventMask::None().With(EventKind::kFork).With(EventKind::kComm);
  const std::vector<BytesRow> rows{
      {"listen", EncodeRequest(ConnectorOperation::kListen, 0x11223344),
       "28000000 0300 0000 00000000 00000000  01000000 01000000 00000000 44332211 0400 0000  01000000"},
      {"ignore", EncodeRequest(ConnectorOperation::kIgnore, 1),
       "28000000 0300 0000 00000000 00000000  01000000 01000000 00000000 01000000 0400 0000  02000000"},
      {"invalid operation", EncodeRequest(ConnectorOperation::kInvalidOperation, UINT32_MAX),
       "28000000 0300 0000 00000000 00000000  01000000 01000000 00000000 ffffffff 0400 0000  09000000"},
      {"listen, all events", EncodeRequest(ConnectorOperation::kListen, EventMask::All(), 2),
       "2c000000 0300 0000 00000000 00000000  01000000 01000000 00000000 02000000 0800 0000  01000000 c70300e0"},
      {"listen, some events", EncodeRequest(ConnectorOperation::kListen, some, 2),
       "2c000000 0300 0000 00000000 00000000  01000000 01000000 00000000 02000000 0800 0000  01000000 01020000"},
      {"ignore, with a mask", EncodeRequest(ConnectorOperation::kIgnore, EventMask::None(), 2),
       "2c000000 0300 0000 00000000 00000000  01000000 01000000 00000000 02000000 0800 0000  02000000 00000000"},
  };
  for (const BytesRow& row : rows) {
    EXPECT_EQ(ToHex(row.bytes), ToHex(FromHex(row.hex))) << row.name;
  }
}

TEST(EncoderTest, EncodesControlMessages) {
  const std::vector<BytesRow> rows{
      {"noop", EncodeNetlink(wire::kNoop, {}), "10000000 0100 0000 00000000 00000000"},
      {"overrun", EncodeNetlink(wire::kOverrun, {}), "10000000 0400 0000 00000000 00000000"},
      {"padding not included in the length", EncodeNetlink(0xabcd, FromHex("0102030405")),
       "15000000 cdab 0000 00000000 00000000  0102030405 000000"},
      {"acknowledgement", EncodeError(0),
       "24000000 0200 0000 00000000 00000000  00000000  00000000 0000 0000 00000000 00000000"},
      {"EPERM, negative on the wire", EncodeError(1),
       "24000000 0200 0000 00000000 00000000  ffffffff  00000000 0000 0000 00000000 00000000"},
      {"INT32_MIN", EncodeError(std::numeric_limits<std::int32_t>::min()),
       "24000000 0200 0000 00000000 00000000  00000080  00000000 0000 0000 00000000 00000000"},
  };
  for (const BytesRow& row : rows) {
    EXPECT_EQ(ToHex(row.bytes), ToHex(FromHex(row.hex))) << row.name;
  }
}

TEST(EncoderTest, EncodesEveryEventWithKernelLength) {
  const std::string headers = "4c000000 0300 0000 04030201 00000000  01000000 01000000 04030201 0d0c0b0a 2800 0000 ";
  const std::string rest_of_header = " 03000000 8877665544332211 ";
  const std::vector<std::string> what_and_body{
      "00000000|16000000 00000000 00000000 00000000 00000000 00000000",
      "01000000|65000000 66000000 67000000 68000000 00000000 00000000",
      "02000000|c9000000 ca000000 00000000 00000000 00000000 00000000",
      "00000080|2d010000 2e010000 8b000000 11000000 2f010000 30010000",
      "00000020|31010000 32010000 00010000 12000000 33010000 34010000",
      "04000000|91010000 92010000 93010000 94010000 00000000 00000000",
      "40000000|f5010000 f6010000 f7010000 f8010000 00000000 00000000",
      "80000000|59020000 5a020000 00000000 00000000 00000000 00000000",
      "00010000|bd020000 be020000 bf020000 c0020000 00000000 00000000",
      "00020000|21030000 22030000 61206e61 6d650000 00000000 00000000",
      "00000040|85030000 86030000 87030000 88030000 00000000 00000000",
      "00040000|f0f1f2f3 f4f5f6f7 e0e1e2e3 e4e5e6e7 d0d1d2d3 d4d5d6d7",
  };
  ASSERT_EQ(what_and_body.size(), OneOfEachKind().size());
  for (std::size_t i = 0; i < what_and_body.size(); ++i) {
    const std::string& row = what_and_body[i];
    const std::string hex = headers + row.substr(0, 8) + rest_of_header + row.substr(9);
    EXPECT_EQ(ToHex(EncodeEvent(OneOfEachKind()[i].event)), ToHex(FromHex(hex))) << OneOfEachKind()[i].name;
  }
}

TEST(EncoderTest, KeepsUnknownPayload) {
  const Bytes payload = FromHex("aabbcc");
  EXPECT_EQ(
      ToHex(EncodeEvent({.sequence = 1, .what = 0x800, .cpu = 2, .timestamp_ns = 3, .body = UnknownBody{payload}})),
      ToHex(FromHex("37000000 0300 0000 01000000 00000000  01000000 01000000 01000000 00000000 1300 0000"
                    "00080000 02000000 0300000000000000 aabbcc 00")));
}

// The body determines the event type. A contradicting `what` is ignored.
TEST(EncoderTest, DerivesTypeFromBody) {
  for (const NamedEvent& row : OneOfEachKind()) {
    if (row.event.kind() == EventKind::kUnknown || row.event.what == wire::kWhatNonzeroExit) {
      continue;
    }
    Event contradicting = row.event;
    contradicting.what = row.event.what == wire::kWhatFork ? wire::kWhatExec : wire::kWhatFork;
    EXPECT_EQ(ToHex(EncodeEvent(contradicting)), ToHex(EncodeEvent(row.event))) << row.name;
  }
}

TEST(EncoderTest, EncodesEveryOutcome) {
  for (std::size_t i = 0; i < kDecodeOutcomes; ++i) {
    const Message message{.outcome = static_cast<DecodeOutcome>(i), .control = Control::kDone, .kernel_errno = 13};
    const Bytes datagram = EncodeMessage(message);
    const std::vector<Message> decoded = DecodeAll(datagram);
    ASSERT_EQ(decoded.size(), 1U) << ToHex(datagram);
    EXPECT_EQ(decoded[0].outcome, message.outcome) << ToHex(datagram);
    EXPECT_LE(datagram.size(), 80U);
    if (message.outcome == DecodeOutcome::kControl) {
      EXPECT_EQ(decoded[0].control, Control::kDone);
    } else if (message.outcome == DecodeOutcome::kKernelError) {
      EXPECT_EQ(decoded[0].kernel_errno, 13);
    }
  }
  EXPECT_EQ(DecodeAll(EncodeMessage({.control = Control::kNoop})).at(0).control, Control::kNoop);
}

// Truncated messages have matching length fields, so a decoder that checks lengths first gets the same outcome.
TEST(EncoderTest, EncodesTruncatedMessagesWithMatchingLengths) {
  EXPECT_EQ(ToHex(EncodeMessage({.outcome = DecodeOutcome::kTruncatedConnectorHeader})),
            ToHex(FromHex("14000000 0300 0000 00000000 00000000  00000000")));
  EXPECT_EQ(ToHex(EncodeMessage({.outcome = DecodeOutcome::kTruncatedEventHeader})),
            ToHex(FromHex("24000000 0300 0000 00000000 00000000  01000000 01000000 00000000 00000000 0000 0000")));
  EXPECT_EQ(ToHex(EncodeMessage({.outcome = DecodeOutcome::kTruncatedEventBody})),
            ToHex(FromHex("34000000 0300 0000 00000000 00000000  01000000 01000000 00000000 00000000 1000 0000"
                          "01000000 00000000 0000000000000000")));
}

TEST(EncoderTest, FromHexRejectsInvalidDigits) {
  EXPECT_EQ(FromHex("00 ff 0a"), (Bytes{std::byte{0x00}, std::byte{0xff}, std::byte{0x0a}}));
  EXPECT_EQ(ToHex(FromHex("00 ff 0a")), "00ff0a");
  EXPECT_THROW(FromHex("0"), std::invalid_argument);
  EXPECT_THROW(FromHex("0g"), std::invalid_argument);
}

}  // namespace
}  // namespace procevent
