#include "config/yaml_text.h"

#include <gtest/gtest.h>

#include <string>

#include "config/yaml_node.h"
#include "tests/config/random_config.h"

namespace procevent {
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
