#include "core/lookup/for_each_event.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "core/protocol/encoder.h"
#include "core/protocol/wire.h"

namespace procevent {
namespace {

Bytes Numbered(std::uint32_t sequence) {
  return EncodeEvent({.sequence = sequence,
                      .acknowledged = 0,
                      .what = wire::kWhatSid,
                      .cpu = 0,
                      .timestamp_ns = 1,
                      .body = SidBody{{7, 7}}});
}

std::vector<std::uint32_t> NumbersIn(const DatagramBatch& batch) {
  std::vector<std::uint32_t> numbers;
  ForEachKernelEvent(batch, [&](const Event& event) { numbers.push_back(event.sequence); });
  return numbers;
}

TEST(ForEachKernelEventTest, OnlyWhatTheKernelSaidInOrder) {
  DatagramBatch batch;
  EXPECT_EQ(NumbersIn(batch), std::vector<std::uint32_t>{});
  Bytes two = Numbered(1);
  const Bytes second = Numbered(2);
  two.insert(two.end(), second.begin(), second.end());
  ASSERT_TRUE(batch.Append(two, 0));
  ASSERT_TRUE(batch.Append(Numbered(3), 4711));  // not the kernel
  ASSERT_TRUE(batch.Append(EncodeNetlink(wire::kNoop, {}), 0));
  ASSERT_TRUE(batch.Append(EncodeError(0), 0));
  const Bytes whole = Numbered(4);
  ASSERT_TRUE(batch.Append(std::span(whole).first(whole.size() - 40), 0));
  ASSERT_TRUE(batch.Append(Numbered(5), 0));
  EXPECT_EQ(NumbersIn(batch), (std::vector<std::uint32_t>{1, 2, 5}));
}

}  // namespace
}  // namespace procevent
