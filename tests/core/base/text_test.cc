#include "core/base/text.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstdint>
#include <string_view>

namespace procevent {

namespace {

// In the locale that tests run in, "C", the library's functions mean ASCII.
TEST(AsciiTest, AgreesWithTheLibraryOnEveryByte) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    EXPECT_EQ(IsAlphanumeric(c), std::isalnum(byte) != 0) << byte;
    EXPECT_EQ(ToLowerAscii(c), static_cast<char>(std::tolower(byte))) << byte;
    EXPECT_EQ(ToUpperAscii(c), static_cast<char>(std::toupper(byte))) << byte;
  }
}

}  // namespace

namespace {

TEST(WordsTest, TakesThoseOfOneLine) {
  std::string_view text = "  one\ttwo \nthree";
  EXPECT_EQ(TakeWord(text), "one");
  EXPECT_EQ(TakeWord(text), "two");
  EXPECT_EQ(TakeWord(text), "") << "the line ends";
  EXPECT_EQ(TakeWord(text), "");
  text = "";
  EXPECT_EQ(TakeWord(text), "");
}

TEST(WordsTest, ANumberIsTheWholeWord) {
  EXPECT_EQ(ParseInteger<std::uint32_t>("4294967295"), 4294967295U);
  EXPECT_EQ(ParseInteger<std::int32_t>("-7"), -7);
  for (const std::string_view word : {"", "-", "+1", " 1", "1 ", "1x", "0x1", "4294967296", "-1"}) {
    EXPECT_FALSE(ParseInteger<std::uint32_t>(word)) << word;
  }
}

}  // namespace

}  // namespace procevent
