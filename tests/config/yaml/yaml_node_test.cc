#include "config/yaml/yaml_node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "config/load.h"
#include "config/yaml/config_error.h"
#include "tests/config/config_error_lines.h"
#include "tests/config/random_config.h"

namespace procevent {

namespace {

using namespace std::string_literals;

std::vector<std::string> FaultsOf(std::string_view text) { return DescribeErrors(LoadConfig(text, "f.yml")); }

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
  std::string fault;
};

class HostileYamlTest : public testing::TestWithParam<Row> {};

TEST_P(HostileYamlTest, IsOneClearFault) {
  EXPECT_THAT(FaultsOf(GetParam().text), testing::ElementsAre(GetParam().fault));
}

const std::string kUtf8 = ", allowed is printable UTF-8 without a byte-order mark";
INSTANTIATE_TEST_SUITE_P(
    Rows, HostileYamlTest,
    testing::Values(
        Row{"SecondDocument", "log: {}\n---\nlog: {}\n", "f.yml:2:1: found a second document, allowed is one document"},
        Row{"TextAfterTheEnd", "log: {}\n...\nlog: {}\n",
            "f.yml:3:1: found a second document, allowed is one document"},
        Row{"Anchor", "log: {level: &a info}", "f.yml:1:14: log.level: found an anchor, allowed is the value alone"},
        Row{"AnchorOfNothing", "log: {level: &a }",
            "f.yml:1:14: log.level: found an anchor, allowed is the value alone"},
        Row{"AnchorOfAKey", "&a log: {}", "f.yml:1:1: found an anchor, allowed is the value alone"},
        Row{"UnknownAlias", "log: {level: *a}",
            "f.yml:1:14: found broken YAML: the referenced anchor is not defined, allowed is well-formed YAML"},
        Row{"Tag", "log: {level: !!str info}", "f.yml:1:14: log.level: found a tag, allowed is the value alone"},
        Row{"BareTag", "log: {level: ! info}", "f.yml:1:14: log.level: found a tag, allowed is the value alone"},
        Row{"TagOfAMap", "log: !x {}", "f.yml:1:6: log: found a tag, allowed is the value alone"},
        Row{"TagOfAList", "source: {events: !!seq [fork]}",
            "f.yml:1:18: source.events: found a tag, allowed is the value alone"},
        Row{"TwoAnchors", "log: {level: &a &b info}",
            "f.yml:1:17: found broken YAML: cannot assign multiple anchors to the same node, allowed is well-formed "
            "YAML"},
        Row{"Deep", Repeat("a: {", 1) + Repeat("{", 40),
            "f.yml:1:19: found more than 16 levels, allowed is a flatter file"},
        Row{"VeryDeep", Repeat("[", 100'000), "f.yml:1:9: found more than 16 levels, allowed is a flatter file"},
        Row{"DeepBlock", Repeat("- ", 50'000), "f.yml:1:33: found more than 16 levels, allowed is a flatter file"},
        Row{"ManyValues", "log: [" + Repeat("1,", 20'000) + "]",
            "f.yml:1:20001: found more than 10000 values, allowed is a smaller file"},
        Row{"NeverClosed", "log: {level: info",
            "f.yml:2:1: found broken YAML: end of map flow not found, allowed is well-formed YAML"},
        Row{"QuoteNeverEnds", "log: {}\nweb: \"a\\\"\n",
            "f.yml:2:6: found a quote that never ends, allowed is a text between two quotes"},
        Row{"SingleQuoteNeverEnds", "log:\n  level: 'info\'\'\n",
            "f.yml:2:10: found a quote that never ends, allowed is a text between two quotes"},
        Row{"Tab", "log:\n\tlevel: info\n",
            "f.yml:2:7: found a tab in the indentation, allowed is indentation by spaces"},
        Row{"TabAfterBlanks", "log:\n  level: info\n  \tformat: json\n",
            "f.yml:3:3: found a tab in the indentation, allowed is indentation by spaces"},
        Row{"TabElsewhere", "log:\n  level:\tinfo: x\n",
            "f.yml:2:14: found broken YAML: illegal map value, allowed is well-formed YAML"},
        Row{"Mark", "\xEF\xBB\xBFlog: {}", "f.yml:1:1: found a byte-order mark (\\xef\\xbb\\xbf)" + kUtf8},
        Row{"Utf16", "\xFF\xFEl\0"s, "f.yml:1:1: found a byte that is no UTF-8 (\\xff)" + kUtf8},
        Row{"Latin1", "log: {level: gr\xFC}", "f.yml:1:16: found a byte that is no UTF-8 (\\xfc)" + kUtf8},
        Row{"Nul", "log: {}\n \0"s, "f.yml:2:2: found a control character (\\x00)" + kUtf8},
        Row{"EndOfTransmission", "log: {}\n\x04", "f.yml:2:1: found a control character (\\x04)" + kUtf8},
        Row{"CarriageReturn", "log: {}\rweb: {}", "f.yml:1:8: found a control character (\\x0d)" + kUtf8},
        Row{"InAComment", "# \x1b[2J\n", "f.yml:1:3: found a control character (\\x1b)" + kUtf8}),
    [](const auto& row) { return row.param.name; });

TEST(HostileYamlTest, LaughsAreNotMultiplied) {
  std::string text = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'z'; ++c) {
    const std::string before = "*"s + static_cast<char>(c - 1) + ", ";
    text += c + ": &"s + c + " [" + Repeat(before, 8) + before.substr(0, 2) + "]\n";
  }
  EXPECT_LE(FaultsOf(text).size(), 201U);
}

TEST(HostileYamlTest, LinesMayEndAsElsewhere) {
  EXPECT_THAT(FaultsOf("log:\r\n  level: info\r\n"), testing::IsEmpty());
}

TEST(HostileYamlTest, QuotesWithinQuotesEndNothing) {
  EXPECT_THAT(FaultsOf(R"(log: {"level": 'info', 'format': "json"})"), testing::IsEmpty());
  EXPECT_THAT(FaultsOf(R"(log: {level: 'it''s'})"), testing::ElementsAre(testing::HasSubstr(R"(found "it's")")));
  EXPECT_THAT(FaultsOf(R"(log: {level: "\\"})"), testing::ElementsAre(testing::HasSubstr(R"(found "\\")")));
}

// What a file may hold, cut and mixed at random: there is a configuration, or there are printable faults.
TEST(HostileYamlTest, NothingRandomBreaksIt) {
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
    for (const std::string& line : FaultsOf(text)) {
      ASSERT_TRUE(line.starts_with("f.yml:")) << line;
      ASSERT_EQ(EscapeUnprintable(line, 5000), line);
      ASSERT_LE(line.size(), 1000U);
    }
  }
}

// The same for the real file with a few bytes changed.
TEST(HostileYamlTest, NoMutationBreaksIt) {
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
    for (const std::string& line : FaultsOf(text)) {
      ASSERT_EQ(EscapeUnprintable(line, 5000), line);
    }
  }
}

}  // namespace

namespace {

using namespace std::string_literals;

TEST(YamlTextTest, IsQuotedWhereItHasTo) {
  EXPECT_EQ(YamlText("0.0.0.0:13675"), "0.0.0.0:13675");
  EXPECT_EQ(YamlText("10.0.0.0/8"), "10.0.0.0/8");
  EXPECT_EQ(YamlText("/metrics"), "/metrics");
  EXPECT_EQ(YamlText(":1"), "\":1\"");
  EXPECT_EQ(YamlText("/a:"), "\"/a:\"");
  EXPECT_EQ(YamlText("/a,b"), "\"/a,b\"");
  EXPECT_EQ(YamlText("null"), "\"null\"");
  EXPECT_EQ(YamlText(""), "\"\"");
}

TEST(YamlTextTest, WhatMayNotBePrintedIsEscaped) {
  EXPECT_EQ(YamlQuoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(YamlQuoted("\0\n\t\x7f\xC2\x85"s), R"("\u0000\u000a\u0009\u007f\u0085")");
  EXPECT_EQ(YamlQuoted("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"), "\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80\"");
  EXPECT_EQ(YamlQuoted("\xE2\x80\xAE"), R"("\u202e")");
  EXPECT_EQ(YamlQuoted("\xF3\xA0\x80\x81"), R"("\U000e0001")");
}

TEST(YamlTextTest, IsReadAsItWas) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = RandomText(random);
    for (const std::string& written : {YamlText(text), YamlQuoted(text)}) {
      for (const std::string& line : {"a: " + written + "  # b\n", "a: [" + written + ", 1]\n"}) {
        const YamlDocument document = ParseYaml(line, "f.yml");
        ASSERT_TRUE(document.whole && document.faults.empty()) << line;
        const YamlNode& value = document.root.children.at(0);
        ASSERT_EQ(value.children.empty() ? value.scalar : value.children.at(0).scalar, text) << line;
      }
    }
  }
}

}  // namespace

}  // namespace procevent
