// Truncated datagrams and wrong length fields, in every protocol layer and in both directions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "core/protocol/encoder.h"
#include "core/protocol/wire.h"
#include "tests/core/protocol/test_events.h"

namespace procevent {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t kNetlinkLengthOffset = 0;
constexpr std::size_t kConnectorLengthOffset = 32;
constexpr std::size_t kConnectorEnd = wire::kNetlinkHeader + wire::kConnectorHeader;
constexpr std::size_t kBodyOffset = kConnectorEnd + wire::kEventHeader;

Bytes TruncateTo(Bytes datagram, std::size_t size) {
  datagram.resize(size);
  return datagram;
}

// Expected outcome for an event datagram that is truncated after `size` bytes.
DecodeOutcome TruncationOutcome(std::size_t size) {
  if (size < wire::kNetlinkHeader) {
    return DecodeOutcome::kTruncatedNetlinkHeader;
  }
  if (size < kConnectorEnd) {
    return DecodeOutcome::kTruncatedConnectorHeader;
  }
  if (size < kBodyOffset) {
    return DecodeOutcome::kTruncatedEventHeader;
  }
  return DecodeOutcome::kTruncatedEventBody;
}

TEST(DecoderLengthsTest, TruncatesEveryTypeAtEveryLength) {
  for (const NamedEvent& row : OneOfEachKind()) {
    for (std::size_t size = 1; size < wire::kDatagram; ++size) {
      EXPECT_THAT(OutcomesOf(TruncateTo(EncodeEvent(row.event), size)), ElementsAre(TruncationOutcome(size)))
          << row.name << " truncated to " << size;
    }
  }
}

TEST(DecoderLengthsTest, TruncatesEveryTypeWithMatchingNetlinkLength) {
  for (const NamedEvent& row : OneOfEachKind()) {
    for (std::size_t size = wire::kNetlinkHeader; size < wire::kDatagram; ++size) {
      Bytes datagram = TruncateTo(EncodeEvent(row.event), size);
      Overwrite32(datagram, kNetlinkLengthOffset, static_cast<std::uint32_t>(size));
      const bool empty_done = size == wire::kNetlinkHeader;
      EXPECT_THAT(OutcomesOf(datagram), ElementsAre(empty_done ? DecodeOutcome::kControl : TruncationOutcome(size)))
          << row.name << " truncated to " << size;
    }
  }
}

// All length fields match. Then any size that holds the body is an event. An unknown event has no minimum body size.
TEST(DecoderLengthsTest, TruncatesEveryTypeWithAllLengthsMatching) {
  for (const NamedEvent& row : OneOfEachKind()) {
    for (std::size_t size = kConnectorEnd; size < wire::kDatagram; ++size) {
      Bytes datagram = TruncateTo(EncodeEvent(row.event), size);
      Overwrite32(datagram, kNetlinkLengthOffset, static_cast<std::uint32_t>(size));
      Overwrite16(datagram, kConnectorLengthOffset, static_cast<std::uint16_t>(size - kConnectorEnd));
      const bool unknown = row.event.kind() == EventKind::kUnknown && size >= kBodyOffset;
      const bool exit_without_parent = row.event.kind() == EventKind::kExit && size == kBodyOffset + 16;
      const bool complete = size >= kBodyOffset + row.body_size || unknown || exit_without_parent;
      EXPECT_THAT(OutcomesOf(datagram), ElementsAre(complete ? DecodeOutcome::kEvent : TruncationOutcome(size)))
          << row.name << " truncated to " << size;
    }
  }
}

TEST(DecoderLengthsTest, RejectsNetlinkLengthBelowHeaderSize) {
  for (std::uint32_t length = 0; length < wire::kNetlinkHeader; ++length) {
    Bytes datagram = EncodeEvent({.body = ForkBody{}});
    Overwrite32(datagram, kNetlinkLengthOffset, length);
    EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kTruncatedNetlinkHeader)) << length;
  }
}

TEST(DecoderLengthsTest, RejectsNetlinkLengthBeyondDatagram) {
  for (const NamedEvent& row : OneOfEachKind()) {
    for (const std::uint32_t length : {77U, 78U, 80U, 0x7fffffffU, 0x80000000U, 0xfffffffcU, 0xffffffffU}) {
      Bytes datagram = EncodeEvent(row.event);
      Overwrite32(datagram, kNetlinkLengthOffset, length);
      EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kTruncatedEventBody)) << row.name << " " << length;
    }
  }
}

TEST(DecoderLengthsTest, RejectsNetlinkLengthBeyondDatagramForOtherMessages) {
  Bytes foreign = EncodeEvent({.body = ForkBody{}});
  Overwrite32(foreign, 16, 2);
  const Bytes nothing = EncodeNetlink(wire::kNoop, {});
  for (Bytes datagram : {EncodeNetlink(wire::kNoop, {}), EncodeNetlink(wire::kOverrun, {}), EncodeNetlink(7, {}),
                         EncodeError(0), EncodeError(5), foreign}) {
    Overwrite32(datagram, kNetlinkLengthOffset, static_cast<std::uint32_t>(datagram.size() + 1));
    EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kTruncatedEventBody)) << ToHex(datagram);
  }
  Bytes done = EncodeNetlink(wire::kDone, {});
  Overwrite32(done, kNetlinkLengthOffset, 17);
  EXPECT_THAT(OutcomesOf(done), ElementsAre(DecodeOutcome::kTruncatedConnectorHeader));
}

// The netlink length includes the next message, the connector length does not.
TEST(DecoderLengthsTest, RejectsNetlinkLengthThatIncludesNextMessage) {
  Bytes first = EncodeEvent({.body = ForkBody{}});
  Overwrite32(first, kNetlinkLengthOffset, 2 * wire::kDatagram);
  const Bytes second = EncodeEvent({.sequence = 1, .body = ForkBody{}});
  EXPECT_THAT(OutcomesOf(Concatenate({first, second})), ElementsAre(DecodeOutcome::kWrongLength));
}

struct ConnectorRow {
  std::string_view name;
  std::uint16_t claimed;
  Event::Body body;
  DecodeOutcome outcome;
};

TEST(DecoderLengthsTest, ChecksConnectorLengthAgainstAvailableBytes) {
  // This body has no zero bytes up to the end of the event. An exec body sets only the first eight bytes.
  const CommBody full{.task = {-1, -1},
                      .comm = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'}};
  const ExecBody exec{{-1, -1}};
  const std::vector<ConnectorRow> rows{
      {"zero", 0, full, DecodeOutcome::kTruncatedEventHeader},
      {"event header less one byte", 15, full, DecodeOutcome::kTruncatedEventHeader},
      {"event header only", 16, full, DecodeOutcome::kTruncatedEventBody},
      {"event less one byte", 39, full, DecodeOutcome::kTruncatedEventBody},
      {"complete event", 40, full, DecodeOutcome::kEvent},
      {"one byte more than available", 41, full, DecodeOutcome::kTruncatedEventBody},
      {"maximum length", 0xffff, full, DecodeOutcome::kTruncatedEventBody},
      {"body less one byte", 23, exec, DecodeOutcome::kTruncatedEventBody},
      {"body only, zeros after it", 24, exec, DecodeOutcome::kEvent},
      {"body and some of the zeros", 31, exec, DecodeOutcome::kEvent},
      {"body, zeros and one byte more", 41, exec, DecodeOutcome::kTruncatedEventBody},
      {"part of an unknown payload", 39, UnknownBody{std::as_bytes(std::span(full.comm))},
       DecodeOutcome::kTruncatedEventBody},
  };
  for (const ConnectorRow& row : rows) {
    Bytes datagram = EncodeEvent({.what = 0x800, .body = row.body});
    Overwrite16(datagram, kConnectorLengthOffset, row.claimed);
    EXPECT_THAT(OutcomesOf(datagram), ElementsAre(row.outcome)) << row.name;
  }
}

TEST(DecoderLengthsTest, RejectsNonzeroBytesBeyondConnectorLength) {
  for (std::size_t at = kBodyOffset + 8; at < wire::kDatagram; ++at) {
    Bytes datagram = EncodeEvent({.body = ExecBody{}});
    Overwrite16(datagram, kConnectorLengthOffset, 24);
    datagram[at] = std::byte{1};
    EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kWrongLength)) << at;
  }
}

// The rest of the kernel's union after a small body has undefined content.
TEST(DecoderLengthsTest, IgnoresUnionBytesAfterSmallBody) {
  Bytes datagram = EncodeEvent({.body = ExecBody{{1, 2}}});
  datagram.back() = std::byte{0xff};
  EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kEvent));
}

TEST(DecoderLengthsTest, AcceptsZerosAfterEventAsPadding) {
  for (std::size_t zeros = 1; zeros <= 200; ++zeros) {
    Bytes datagram = EncodeEvent({.body = ForkBody{}});
    datagram.resize(datagram.size() + zeros);
    EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kEvent)) << zeros;
    Overwrite32(datagram, kNetlinkLengthOffset, static_cast<std::uint32_t>(datagram.size()));
    EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kEvent)) << zeros << " inside the message";
  }
}

TEST(DecoderLengthsTest, ReportsOtherBytesAfterEventAsTruncatedHeader) {
  for (std::size_t extra = 1; extra < wire::kNetlinkHeader; ++extra) {
    Bytes datagram = EncodeEvent({.body = ForkBody{}});
    datagram.resize(datagram.size() + extra);
    datagram.back() = std::byte{1};
    EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kEvent, DecodeOutcome::kTruncatedNetlinkHeader))
        << extra;
  }
}

TEST(DecoderLengthsTest, RejectsZerosNotAfterEvent) {
  EXPECT_THAT(OutcomesOf(Bytes(5)), ElementsAre(DecodeOutcome::kTruncatedNetlinkHeader));
  EXPECT_THAT(OutcomesOf(Bytes(76)), ElementsAre(DecodeOutcome::kTruncatedNetlinkHeader));
  EXPECT_THAT(OutcomesOf(Concatenate({EncodeNetlink(wire::kNoop, {}), Bytes(5)})),
              ElementsAre(DecodeOutcome::kControl, DecodeOutcome::kTruncatedNetlinkHeader));
}

// Zeros followed by another message are not padding.
TEST(DecoderLengthsTest, RejectsZerosBetweenMessages) {
  const Bytes event = EncodeEvent({.body = ForkBody{}});
  EXPECT_THAT(OutcomesOf(Concatenate({event, Bytes(16), event})),
              ElementsAre(DecodeOutcome::kEvent, DecodeOutcome::kTruncatedNetlinkHeader));
}

TEST(DecoderLengthsTest, AcceptsUnalignedLastMessage) {
  const Bytes payload = FromHex("010203");
  Bytes datagram = EncodeEvent({.what = 0x800, .body = UnknownBody{payload}});
  datagram.pop_back();  // 55 bytes, as the netlink header says
  EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kEvent));
}

}  // namespace
}  // namespace procevent
