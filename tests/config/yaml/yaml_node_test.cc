#include "config/yaml/yaml_node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "config/load.h"
#include "core/base/text.h"
#include "tests/config/loaded_errors.h"
#include "tests/config/random_config.h"

namespace procevent {

namespace {

using namespace std::string_literals;

std::vector<std::string> ErrorsOf(std::string_view text) { return DescribeErrors(LoadConfig(text, "f.yml")); }

std::string Repeat(std::string_view part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) {
    text += part;
  }
  return text;
}

struct Row {
  const char* name;
  std::string text;
  std::string place;          // position and key: the error begins with them
  std::string problem;        // occurs after the place
  std::string expected = {};  // occurs after the problem
};

class InvalidYamlTest : public testing::TestWithParam<Row> {};

TEST_P(InvalidYamlTest, IsOneError) {
  const Row& row = GetParam();
  const std::vector<std::string> errors = ErrorsOf(row.text);
  ASSERT_THAT(errors, testing::ElementsAre(testing::StartsWith(row.place + ": ")));
  const std::size_t problem = errors[0].find(row.problem, row.place.size());
  ASSERT_NE(problem, std::string::npos) << errors[0];
  EXPECT_NE(errors[0].find(row.expected, problem + row.problem.size()), std::string::npos) << errors[0];
}

INSTANTIATE_TEST_SUITE_P(
    Rows, InvalidYamlTest,
    testing::Values(
        Row{"SecondDocument", "log: {}\n---\nlog: {}\n", "f.yml:2:1", "second document", "one document"},
        Row{"DocumentAfterTheEnd", "log: {}\n...\nlog: {}\n", "f.yml:3:1", "second document", "one document"},
        Row{"Anchor", "log: {level: &a info}", "f.yml:1:14: log.level", "anchor", "value alone"},
        Row{"AnchorOfEmptyValue", "log: {level: &a }", "f.yml:1:14: log.level", "anchor", "value alone"},
        Row{"AnchorOfAKey", "&a log: {}", "f.yml:1:1", "anchor", "value alone"},
        Row{"UnknownAlias", "log: {level: *a}", "f.yml:1:14", "invalid YAML: the referenced anchor is not defined",
            "well-formed YAML"},
        Row{"Tag", "log: {level: !!str info}", "f.yml:1:14: log.level", "tag", "value alone"},
        Row{"BareTag", "log: {level: ! info}", "f.yml:1:14: log.level", "tag", "value alone"},
        Row{"TagOfAMap", "log: !x {}", "f.yml:1:6: log", "tag", "value alone"},
        Row{"TagOfAList", "source: {events: !!seq [fork]}", "f.yml:1:18: source.events", "tag", "value alone"},
        Row{"TwoAnchors", "log: {level: &a &b info}", "f.yml:1:17",
            "invalid YAML: cannot assign multiple anchors to the same node", "well-formed YAML"},
        Row{"TooDeep", Repeat("a: {", 1) + Repeat("{", 40), "f.yml:1:19", "levels", "at most 16"},
        Row{"MuchTooDeep", Repeat("[", 100'000), "f.yml:1:9", "levels", "at most 16"},
        Row{"TooDeepBlocks", Repeat("- ", 50'000), "f.yml:1:33", "levels", "at most 16"},
        Row{"TooManyValues", "log: [" + Repeat("1,", 20'000) + "]", "f.yml:1:20001", "values", "at most 10000"},
        Row{"UnclosedMap", "log: {level: info", "f.yml:2:1", "invalid YAML: end of map flow not found",
            "well-formed YAML"},
        Row{"UnclosedDoubleQuote", "log: {}\nweb: \"a\\\"\n", "f.yml:2:6", "missing closing quote", "two quotes"},
        Row{"UnclosedSingleQuote", "log:\n  level: 'info\'\'\n", "f.yml:2:10", "missing closing quote", "two quotes"},
        Row{"Tab", "log:\n\tlevel: info\n", "f.yml:2:7", "tab in the indentation", "spaces"},
        Row{"TabAfterBlanks", "log:\n  level: info\n  \tformat: json\n", "f.yml:3:3", "tab in the indentation",
            "spaces"},
        Row{"TabElsewhere", "log:\n  level:\tinfo: x\n", "f.yml:2:14", "invalid YAML: illegal map value",
            "well-formed YAML"},
        Row{"ByteOrderMark", "\xEF\xBB\xBFlog: {}", "f.yml:1:1", R"(byte-order mark (\xef\xbb\xbf))",
            "printable UTF-8"},
        Row{"Utf16", "\xFF\xFEl\0"s, "f.yml:1:1", R"(invalid UTF-8 byte (\xff))", "printable UTF-8"},
        Row{"Latin1", "log: {level: gr\xFC}", "f.yml:1:16", R"(invalid UTF-8 byte (\xfc))", "printable UTF-8"},
        Row{"Nul", "log: {}\n \0"s, "f.yml:2:2", R"(control character (\x00))", "printable UTF-8"},
        Row{"EndOfTransmission", "log: {}\n\x04", "f.yml:2:1", R"(control character (\x04))", "printable UTF-8"},
        Row{"CarriageReturn", "log: {}\rweb: {}", "f.yml:1:8", R"(control character (\x0d))", "printable UTF-8"},
        Row{"ControlInAComment", "# \x1b[2J\n", "f.yml:1:3", R"(control character (\x1b))", "printable UTF-8"}),
    [](const auto& row) { return row.param.name; });

TEST(InvalidYamlTest, DoesNotExpandAliases) {
  std::string text = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'z'; ++c) {
    const std::string before = "*"s + static_cast<char>(c - 1) + ", ";
    text += c + ": &"s + c + " [" + Repeat(before, 8) + before.substr(0, 2) + "]\n";
  }
  EXPECT_LE(ErrorsOf(text).size(), 201U);
}

TEST(InvalidYamlTest, AcceptsCarriageReturnBeforeLineFeed) {
  EXPECT_THAT(ErrorsOf("log:\r\n  level: info\r\n"), testing::IsEmpty());
}

TEST(InvalidYamlTest, EscapedQuotesDoNotCloseAText) {
  EXPECT_THAT(ErrorsOf(R"(log: {"level": 'info', 'format': "json"})"), testing::IsEmpty());
  EXPECT_THAT(ErrorsOf(R"(log: {level: 'it''s'})"), testing::ElementsAre(testing::HasSubstr(R"("it's")")));
  EXPECT_THAT(ErrorsOf(R"(log: {level: "\\"})"), testing::ElementsAre(testing::HasSubstr(R"("\\")")));
}

// Each random sequence of YAML tokens is a configuration, or has errors that are printable and bounded.
TEST(InvalidYamlTest, SurvivesRandomTokens) {
  const std::vector<std::string> parts{
      "web:",        "log:",       "source:", "level: ", "events: ", "[",    "]",     "{",     "}",
      ",",           "\n",         "\n  ",    "\n    ",  "- ",       "? ",   ": ",    "&a ",   "*a",
      "!!str ",      "! ",         "'",       "\"",      "|\n",      ">-\n", "# ",    "---\n", "...\n",
      "%YAML 1.2\n", "%TAG ! x\n", "null",    "~",       "info",     "fork", "32MiB", "\\x",   "\\u12",
      "\t",          "<<",         "@",       "`",       "\xC3\xBC", "\xFF", "\x1b"};
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    const std::size_t count = random() % 24;
    for (std::size_t part = 0; part < count; ++part) {
      text += parts.at(random() % (parts.size() - (random() % 4 == 0 ? 0 : 2)));
    }
    SCOPED_TRACE(QuotePrintable(text, 1000));
    for (const std::string& line : ErrorsOf(text)) {
      ASSERT_TRUE(line.starts_with("f.yml:")) << line;
      ASSERT_EQ(EscapeUnprintable(line, 5000), line);
      ASSERT_LE(line.size(), 1000U);
    }
  }
}

// The same for a valid file with a few bytes changed.
TEST(InvalidYamlTest, SurvivesMutations) {
  const std::string good =
      "web:\n  listen_addresses:\n    - 0.0.0.0:13675\n  telemetry_path: /metrics\n"
      "source:\n  receive_buffer: 32MiB\n  events: [fork, exec]\nlog: {level: \"info\", format: 'json'}\n";
  std::mt19937 random(2);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = good;
    for (std::size_t change = random() % 4 + 1; change > 0; --change) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random() % 128);
          break;
        case 1:
          text.erase(at, random() % 5);
          break;
        default:
          text.insert(at, 1, "[]{},:-?&*!|>'\"%@`#\n \t~"[random() % 23]);
      }
      text += text.empty() ? "x" : "";
    }
    SCOPED_TRACE(QuotePrintable(text, 1000));
    for (const std::string& line : ErrorsOf(text)) {
      ASSERT_EQ(EscapeUnprintable(line, 5000), line);
    }
  }
}

TEST(YamlTextTest, QuotesOnlyWhereNeeded) {
  EXPECT_EQ(YamlText("0.0.0.0:13675"), "0.0.0.0:13675");
  EXPECT_EQ(YamlText("10.0.0.0/8"), "10.0.0.0/8");
  EXPECT_EQ(YamlText("/metrics"), "/metrics");
  EXPECT_EQ(YamlText(":1"), "\":1\"");
  EXPECT_EQ(YamlText("/a:"), "\"/a:\"");
  EXPECT_EQ(YamlText("/a,b"), "\"/a,b\"");
  EXPECT_EQ(YamlText("null"), "\"null\"");
  EXPECT_EQ(YamlText(""), "\"\"");
}

TEST(YamlTextTest, EscapesUnprintableCharacters) {
  EXPECT_EQ(YamlQuoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(YamlQuoted("\0\n\t\x7f\xC2\x85"s), R"("\u0000\u000a\u0009\u007f\u0085")");
  EXPECT_EQ(YamlQuoted("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"), "\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80\"");
  EXPECT_EQ(YamlQuoted("\xE2\x80\xAE"), R"("\u202e")");
  EXPECT_EQ(YamlQuoted("\xF3\xA0\x80\x81"), R"("\U000e0001")");
}

TEST(YamlTextTest, ParsesAsTheSameText) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = RandomText(random);
    for (const std::string& written : {YamlText(text), YamlQuoted(text)}) {
      for (const std::string& line : {"a: " + written + "  # b\n", "a: [" + written + ", 1]\n"}) {
        const YamlDocument document = ParseYaml(line, "f.yml");
        ASSERT_TRUE(document.complete && document.errors.empty()) << line;
        const YamlNode& value = document.root.children.at(0);
        ASSERT_EQ(value.children.empty() ? value.scalar : value.children.at(0).scalar, text) << line;
      }
    }
  }
}

}  // namespace

}  // namespace procevent
