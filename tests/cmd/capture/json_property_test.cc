// For any datagram, decode | encode | decode prints the same as decode alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
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

void ExpectRoundTrip(const Bytes& datagram) {
  for (const std::string& line : LinesOf(datagram)) {
    const auto encoded = ParseJsonLine(line);
    ASSERT_TRUE(encoded) << line << '\n' << Describe(encoded.error());
    ASSERT_EQ(LinesOf(encoded.value()), std::vector{line});
  }
}

TEST(JsonPropertyTest, RoundTripsRandomEvents) {
  RandomEvents random(20261122);
  std::array<int, kEventKinds> counts{};
  for (int round = 0; round < 20'000; ++round) {
    const Event event = random.Next();
    ExpectRoundTrip(EncodeEvent(event));
    ++counts.at(static_cast<std::size_t>(event.kind()));
  }
  EXPECT_GT(*std::ranges::min_element(counts), 1000);
}

// Names near the border between plain and escaped, where one byte makes the difference.
TEST(JsonPropertyTest, RoundTripsRandomNames) {
  constexpr std::string_view kBytes("a\0\0\0\0\\\"\x7f\xc3\xa9\xff\n", 12);
  RandomEvents random(20261123);
  for (int round = 0; round < 20'000; ++round) {
    CommBody body{.task = {1, 2}};
    std::ranges::generate(body.comm, [&] { return kBytes[random.UpTo(kBytes.size() - 1)]; });
    ExpectRoundTrip(EncodeEvent({.body = body}));
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
      // Damages the lengths and types at the start more often than the rest.
      const std::uint64_t range = random.UpTo(2) == 0 ? part.size() : std::min<std::size_t>(part.size(), 8);
      part[random.UpTo(range - 1)] ^= static_cast<std::byte>(1U << random.UpTo(7));
    }
    datagram.insert(datagram.end(), part.begin(), part.end());
  }
  return datagram;
}

TEST(JsonPropertyTest, RoundTripsDamagedDatagrams) {
  RandomEvents random(20261124);
  std::array<int, kDecodeOutcomes> counts{};
  for (int round = 0; round < 20'000; ++round) {
    const Bytes datagram = RandomDatagram(random);
    ExpectRoundTrip(datagram);
    for (const DecodeOutcome outcome : OutcomesOf(datagram)) {
      ++counts.at(static_cast<std::size_t>(outcome));
    }
  }
  for (std::size_t outcome = 0; outcome < kDecodeOutcomes; ++outcome) {
    EXPECT_GT(counts.at(outcome), 50) << "too few samples of outcome " << outcome;
  }
}

TEST(JsonPropertyTest, RoundTripsRandomBytes) {
  RandomEvents random(20261125);
  for (int round = 0; round < 20'000; ++round) {
    Bytes datagram(random.UpTo(120));
    std::ranges::generate(datagram, [&] { return static_cast<std::byte>(random.UpTo(random.UpTo(1) == 0 ? 3 : 255)); });
    ExpectRoundTrip(datagram);
  }
}

}  // namespace
}  // namespace procevent
