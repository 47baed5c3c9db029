// Round trips of random events, and randomly damaged datagrams compared with the reference decoder.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/protocol/encoder.h"
#include "core/protocol/wire.h"
#include "tests/core/protocol/reference_decoder.h"
#include "tests/core/protocol/test_events.h"

namespace procevent {
namespace {

TEST(DecoderPropertyTest, DecodesRandomEncodedEvents) {
  constexpr int kRounds = 100'000;
  RandomEvents random(20240501);
  std::array<int, kEventKinds> counts{};
  for (int round = 0; round < kRounds; ++round) {
    const Event event = random.Next();
    const Bytes datagram = EncodeEvent(event);
    const std::vector<Message> messages = DecodeAll(datagram);
    ASSERT_EQ(messages.size(), 1U) << ToHex(datagram);
    ASSERT_EQ(messages[0].outcome, DecodeOutcome::kEvent) << ToHex(datagram);
    ASSERT_TRUE(messages[0].event == event) << ToHex(datagram);
    ++counts[static_cast<std::size_t>(event.kind())];
  }
  EXPECT_GT(*std::ranges::min_element(counts), kRounds / 20);
}

Bytes RandomMessage(RandomEvents& random) {
  switch (random.UpTo(9)) {
    case 0:
      return EncodeError(static_cast<std::int32_t>(random.UpTo(2)) - 1);
    case 1:
      return EncodeNetlink(static_cast<std::uint16_t>(random.UpTo(20)), Bytes(random.UpTo(40), std::byte{1}));
    default:
      return EncodeEvent(random.Next());
  }
}

// Overwrites one length, type or ID field with a plausible or a random value.
void DamageField(RandomEvents& random, Bytes& bytes) {
  struct Field {
    std::size_t offset;
    std::size_t size;
  };
  constexpr std::array<Field, 7> kFields{{{0, 4}, {4, 2}, {16, 4}, {20, 4}, {32, 2}, {36, 4}, {40, 4}}};
  const Field field = kFields[random.UpTo(kFields.size() - 1)];
  if (bytes.size() < field.offset + field.size) {
    return;
  }
  const std::uint64_t value = random.UpTo(9) == 0 ? random.UpTo(UINT32_MAX) : random.UpTo(100);
  if (field.size == 2) {
    Overwrite16(bytes, field.offset, static_cast<std::uint16_t>(value));
  } else {
    Overwrite32(bytes, field.offset, static_cast<std::uint32_t>(value));
  }
}

void Damage(RandomEvents& random, Bytes& bytes) {
  switch (random.UpTo(4)) {
    case 0:
      bytes.resize(random.UpTo(bytes.size()));
      break;
    case 1:
      bytes.resize(bytes.size() + random.UpTo(30), random.UpTo(3) == 0 ? std::byte{2} : std::byte{0});
      break;
    case 2:
      if (!bytes.empty()) {
        bytes[random.UpTo(bytes.size() - 1)] ^= static_cast<std::byte>(1U << random.UpTo(7));
      }
      break;
    default:
      DamageField(random, bytes);
  }
}

bool IsSame(const Message& actual, const Message& expected) {
  if (actual.outcome != expected.outcome) {
    return false;
  }
  return (actual.outcome != DecodeOutcome::kEvent || actual.event == expected.event) &&
         (actual.outcome != DecodeOutcome::kControl || actual.control == expected.control) &&
         (actual.outcome != DecodeOutcome::kKernelError || actual.kernel_errno == expected.kernel_errno);
}

TEST(DecoderPropertyTest, MatchesReferenceDecoderOnDamagedDatagrams) {
  constexpr int kRounds = 100'000;
  RandomEvents random(20240502);
  std::array<int, kDecodeOutcomes> counts{};
  for (int round = 0; round < kRounds; ++round) {
    Bytes datagram;
    for (std::uint64_t parts = random.UpTo(2) + 1; parts > 0; --parts) {
      Bytes part = RandomMessage(random);
      for (std::uint64_t count = random.UpTo(2); count > 0; --count) {
        Damage(random, part);
      }
      datagram.insert(datagram.end(), part.begin(), part.end());
    }
    const std::vector<Message> actual = DecodeAll(datagram);
    const std::vector<Message> expected = ReferenceDecodeAll(datagram);
    ASSERT_TRUE(std::ranges::equal(actual, expected, IsSame)) << ToHex(datagram);
    for (const Message& message : actual) {
      ++counts[static_cast<std::size_t>(message.outcome)];
    }
  }
  for (std::size_t outcome = 0; outcome < kDecodeOutcomes; ++outcome) {
    EXPECT_GT(counts[outcome], 300) << "too few samples of outcome " << outcome;
  }
}

}  // namespace
}  // namespace procevent
