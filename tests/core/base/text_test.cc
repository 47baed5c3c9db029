#include "core/base/text.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstdint>
#include <string_view>

namespace procevent {
namespace {

// Tests run in the "C" locale, in which the C library functions are ASCII-only.
TEST(AsciiTest, MatchesCLibraryForEveryByte) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    EXPECT_EQ(IsAlphanumeric(c), std::isalnum(byte) != 0) << byte;
    EXPECT_EQ(ToLowerAscii(c), static_cast<char>(std::tolower(byte))) << byte;
    EXPECT_EQ(ToUpperAscii(c), static_cast<char>(std::toupper(byte))) << byte;
  }
}

TEST(TakeWordTest, StopsAtEndOfLine) {
  std::string_view text = "  one\ttwo \nthree";
  EXPECT_EQ(TakeWord(text), "one");
  EXPECT_EQ(TakeWord(text), "two");
  EXPECT_EQ(TakeWord(text), "") << "end of the line";
  EXPECT_EQ(TakeWord(text), "");
  text = "";
  EXPECT_EQ(TakeWord(text), "");
}

TEST(ParseIntegerTest, AcceptsOnlyWholeWord) {
  EXPECT_EQ(ParseInteger<std::uint32_t>("4294967295"), 4294967295U);
  EXPECT_EQ(ParseInteger<std::int32_t>("-7"), -7);
  for (const std::string_view word : {"", "-", "+1", " 1", "1 ", "1x", "0x1", "4294967296", "-1"}) {
    EXPECT_FALSE(ParseInteger<std::uint32_t>(word)) << word;
  }
}

}  // namespace
}  // namespace procevent
