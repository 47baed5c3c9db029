#include "core/base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace procevent {
namespace {

using namespace std::string_literals;

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

struct QuoteRow {
  const char* name;
  std::string text;
  std::string quoted;
};

class QuotePrintableTest : public testing::TestWithParam<QuoteRow> {};

TEST_P(QuotePrintableTest, Escapes) { EXPECT_EQ(QuotePrintable(GetParam().text), GetParam().quoted); }

INSTANTIATE_TEST_SUITE_P(
    Rows, QuotePrintableTest,
    testing::Values(
        QuoteRow{"Plain", "12 parsecs", R"("12 parsecs")"}, QuoteRow{"Empty", "", R"("")"},
        QuoteRow{"QuoteAndBackslash", R"(a"b\c)", R"("a\"b\\c")"}, QuoteRow{"LineEnd", "a\nb\r", R"("a\x0ab\x0d")"},
        QuoteRow{"TerminalEscape", "\x1b[2J", R"("\x1b[2J")"}, QuoteRow{"Nul", "a\0b"s, R"("a\x00b")"},
        QuoteRow{"Delete", "\x7f", R"("\x7f")"}, QuoteRow{"Utf8", "grüße €😀", R"("grüße €😀")"},
        QuoteRow{"C1Control", "\xC2\x85", R"("\xc2\x85")"}, QuoteRow{"Overlong", "\xC0\xAF", R"("\xc0\xaf")"},
        QuoteRow{"OverlongThree", "\xE0\x80\xAF", R"("\xe0\x80\xaf")"},
        QuoteRow{"Surrogate", "\xED\xA0\x80", R"("\xed\xa0\x80")"},
        QuoteRow{"TooLarge", "\xF4\x90\x80\x80", R"("\xf4\x90\x80\x80")"},
        QuoteRow{"Truncated", "a\xE2\x82", R"("a\xe2\x82")"},
        QuoteRow{"BidiOverride", "\xE2\x80\xAE", R"("\xe2\x80\xae")"},
        QuoteRow{"AtTheLimit", std::string(80, 'x'), '"' + std::string(80, 'x') + '"'},
        QuoteRow{"AboveTheLimit", std::string(81, 'x'), '"' + std::string(80, 'x') + "...\""},
        QuoteRow{"CutsBetweenCharacters", std::string(79, 'x') + "€", '"' + std::string(79, 'x') + "...\""}),
    [](const auto& row) { return row.param.name; });

TEST(EscapeUnprintableTest, KeepsQuotes) { EXPECT_EQ(EscapeUnprintable("a \"b\" \\ \n"), "a \"b\" \\ \\x0a"); }

TEST(EscapeUnprintableTest, DoesNotCutAnEscape) {
  EXPECT_EQ(EscapeUnprintable("ab\n", 6), "ab\\x0a");
  EXPECT_EQ(EscapeUnprintable("abc\n", 6), "abc...");
  EXPECT_EQ(EscapeUnprintable("abc\xFF", 6), "abc...");
}

TEST(PrintablePieceTest, TakesOneCharacterOrByteAtATime) {
  std::string_view text = "a\xE2\x82\xAC\xE2\x80\xAE";
  std::vector<std::string> pieces;
  while (!text.empty()) {
    pieces.emplace_back(PrintablePiece(text).view());
  }
  EXPECT_THAT(pieces, testing::ElementsAre("a", "€", R"(\xe2)", R"(\x80)", R"(\xae)"));
}

TEST(AppendHexTest, WritesTheLowestDigits) {
  std::string hex;
  AppendHex(hex, 0x0AF1U, 4);
  AppendHex(hex, 0x12AFU, 2);
  AppendHex(hex, 0xDEADBEEFU, 8);
  EXPECT_EQ(hex, "0af1afdeadbeef");
}

TEST(QuotePrintableTest, IsBoundedAndPrintable) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 40, '\0');
    for (char& c : text) {
      c = static_cast<char>(random() % 4 == 0 ? random() % 128 : random());
    }
    const std::string quoted = QuotePrintable(text, 30);
    ASSERT_LE(quoted.size(), 2U + 30U + 1U + 3U);
    for (std::string_view rest = quoted; !rest.empty();) {
      const std::size_t length = Utf8Length(rest);
      ASSERT_NE(length, 0U) << quoted;
      ASSERT_TRUE(IsPrintable(rest, length)) << quoted;
      rest.remove_prefix(length);
    }
  }
}

TEST(SignalNameTest, MatchesGlibcNames) {
  for (int signal = 1; signal < 32; ++signal) {
    EXPECT_EQ(SignalName(static_cast<unsigned>(signal)),
              signal == 29 ? "SIGIO" : "SIG" + std::string(::sigabbrev_np(signal)))
        << signal;
  }
}

TEST(SignalNameTest, NamesRealTimeSignalsRelativeToSigrtmin) {
  EXPECT_EQ(SignalName(32), "SIG32");
  EXPECT_EQ(SignalName(33), "SIG33");
  EXPECT_EQ(SignalName(34), "SIGRTMIN");
  EXPECT_EQ(SignalName(35), "SIGRTMIN+1");
  EXPECT_EQ(SignalName(64), "SIGRTMIN+30");
  EXPECT_EQ(SignalName(65), "SIG65");
  EXPECT_EQ(SignalName(127), "SIG127");
  EXPECT_EQ(SignalName(0), "SIG0");
}

TEST(Utf8Test, FindsTheFirstInvalidByte) {
  EXPECT_EQ(FindInvalidUtf8(""), std::string_view::npos);
  EXPECT_EQ(FindInvalidUtf8("a\xC3\xBC\n"), std::string_view::npos);
  EXPECT_EQ(FindInvalidUtf8("\xC3\xBC\xff"), 2U);
  EXPECT_EQ(FindInvalidUtf8("a\xC3"), 1U);
}

}  // namespace
}  // namespace procevent
