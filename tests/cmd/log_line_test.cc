#include "cmd/log_line.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>

#include "config/text.h"
#include "core/base/utf8.h"

namespace procevent {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr system_clock::time_point kNoon{milliseconds(1'795'262'400'007)};

struct Row {
  const char* name;
  std::string message;
  std::string quoted;
};

class LogLineTest : public testing::TestWithParam<Row> {};

TEST_P(LogLineTest, IsOneLineInBothForms) {
  EXPECT_EQ(LogLine(LogFormat::kLogfmt, kNoon, LogLevel::kInfo, GetParam().message),
            "ts=2026-11-21T12:00:00.007Z level=info msg=" + GetParam().quoted + "\n");
  EXPECT_EQ(LogLine(LogFormat::kJson, kNoon, LogLevel::kWarning, GetParam().message),
            R"({"ts":"2026-11-21T12:00:00.007Z","level":"warning","msg":)" + GetParam().quoted + "}\n");
}

INSTANTIATE_TEST_SUITE_P(
    Rows, LogLineTest,
    testing::Values(Row{"Plain", "serving /metrics", R"("serving /metrics")"}, Row{"Empty", "", R"("")"},
                    Row{"QuoteAndBackslash", R"(a "b" \c)", R"("a \"b\" \\c")"},
                    Row{"LineEnds", "a\nb\r\n", R"("a\nb\u000d\n")"}, Row{"Tab", "a\tb", R"("a\u0009b")"},
                    Row{"Nul", "a\0b"s, R"("a\u0000b")"}, Row{"Escape", "\x1b[2J", R"("\u001b[2J")"},
                    Row{"Delete", "\x7f", R"("\u007f")"}, Row{"C1Control", "\xC2\x85", R"("\u0085")"},
                    Row{"LineSeparator", "\xE2\x80\xA8", R"("\u2028")"}, Row{"Utf8", "grüße €😀", R"("grüße €😀")"},
                    Row{"NoUtf8", "a\xFF\xC3", R"("a\ufffd\ufffd")"}),
    [](const auto& row) { return row.param.name; });

TEST(LogLineTest, NamesEveryLevel) {
  EXPECT_NE(LogLine(LogFormat::kLogfmt, kNoon, LogLevel::kDebug, "").find("level=debug "), std::string::npos);
  EXPECT_NE(LogLine(LogFormat::kLogfmt, kNoon, LogLevel::kError, "").find("level=error "), std::string::npos);
}

TEST(LogLineTest, TimesBeforeTheEpochToo) {
  EXPECT_EQ(LogLine(LogFormat::kLogfmt, system_clock::time_point(milliseconds(-1)), LogLevel::kInfo, ""),
            "ts=1969-12-31T23:59:59.999Z level=info msg=\"\"\n");
}

// What a JSON reader makes of a quoted text; its bytes past the closing quote stay in `rest`.
std::string Unquote(std::string_view& rest) {
  std::string text;
  for (rest.remove_prefix(1); rest.front() != '"'; rest.remove_prefix(1)) {
    if (rest.front() != '\\') {
      text += rest.front();
      continue;
    }
    rest.remove_prefix(1);
    if (rest.front() == 'n') {
      text += '\n';
    } else if (rest.front() == 'u') {
      text += "<" + std::string(rest.substr(1, 4)) + ">";
      rest.remove_prefix(4);
    } else {
      text += rest.front();
    }
  }
  rest.remove_prefix(1);
  return text;
}

// The slow, obvious reference: what Unquote should give back.
std::string Expected(std::string_view message) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  while (!message.empty()) {
    const std::size_t length = Utf8Length(message);
    const bool kept = message.front() == '\n' || (length > 0 && IsPrintable(message, length));
    if (kept) {
      text += message.substr(0, length);
    } else {
      const char32_t point = length == 0 ? 0xFFFD : CodePoint(message, length);
      // JSON knows what is beyond 16 bits as two surrogates.
      const std::u32string units =
          point <= 0xFFFF ? std::u32string{point}
                          : std::u32string{0xD800 + ((point - 0x10000) >> 10U), 0xDC00 + ((point - 0x10000) & 0x3FFU)};
      for (const char32_t unit : units) {
        text +=
            {'<', kDigits[unit >> 12U], kDigits[unit >> 8U & 15U], kDigits[unit >> 4U & 15U], kDigits[unit & 15U], '>'};
      }
    }
    message.remove_prefix(length == 0 ? 1 : length);
  }
  return text;
}

TEST(LogLineTest, WhateverIsSaidCanBeReadBack) {
  constexpr std::string_view kBefore = R"({"ts":"2026-11-21T12:00:00.007Z","level":"info","msg":)";
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string message(random() % 30, '\0');
    for (char& c : message) {
      c = random() % 3 == 0 ? "\"\\\n\xE2\x80\xA8\xC2\x85"[random() % 8] : static_cast<char>(random());
    }
    const std::string line = LogLine(LogFormat::kJson, kNoon, LogLevel::kInfo, message);
    ASSERT_TRUE(line.starts_with(kBefore)) << line;
    std::string_view rest = std::string_view(line).substr(kBefore.size());
    ASSERT_EQ(Unquote(rest), Expected(message)) << line;
    ASSERT_EQ(rest, "}\n");
    ASSERT_EQ(line.find('\n'), line.size() - 1);
  }
}

TEST(LogLineTest, IsNeverLongerThanAPipeTakesAtOnce) {
  for (const std::string& message : {std::string(5000, 'x'), std::string(5000, '\0'), std::string(5000, '"')}) {
    const std::string line = LogLine(LogFormat::kJson, kNoon, LogLevel::kWarning, message);
    EXPECT_LE(line.size(), kMostLineBytes);
    EXPECT_TRUE(line.ends_with("...\"}\n"));
  }
}

}  // namespace
}  // namespace procevent
