// Datagrams that stop early, and lengths that lie: in every layer and in both directions.
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

constexpr std::size_t kNetlinkLengthAt = 0;
constexpr std::size_t kConnectorLengthAt = 32;
constexpr std::size_t kConnectorEnd = wire::kNetlinkHeader + wire::kConnectorHeader;
constexpr std::size_t kBodyAt = kConnectorEnd + wire::kEventHeader;

Bytes CutTo(Bytes datagram, std::size_t size) {
  datagram.resize(size);
  return datagram;
}

// The layer that a datagram of this event stops in, if it stops after `size` bytes.
DecodeOutcome LayerAt(std::size_t size) {
  if (size < wire::kNetlinkHeader) {
    return DecodeOutcome::kTruncatedNetlinkHeader;
  }
  if (size < kConnectorEnd) {
    return DecodeOutcome::kTruncatedConnectorHeader;
  }
  if (size < kBodyAt) {
    return DecodeOutcome::kTruncatedEventHeader;
  }
  return DecodeOutcome::kTruncatedEventBody;
}

TEST(DecoderLengthsTest, EveryLengthOfEveryTypeWithItsHeadersUntouched) {
  for (const NamedEvent& row : OneOfEachKind()) {
    for (std::size_t size = 1; size < wire::kDatagram; ++size) {
      EXPECT_THAT(OutcomesOf(CutTo(EncodeEvent(row.event), size)), ElementsAre(LayerAt(size)))
          << row.name << " cut to " << size;
    }
  }
}

TEST(DecoderLengthsTest, EveryLengthOfEveryTypeWithAnHonestNetlinkHeader) {
  for (const NamedEvent& row : OneOfEachKind()) {
    for (std::size_t size = wire::kNetlinkHeader; size < wire::kDatagram; ++size) {
      Bytes datagram = CutTo(EncodeEvent(row.event), size);
      Overwrite32(datagram, kNetlinkLengthAt, static_cast<std::uint32_t>(size));
      const bool empty_done = size == wire::kNetlinkHeader;
      EXPECT_THAT(OutcomesOf(datagram), ElementsAre(empty_done ? DecodeOutcome::kControl : LayerAt(size)))
          << row.name << " cut to " << size;
    }
  }
}

// All lengths are true: then whatever holds the body is an event, and an unknown one has no size that it must have.
TEST(DecoderLengthsTest, EveryLengthOfEveryTypeWithHonestHeaders) {
  for (const NamedEvent& row : OneOfEachKind()) {
    for (std::size_t size = kConnectorEnd; size < wire::kDatagram; ++size) {
      Bytes datagram = CutTo(EncodeEvent(row.event), size);
      Overwrite32(datagram, kNetlinkLengthAt, static_cast<std::uint32_t>(size));
      Overwrite16(datagram, kConnectorLengthAt, static_cast<std::uint16_t>(size - kConnectorEnd));
      const bool unknown = row.event.kind() == EventKind::kUnknown && size >= kBodyAt;
      const bool exit_without_parent = row.event.kind() == EventKind::kExit && size == kBodyAt + 16;
      const bool whole = size >= kBodyAt + row.body_size || unknown || exit_without_parent;
      EXPECT_THAT(OutcomesOf(datagram), ElementsAre(whole ? DecodeOutcome::kEvent : LayerAt(size)))
          << row.name << " cut to " << size;
    }
  }
}

TEST(DecoderLengthsTest, NetlinkLengthBelowItsOwnHeader) {
  for (std::uint32_t length = 0; length < wire::kNetlinkHeader; ++length) {
    Bytes datagram = EncodeEvent({.body = ForkBody{}});
    Overwrite32(datagram, kNetlinkLengthAt, length);
    EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kTruncatedNetlinkHeader)) << length;
  }
}

TEST(DecoderLengthsTest, NetlinkLengthBeyondTheDatagram) {
  for (const NamedEvent& row : OneOfEachKind()) {
    for (const std::uint32_t length : {77U, 78U, 80U, 0x7fffffffU, 0x80000000U, 0xfffffffcU, 0xffffffffU}) {
      Bytes datagram = EncodeEvent(row.event);
      Overwrite32(datagram, kNetlinkLengthAt, length);
      EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kTruncatedEventBody)) << row.name << " " << length;
    }
  }
}

TEST(DecoderLengthsTest, NetlinkLengthBeyondTheDatagramOfOtherMessages) {
  Bytes foreign = EncodeEvent({.body = ForkBody{}});
  Overwrite32(foreign, 16, 2);
  const Bytes nothing = EncodeNetlink(wire::kNoop, {});
  for (Bytes datagram : {EncodeNetlink(wire::kNoop, {}), EncodeNetlink(wire::kOverrun, {}), EncodeNetlink(7, {}),
                         EncodeError(0), EncodeError(5), foreign}) {
    Overwrite32(datagram, kNetlinkLengthAt, static_cast<std::uint32_t>(datagram.size() + 1));
    EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kTruncatedEventBody)) << ToHex(datagram);
  }
  Bytes done = EncodeNetlink(wire::kDone, {});
  Overwrite32(done, kNetlinkLengthAt, 17);
  EXPECT_THAT(OutcomesOf(done), ElementsAre(DecodeOutcome::kTruncatedConnectorHeader));
}

// The netlink header claims the next message for this one, the connector header does not.
TEST(DecoderLengthsTest, NetlinkLengthThatSwallowsTheNextMessage) {
  Bytes first = EncodeEvent({.body = ForkBody{}});
  Overwrite32(first, kNetlinkLengthAt, 2 * wire::kDatagram);
  const Bytes second = EncodeEvent({.sequence = 1, .body = ForkBody{}});
  EXPECT_THAT(OutcomesOf(JoinWithCommas({first, second})), ElementsAre(DecodeOutcome::kWrongLength));
}

struct ConnectorRow {
  std::string_view name;
  std::uint16_t claimed;
  Event::Body body;
  DecodeOutcome outcome;
};

TEST(DecoderLengthsTest, ConnectorLengthAgainstWhatIsThere) {
  // All bytes of this body are set, up to the end of the event; of an exec's only the first eight are.
  const CommBody full{.task = {-1, -1},
                      .comm = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'}};
  const ExecBody exec{{-1, -1}};
  const std::vector<ConnectorRow> rows{
      {"nothing", 0, full, DecodeOutcome::kTruncatedEventHeader},
      {"all but one byte of the event header", 15, full, DecodeOutcome::kTruncatedEventHeader},
      {"the event header", 16, full, DecodeOutcome::kTruncatedEventBody},
      {"all but one byte", 39, full, DecodeOutcome::kTruncatedEventBody},
      {"all", 40, full, DecodeOutcome::kEvent},
      {"one byte more than there is", 41, full, DecodeOutcome::kTruncatedEventBody},
      {"as much as can be", 0xffff, full, DecodeOutcome::kTruncatedEventBody},
      {"all but one byte of the body", 23, exec, DecodeOutcome::kTruncatedEventBody},
      {"the body, before zeros", 24, exec, DecodeOutcome::kEvent},
      {"the body and some of the zeros", 31, exec, DecodeOutcome::kEvent},
      {"one byte more than the zeros", 41, exec, DecodeOutcome::kTruncatedEventBody},
      {"some of an unknown payload", 39, UnknownBody{std::as_bytes(std::span(full.comm))},
       DecodeOutcome::kTruncatedEventBody},
  };
  for (const ConnectorRow& row : rows) {
    Bytes datagram = EncodeEvent({.what = 0x800, .body = row.body});
    Overwrite16(datagram, kConnectorLengthAt, row.claimed);
    EXPECT_THAT(OutcomesOf(datagram), ElementsAre(row.outcome)) << row.name;
  }
}

TEST(DecoderLengthsTest, ConnectorLengthThatLeavesMoreThanPadding) {
  for (std::size_t at = kBodyAt + 8; at < wire::kDatagram; ++at) {
    Bytes datagram = EncodeEvent({.body = ExecBody{}});
    Overwrite16(datagram, kConnectorLengthAt, 24);
    datagram[at] = std::byte{1};
    EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kWrongLength)) << at;
  }
}

// The union behind a small body may hold anything.
TEST(DecoderLengthsTest, BytesBehindABodyInsideItsEventMeanNothing) {
  Bytes datagram = EncodeEvent({.body = ExecBody{{1, 2}}});
  datagram.back() = std::byte{0xff};
  EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kEvent));
}

TEST(DecoderLengthsTest, ZerosAfterAnEventArePadding) {
  for (std::size_t zeros = 1; zeros <= 200; ++zeros) {
    Bytes datagram = EncodeEvent({.body = ForkBody{}});
    datagram.resize(datagram.size() + zeros);
    EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kEvent)) << zeros;
    Overwrite32(datagram, kNetlinkLengthAt, static_cast<std::uint32_t>(datagram.size()));
    EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kEvent)) << zeros << " inside the message";
  }
}

TEST(DecoderLengthsTest, OtherBytesAfterAnEventAreATruncatedHeader) {
  for (std::size_t extra = 1; extra < wire::kNetlinkHeader; ++extra) {
    Bytes datagram = EncodeEvent({.body = ForkBody{}});
    datagram.resize(datagram.size() + extra);
    datagram.back() = std::byte{1};
    EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kEvent, DecodeOutcome::kTruncatedNetlinkHeader))
        << extra;
  }
}

TEST(DecoderLengthsTest, ZerosThatFollowNoEventAreNoPadding) {
  EXPECT_THAT(OutcomesOf(Bytes(5)), ElementsAre(DecodeOutcome::kTruncatedNetlinkHeader));
  EXPECT_THAT(OutcomesOf(Bytes(76)), ElementsAre(DecodeOutcome::kTruncatedNetlinkHeader));
  EXPECT_THAT(OutcomesOf(JoinWithCommas({EncodeNetlink(wire::kNoop, {}), Bytes(5)})),
              ElementsAre(DecodeOutcome::kControl, DecodeOutcome::kTruncatedNetlinkHeader));
}

// Zeros, and then something: not padding up to the end.
TEST(DecoderLengthsTest, ZerosBetweenMessagesAreAHeaderCutOff) {
  const Bytes event = EncodeEvent({.body = ForkBody{}});
  EXPECT_THAT(OutcomesOf(JoinWithCommas({event, Bytes(16), event})),
              ElementsAre(DecodeOutcome::kEvent, DecodeOutcome::kTruncatedNetlinkHeader));
}

TEST(DecoderLengthsTest, TheLastMessageNeedsNoAlignment) {
  const Bytes payload = FromHex("010203");
  Bytes datagram = EncodeEvent({.what = 0x800, .body = UnknownBody{payload}});
  datagram.pop_back();  // 55 bytes, as the netlink header says
  EXPECT_THAT(OutcomesOf(datagram), ElementsAre(DecodeOutcome::kEvent));
}

}  // namespace
}  // namespace procevent
