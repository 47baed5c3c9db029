#include "core/statistics/group_name.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

#include "tests/core/statistics/reference_utf8.h"

namespace procevent {
namespace {

using namespace std::string_view_literals;

struct Row {
  std::string name;
  std::string_view bytes;
  std::string_view label;
};
class LabelValueTableTest : public testing::TestWithParam<Row> {};
TEST_P(LabelValueTableTest, EscapesBytes) { EXPECT_EQ(LabelValue(GetParam().bytes).view(), GetParam().label); }
std::string NameOf(const testing::TestParamInfo<Row>& row) { return row.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Kept, LabelValueTableTest,
    testing::Values(Row{"Empty", "", ""}, Row{"Plain", "bash", "bash"}, Row{"Blank", "Web Content", "Web Content"},
                    Row{"OnlyABlank", " ", " "}, Row{"Quote", "a\"b'c", "a\"b'c"}, Row{"Backslash", R"(a\b)", R"(a\b)"},
                    Row{"LooksEscaped", R"(\x1b)", R"(\x1b)"}, Row{"Brackets", "(sd-pam)", "(sd-pam)"},
                    Row{"LastOfAscii", "~", "~"}, Row{"TwoBytes", "caf\xC3\xA9", "caf\xC3\xA9"},
                    Row{"FirstAfterC1", "\xC2\xA0", "\xC2\xA0"}, Row{"LastOfTwo", "\xDF\xBF", "\xDF\xBF"},
                    Row{"FirstOfThree", "\xE0\xA0\x80", "\xE0\xA0\x80"},
                    Row{"ThreeBytes", "\xE2\x82\xAC", "\xE2\x82\xAC"},
                    Row{"LastBeforeSurrogates", "\xED\x9F\xBF", "\xED\x9F\xBF"},
                    Row{"FirstAfterSurrogates", "\xEE\x80\x80", "\xEE\x80\x80"},
                    Row{"Replacement", "\xEF\xBF\xBD", "\xEF\xBF\xBD"},
                    Row{"FirstOfFour", "\xF0\x90\x80\x80", "\xF0\x90\x80\x80"},
                    Row{"FourBytes", "\xF0\x9F\x90\xA7", "\xF0\x9F\x90\xA7"},
                    Row{"LastOfAll", "\xF4\x8F\xBF\xBD", "\xF4\x8F\xBF\xBD"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    InvalidUtf8, LabelValueTableTest,
    testing::Values(
        Row{"CutTwo", "a\xC3", R"(a\xc3)"}, Row{"CutFromItsRest", "a\xC3\xA9"sv.substr(0, 2), R"(a\xc3)"},
        Row{"CutThree", "a\xE2\x82", R"(a\xe2\x82)"}, Row{"CutFour", "a\xF0\x9F\x90", R"(a\xf0\x9f\x90)"},
        Row{"CutFourAfterTwo", "\xF0\x9F", R"(\xf0\x9f)"},
        Row{"CutByAnother", "\xE2\x82z\xC3\xA9", "\\xe2\\x82z\xC3\xA9"},
        Row{"LeadAfterLead", "\xC3\xC3\xA9", "\\xc3\xC3\xA9"}, Row{"OverlongSlash", "\xC0\xAF", R"(\xc0\xaf)"},
        Row{"OverlongTwo", "\xC1\xA1", R"(\xc1\xa1)"}, Row{"OverlongThree", "\xE0\x9F\xBF", R"(\xe0\x9f\xbf)"},
        Row{"OverlongFour", "\xF0\x8F\xBF\xBD", R"(\xf0\x8f\xbf\xbd)"}, Row{"OverlongNul", "\xC0\x80", R"(\xc0\x80)"},
        Row{"FirstSurrogate", "\xED\xA0\x80", R"(\xed\xa0\x80)"},
        Row{"LastSurrogate", "\xED\xBF\xBF", R"(\xed\xbf\xbf)"},
        Row{"BeyondUnicode", "\xF4\x90\x80\x80", R"(\xf4\x90\x80\x80)"},
        Row{"FarBeyondUnicode", "\xF5\x80\x80\x80", R"(\xf5\x80\x80\x80)"},
        Row{"FiveBytes", "\xF8\x88\x80\x80\x80", R"(\xf8\x88\x80\x80\x80)"},
        Row{"LoneContinuation", "a\x80z\xBF", R"(a\x80z\xbf)"},
        Row{"OneContinuationTooMany", "\xC3\xA9\xA9", "\xC3\xA9\\xa9"}, Row{"FfAndFe", "\xFE\xFF", R"(\xfe\xff)"},
        Row{"FifteenFfs", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
            R"(\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff)"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    NotVisible, LabelValueTableTest,
    testing::Values(
        Row{"Newline", "a\nb", R"(a\x0ab)"}, Row{"CarriageReturn", "\r", R"(\x0d)"}, Row{"Tab", "\t", R"(\x09)"},
        Row{"Escape", "\x1B[31m", R"(\x1b[31m)"}, Row{"LastControl", "\x1F", R"(\x1f)"},
        Row{"Nul", "a\0b"sv, R"(a\x00b)"}, Row{"Del", "\x7F", R"(\x7f)"}, Row{"FirstC1", "\xC2\x80", R"(\xc2\x80)"},
        Row{"NextLine", "\xC2\x85", R"(\xc2\x85)"}, Row{"LastC1", "\xC2\x9F", R"(\xc2\x9f)"},
        Row{"SoftHyphen", "\xC2\xAD", R"(\xc2\xad)"}, Row{"ArabicLetterMark", "\xD8\x9C", R"(\xd8\x9c)"},
        Row{"ZeroWidthSpace", "\xE2\x80\x8B", R"(\xe2\x80\x8b)"},
        Row{"ZeroWidthJoiner", "\xE2\x80\x8D", R"(\xe2\x80\x8d)"},
        Row{"RightToLeftMark", "\xE2\x80\x8F", R"(\xe2\x80\x8f)"},
        Row{"LineSeparator", "\xE2\x80\xA8", R"(\xe2\x80\xa8)"},
        Row{"RightToLeftOverride",
            "a\xE2\x80\xAE"
            "b",
            R"(a\xe2\x80\xaeb)"},
        Row{"WordJoiner", "\xE2\x81\xA0", R"(\xe2\x81\xa0)"}, Row{"Isolate", "\xE2\x81\xA6", R"(\xe2\x81\xa6)"},
        Row{"PopIsolate", "\xE2\x81\xA9", R"(\xe2\x81\xa9)"}, Row{"ByteOrderMark", "\xEF\xBB\xBF", R"(\xef\xbb\xbf)"},
        Row{"Annotation", "\xEF\xBF\xB9", R"(\xef\xbf\xb9)"},
        Row{"FirstOfArabicNone", "\xEF\xB7\x90", R"(\xef\xb7\x90)"},
        Row{"LastOfArabicNone", "\xEF\xB7\xAF", R"(\xef\xb7\xaf)"}, Row{"Fffe", "\xEF\xBF\xBE", R"(\xef\xbf\xbe)"},
        Row{"Ffff", "\xEF\xBF\xBF", R"(\xef\xbf\xbf)"}, Row{"Of1Fffe", "\xF0\x9F\xBF\xBE", R"(\xf0\x9f\xbf\xbe)"},
        Row{"Of10Ffff", "\xF4\x8F\xBF\xBF", R"(\xf4\x8f\xbf\xbf)"},
        Row{"TagLetter", "\xF3\xA0\x81\x81", R"(\xf3\xa0\x81\x81)"}),
    NameOf);

TEST(LabelValueTest, CutsBetweenCharacters) {
  const std::string letters(100, 'a');
  EXPECT_EQ(LabelValue(letters).view(), std::string(63, 'a'));
  EXPECT_EQ(LabelValue(letters.substr(0, 62) + "\xC3\xA9z").view(), std::string(62, 'a')) << "the rest is cut, too";
  EXPECT_EQ(LabelValue(letters.substr(0, 61) + "\xC3\xA9z").view(), std::string(61, 'a') + "\xC3\xA9");
  EXPECT_EQ(LabelValue(letters.substr(0, 60) + "\n").view(), std::string(60, 'a')) << "an escape is not cut";
  EXPECT_EQ(LabelValue(letters.substr(0, 59) + "\n").view(), std::string(59, 'a') + R"(\x0a)");
}

TEST(LabelValueTest, AreEqualIfTheirTextIsEqual) {
  EXPECT_EQ(LabelValue("bash"), LabelValue("bash"));
  EXPECT_NE(LabelValue("bash"), LabelValue("bas"));
  EXPECT_EQ(LabelValue(), LabelValue(""));
  EXPECT_EQ(LabelValue("\x01"), LabelValue(R"(\x01)"));
}

// Returns random bytes, mostly lead and continuation bytes and the edges of their ranges.
std::string AnyBytes(std::mt19937_64& random) {
  constexpr auto kEdgeBytes = "\x00\x1F\x7F\x80\x8F\x90\x9F\xA0\xAD\xBF\xC0\xC2\xE0\xE2\xED\xEF\xF0\xF4\xF5\xFF"sv;
  std::string bytes(random() % (random() % 8 == 0 ? 81 : 16), '\0');
  const auto mode = random() % 3;
  for (char& byte : bytes) {
    const auto value = random();
    byte = mode == 0 || value % 4 == 0 ? static_cast<char>(value >> 8U)
           : value % 4 == 1            ? static_cast<char>('a' + (value >> 8U) % 26)
                                       : kEdgeBytes[(value >> 8U) % kEdgeBytes.size()];
  }
  return bytes;
}

// Returns whether the label consists of well-formed characters of `bytes`, and of \xNN for all other bytes.
bool IsEscapedFrom(std::string_view label, std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  while (!label.empty() && !bytes.empty()) {
    const std::size_t length = WellFormedLength(bytes);
    const auto byte = static_cast<unsigned char>(bytes[0]);
    const std::string escaped{'\\', 'x', kDigits[byte / 16], kDigits[byte % 16]};
    if (length > 0 && label.starts_with(bytes.substr(0, length))) {
      label.remove_prefix(length);
      bytes.remove_prefix(length);
    } else if (byte != '\\' && (byte < 0x20 || byte > 0x7E) && label.starts_with(escaped)) {
      label.remove_prefix(escaped.size());
      bytes.remove_prefix(1);
    } else {
      return false;
    }
  }
  return label.empty();
}

TEST(LabelValueTest, IsOneLineOfUtf8ForAnyBytes) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 1'000'000; ++i) {
    const std::string all = AnyBytes(random);
    const std::string_view bytes(all.data(), random() % (all.size() + 1));  // bytes behind the view must not matter
    const LabelValue label(bytes);
    const std::string_view view = label.view();
    ASSERT_TRUE(IsWellFormed(view)) << testing::PrintToString(bytes);
    ASSERT_TRUE(std::ranges::none_of(CodePointsOf(view), IsControl)) << testing::PrintToString(bytes);
    ASSERT_LE(view.size(), LabelValue::kMaxBytes);
    ASSERT_TRUE(view.size() >= 60 || bytes.size() <= view.size()) << "complete, or as much as fits";
    ASSERT_TRUE(IsEscapedFrom(view, bytes)) << testing::PrintToString(bytes) << " as " << view;
    ASSERT_EQ(LabelValue(view), label) << "escaping a label does not change it";
  }
}

TEST(LabelValueTest, KeepsPrintableAscii) {
  std::mt19937_64 random(12);
  for (int i = 0; i < 100'000; ++i) {
    std::string bytes(random() % 64, '\0');
    std::ranges::generate(bytes, [&random] { return static_cast<char>(' ' + random() % 95); });
    ASSERT_EQ(LabelValue(bytes).view(), bytes);
  }
}

}  // namespace
}  // namespace procevent
