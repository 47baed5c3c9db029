// decode | encode | decode says the same as decode alone, whatever the datagrams are.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <variant>
#include <vector>

#include "cmd/capture/event_json.h"
#include "tests/core/protocol/test_events.h"

namespace procevent {
namespace {

std::vector<std::string> LinesOf(const Bytes& datagram) {
  std::vector<std::string> lines;
  for (const Message& message : DecodeAll(datagram)) {
    lines.push_back(FormatJsonLine(message));
  }
  return lines;
}

void ExpectToComeBack(const Bytes& datagram) {
  for (const std::string& line : LinesOf(datagram)) {
    const auto encoded = ParseJsonLine(line);
    ASSERT_TRUE(std::holds_alternative<Bytes>(encoded)) << line << '\n' << std::get<std::string>(encoded);
    ASSERT_EQ(LinesOf(std::get<Bytes>(encoded)), std::vector{line});
  }
}

TEST(JsonPropertyTest, RandomEventsComeBack) {
  RandomEvents random(20261122);
  std::array<int, kEventKinds> seen{};
  for (int round = 0; round < 20'000; ++round) {
    const Event event = random.Next();
    ExpectToComeBack(EncodeEvent(event));
    ++seen.at(static_cast<std::size_t>(event.kind()));
  }
  EXPECT_GT(*std::ranges::min_element(seen), 1000);
}

// Names that are nearly plain, where a byte decides.
TEST(JsonPropertyTest, RandomNamesComeBack) {
  constexpr std::string_view kBytes("a\0\0\0\0\\\"\x7f\xc3\xa9\xff\n", 12);
  RandomEvents random(20261123);
  for (int round = 0; round < 20'000; ++round) {
    CommBody body{.task = {1, 2}};
    std::ranges::generate(body.comm, [&] { return kBytes[random.UpTo(kBytes.size() - 1)]; });
    ExpectToComeBack(EncodeEvent({.body = body}));
  }
}

Bytes RandomDatagram(RandomEvents& random) {
  Bytes datagram;
  for (std::uint64_t parts = random.UpTo(2) + 1; parts > 0; --parts) {
    Bytes part = random.UpTo(3) == 0
                     ? EncodeMessage(
                           {.outcome = static_cast<DecodeOutcome>(random.UpTo(kDecodeOutcomes - 1)), .kernel_errno = 1})
                     : EncodeEvent(random.Next());
    if (random.UpTo(1) == 0) {
      part.resize(random.UpTo(part.size() + 8), static_cast<std::byte>(random.UpTo(1)));
    }
    for (std::uint64_t flips = random.UpTo(2); flips > 0 && !part.empty(); --flips) {
      // Lengths and types, which stand in front, more often than the rest.
      const std::uint64_t most = random.UpTo(2) == 0 ? part.size() : std::min<std::size_t>(part.size(), 8);
      part[random.UpTo(most - 1)] ^= static_cast<std::byte>(1U << random.UpTo(7));
    }
    datagram.insert(datagram.end(), part.begin(), part.end());
  }
  return datagram;
}

TEST(JsonPropertyTest, DamagedDatagramsComeBack) {
  RandomEvents random(20261124);
  std::array<int, kDecodeOutcomes> seen{};
  for (int round = 0; round < 20'000; ++round) {
    const Bytes datagram = RandomDatagram(random);
    ExpectToComeBack(datagram);
    for (const DecodeOutcome outcome : OutcomesOf(datagram)) {
      ++seen.at(static_cast<std::size_t>(outcome));
    }
  }
  for (std::size_t outcome = 0; outcome < kDecodeOutcomes; ++outcome) {
    EXPECT_GT(seen.at(outcome), 50) << "too few of outcome " << outcome << " to say anything about it";
  }
}

TEST(JsonPropertyTest, RandomBytesComeBack) {
  RandomEvents random(20261125);
  for (int round = 0; round < 20'000; ++round) {
    Bytes datagram(random.UpTo(120));
    std::ranges::generate(datagram, [&] { return static_cast<std::byte>(random.UpTo(random.UpTo(1) == 0 ? 3 : 255)); });
    ExpectToComeBack(datagram);
  }
}

}  // namespace
}  // namespace procevent
