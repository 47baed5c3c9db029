#include "cmd/hex.h"

#include <gtest/gtest.h>

#include <string>

namespace procevent {
namespace {

TEST(HexTest, ThereAndBack) {
  std::string all;
  for (int i = 0; i < 256; ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    all += {kDigits[static_cast<std::size_t>(i / 16)], kDigits[static_cast<std::size_t>(i % 16)]};
  }
  const auto bytes = BytesOfHex(all);
  ASSERT_TRUE(bytes);
  for (std::size_t i = 0; i < 256; ++i) {
    EXPECT_EQ(std::to_integer<std::size_t>(bytes->at(i)), i);
  }
  EXPECT_EQ(HexOf(*bytes), all);
  EXPECT_EQ(BytesOfHex("0aFf"), BytesOfHex("0AfF"));
  EXPECT_EQ(BytesOfHex(""), Bytes());
}

TEST(HexTest, AllElseIsNone) {
  for (const char* const text : {"0", "000", "0g", "g0", "0x00", "00 00", " 00", "00\n", "+0", "é0"}) {
    EXPECT_EQ(BytesOfHex(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace procevent
