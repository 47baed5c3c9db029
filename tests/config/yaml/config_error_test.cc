#include "config/yaml/config_error.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/base/text.h"

namespace procevent {
namespace {

using namespace std::string_literals;

struct Row {
  const char* name;
  std::string text;
  std::string quoted;
};

class QuotePrintableTest : public testing::TestWithParam<Row> {};

TEST_P(QuotePrintableTest, Escapes) { EXPECT_EQ(QuotePrintable(GetParam().text), GetParam().quoted); }

INSTANTIATE_TEST_SUITE_P(
    Rows, QuotePrintableTest,
    testing::Values(Row{"Plain", "12 parsecs", R"("12 parsecs")"}, Row{"Empty", "", R"("")"},
                    Row{"QuoteAndBackslash", R"(a"b\c)", R"("a\"b\\c")"}, Row{"LineEnd", "a\nb\r", R"("a\x0ab\x0d")"},
                    Row{"TerminalEscape", "\x1b[2J", R"("\x1b[2J")"}, Row{"Nul", "a\0b"s, R"("a\x00b")"},
                    Row{"Delete", "\x7f", R"("\x7f")"}, Row{"Utf8", "grüße €😀", R"("grüße €😀")"},
                    Row{"C1Control", "\xC2\x85", R"("\xc2\x85")"}, Row{"Overlong", "\xC0\xAF", R"("\xc0\xaf")"},
                    Row{"OverlongThree", "\xE0\x80\xAF", R"("\xe0\x80\xaf")"},
                    Row{"Surrogate", "\xED\xA0\x80", R"("\xed\xa0\x80")"},
                    Row{"TooLarge", "\xF4\x90\x80\x80", R"("\xf4\x90\x80\x80")"},
                    Row{"Truncated", "a\xE2\x82", R"("a\xe2\x82")"},
                    Row{"BidiOverride", "\xE2\x80\xAE", R"("\xe2\x80\xae")"},
                    Row{"AtTheLimit", std::string(80, 'x'), '"' + std::string(80, 'x') + '"'},
                    Row{"AboveTheLimit", std::string(81, 'x'), '"' + std::string(80, 'x') + "...\""},
                    Row{"CutsBetweenCharacters", std::string(79, 'x') + "€", '"' + std::string(79, 'x') + "...\""}),
    [](const auto& row) { return row.param.name; });

TEST(ConfigErrorTest, DescribesAllParts) {
  EXPECT_EQ(Describe({"f.yml", {12, 5}, "log.level", InvalidValue("loud"), "debug or info"}),
            R"(f.yml:12:5: log.level: invalid value "loud": expected debug or info)");
  EXPECT_EQ(Describe({"f.yml", {}, {}, "cannot open the file", {}}), "f.yml: cannot open the file");
  EXPECT_EQ(Describe({{}, {}, "--log.level", "missing value", "debug or info"}),
            "--log.level: missing value: expected debug or info");
}

TEST(EscapeUnprintableTest, KeepsQuotes) { EXPECT_EQ(EscapeUnprintable("a \"b\" \\ \n"), "a \"b\" \\ \\x0a"); }

TEST(QuotePrintableTest, IsBoundedAndPrintable) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 40, '\0');
    for (char& c : text) {
      c = static_cast<char>(random() % 4 == 0 ? random() % 128 : random());
    }
    const std::string quoted = QuotePrintable(text, 30);
    ASSERT_LE(quoted.size(), 2U + 30U + 4U + 3U);
    for (std::string_view rest = quoted; !rest.empty();) {
      const std::size_t length = Utf8Length(rest);
      ASSERT_NE(length, 0U) << quoted;
      ASSERT_TRUE(IsPrintable(rest, length)) << quoted;
      rest.remove_prefix(length);
    }
  }
}

}  // namespace
}  // namespace procevent
