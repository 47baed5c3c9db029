#include "config/schema/option_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "config/schema/validator.h"

namespace procevent {

namespace {

using std::chrono::milliseconds;

struct SizeRow {
  const char* name;
  const char* text;
  std::optional<std::uint64_t> bytes;
};

class SizeTest : public testing::TestWithParam<SizeRow> {};

TEST_P(SizeTest, Parses) { EXPECT_EQ(ParseSize(GetParam().text), GetParam().bytes); }

INSTANTIATE_TEST_SUITE_P(
    Rows, SizeTest,
    testing::Values(SizeRow{"Bytes", "65536", 65536}, SizeRow{"Zero", "0", 0}, SizeRow{"ZeroKiB", "0KiB", 0},
                    SizeRow{"KiB", "64KiB", 65536}, SizeRow{"MiB", "32MiB", 33554432},
                    SizeRow{"GiB", "1GiB", 1073741824}, SizeRow{"LargestBytes", "9223372036854775807", INT64_MAX},
                    SizeRow{"BytesOverflow", "9223372036854775808", std::nullopt},
                    SizeRow{"DigitsOverflow", "18446744073709551616", std::nullopt},
                    SizeRow{"LargestGiB", "8589934591GiB", 8589934591ULL << 30U},
                    SizeRow{"GiBOverflow", "8589934592GiB", std::nullopt},
                    SizeRow{"WrapsToSmall", "17179869185GiB", std::nullopt}, SizeRow{"Empty", "", std::nullopt},
                    SizeRow{"UnitAlone", "KiB", std::nullopt}, SizeRow{"Negative", "-1", std::nullopt},
                    SizeRow{"Plus", "+1", std::nullopt}, SizeRow{"Fraction", "1.5MiB", std::nullopt},
                    SizeRow{"Space", "1 MiB", std::nullopt}, SizeRow{"SpaceBefore", " 1MiB", std::nullopt},
                    SizeRow{"SpaceAfter", "1MiB ", std::nullopt}, SizeRow{"LowerCase", "1mib", std::nullopt},
                    SizeRow{"Decimal", "1MB", std::nullopt}, SizeRow{"OneLetter", "1M", std::nullopt},
                    SizeRow{"LeadingZero", "010", std::nullopt}, SizeRow{"Hexadecimal", "0x10", std::nullopt},
                    SizeRow{"Exponent", "1e6", std::nullopt}, SizeRow{"Words", "12 parsecs", std::nullopt}),
    [](const auto& row) { return row.param.name; });

struct DurationRow {
  const char* name;
  const char* text;
  std::optional<milliseconds> duration;
};

class DurationTest : public testing::TestWithParam<DurationRow> {};

TEST_P(DurationTest, Parses) { EXPECT_EQ(ParseDuration(GetParam().text), GetParam().duration); }

INSTANTIATE_TEST_SUITE_P(
    Rows, DurationTest,
    testing::Values(DurationRow{"Milliseconds", "10ms", milliseconds(10)},
                    DurationRow{"Seconds", "5s", milliseconds(5000)},
                    DurationRow{"Minutes", "1m", milliseconds(60'000)},
                    DurationRow{"Hours", "2h", milliseconds(7'200'000)}, DurationRow{"Zero", "0s", milliseconds(0)},
                    DurationRow{"NoUnit", "10", std::nullopt}, DurationRow{"ZeroNoUnit", "0", std::nullopt},
                    DurationRow{"Microseconds", "10us", std::nullopt}, DurationRow{"Fraction", "0.5s", std::nullopt},
                    DurationRow{"Negative", "-5s", std::nullopt}, DurationRow{"Compound", "1m30s", std::nullopt},
                    DurationRow{"Space", "10 ms", std::nullopt},
                    DurationRow{"Overflow", "9223372036854775807h", std::nullopt},
                    DurationRow{"SecondsOverflow", "9223372036854776s", std::nullopt}),
    [](const auto& row) { return row.param.name; });

TEST(QuantityTest, FormatsWithTheLargestExactUnit) {
  EXPECT_EQ(FormatSize(0), "0");
  EXPECT_EQ(FormatSize(65'537), "65537");
  EXPECT_EQ(FormatSize(65'536), "64KiB");
  EXPECT_EQ(FormatSize(32U << 20U), "32MiB");
  EXPECT_EQ(FormatSize((32U << 20U) + 1024), "32769KiB");
  EXPECT_EQ(FormatSize(1U << 30U), "1GiB");
  EXPECT_EQ(FormatDuration(milliseconds(0)), "0ms");
  EXPECT_EQ(FormatDuration(milliseconds(1001)), "1001ms");
  EXPECT_EQ(FormatDuration(milliseconds(90'000)), "90s");
  EXPECT_EQ(FormatDuration(milliseconds(120'000)), "2m");
  EXPECT_EQ(FormatDuration(std::chrono::hours(720)), "720h");
}

TEST(QuantityTest, ParsesWhatItFormats) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20'000; ++i) {
    const auto number = static_cast<std::int64_t>(random() >> (1 + random() % 63));
    ASSERT_EQ(ParseSize(FormatSize(static_cast<std::uint64_t>(number))), number);
    ASSERT_EQ(ParseDuration(FormatDuration(milliseconds(number))), milliseconds(number));
    const milliseconds minutes(number % 1'000'000 * 60'000);
    ASSERT_EQ(ParseDuration(FormatDuration(minutes)), minutes);
  }
}

// 128-bit arithmetic cannot wrap here.
TEST(QuantityTest, AgreesWithWideArithmetic) {
  __extension__ using Wide = unsigned __int128;
  constexpr std::array<std::pair<const char*, unsigned>, 4> kUnits{{{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}}};
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t number = random() >> (random() % 64);
    const auto& [unit, shift] = kUnits.at(random() % kUnits.size());
    const Wide wide = Wide{number} << shift;
    const std::string text = std::to_string(number) + unit;
    const auto bytes = ParseSize(text);
    ASSERT_EQ(bytes.has_value(), wide <= Wide{INT64_MAX}) << text;
    ASSERT_TRUE(!bytes || *bytes == wide) << text;
  }
}

using testing::ElementsAre;

EffectiveConfig Set(const char* flag, const char* path, const std::vector<std::string>& values) {
  EffectiveConfig effective;
  EXPECT_THAT(SetFromFlag(flag, path, values, effective), ElementsAre());
  return effective;
}

TEST(SetFromFlagTest, ReplacesAScalar) {
  const EffectiveConfig effective = Set("--log.level", "log.level", {"error"});
  EXPECT_EQ(effective.config.log.level, LogLevel::kError);
  EXPECT_THAT(effective.origins, ElementsAre(testing::Pair("log.level", Origin{Origin::Kind::kFlag, "--log.level"})));
}

TEST(SetFromFlagTest, ReplacesAWholeList) {
  EXPECT_THAT(Set("--web.listen-address", "web.listen_addresses", {":1", ":2"}).config.server.listen_addresses,
              ElementsAre(":1", ":2"));
  EXPECT_THAT(Set("--web.listen-address", "web.listen_addresses", {":1"}).config.server.listen_addresses,
              ElementsAre(":1"));
}

TEST(SetFromFlagTest, AllReplacesAList) {
  EffectiveConfig effective = Set("--web.allow", "web.allow", {"10.0.0.0/8"});
  EXPECT_THAT(effective.config.server.allow, ElementsAre("10.0.0.0/8"));
  EXPECT_THAT(SetFromFlag("--web.allow", "web.allow", std::vector<std::string>{"all"}, effective), ElementsAre());
  EXPECT_THAT(effective.config.server.allow, ElementsAre());
}

}  // namespace

}  // namespace procevent
