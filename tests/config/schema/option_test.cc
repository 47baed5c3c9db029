#include "config/schema/option.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "config/schema/keys.h"
#include "config/schema/schema.h"
#include "config/schema/validator.h"
#include "tests/config/random_config.h"

namespace procevent {

namespace {

struct SizeRow {
  const char* name;
  const char* text;
  std::optional<std::uint64_t> bytes;
};

class SizeTest : public testing::TestWithParam<SizeRow> {};

TEST_P(SizeTest, Parses) { EXPECT_EQ(ParseQuantity(GetParam().text, kSize), GetParam().bytes); }

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
  std::optional<std::uint64_t> milliseconds;
};

class DurationTest : public testing::TestWithParam<DurationRow> {};

TEST_P(DurationTest, Parses) { EXPECT_EQ(ParseQuantity(GetParam().text, kDuration), GetParam().milliseconds); }

INSTANTIATE_TEST_SUITE_P(
    Rows, DurationTest,
    testing::Values(DurationRow{"Milliseconds", "10ms", 10}, DurationRow{"Seconds", "5s", 5000},
                    DurationRow{"Minutes", "1m", 60'000}, DurationRow{"Hours", "2h", 7'200'000},
                    DurationRow{"Zero", "0s", 0}, DurationRow{"NoUnit", "10", std::nullopt},
                    DurationRow{"ZeroNoUnit", "0", std::nullopt}, DurationRow{"Microseconds", "10us", std::nullopt},
                    DurationRow{"Fraction", "0.5s", std::nullopt}, DurationRow{"Negative", "-5s", std::nullopt},
                    DurationRow{"Compound", "1m30s", std::nullopt}, DurationRow{"Space", "10 ms", std::nullopt},
                    DurationRow{"Overflow", "9223372036854775807h", std::nullopt},
                    DurationRow{"SecondsOverflow", "9223372036854776s", std::nullopt}),
    [](const auto& row) { return row.param.name; });

TEST(QuantityTest, FormatsWithTheLargestExactUnit) {
  EXPECT_EQ(FormatQuantity(0, kSize), "0");
  EXPECT_EQ(FormatQuantity(65'537, kSize), "65537");
  EXPECT_EQ(FormatQuantity(65'536, kSize), "64KiB");
  EXPECT_EQ(FormatQuantity(32U << 20U, kSize), "32MiB");
  EXPECT_EQ(FormatQuantity((32U << 20U) + 1024, kSize), "32769KiB");
  EXPECT_EQ(FormatQuantity(1U << 30U, kSize), "1GiB");
  EXPECT_EQ(FormatQuantity(0, kDuration), "0ms");
  EXPECT_EQ(FormatQuantity(1001, kDuration), "1001ms");
  EXPECT_EQ(FormatQuantity(90'000, kDuration), "90s");
  EXPECT_EQ(FormatQuantity(120'000, kDuration), "2m");
  EXPECT_EQ(FormatQuantity(720 * 3'600'000ULL, kDuration), "720h");
}

TEST(QuantityTest, ParsesWhatItFormats) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t number = random() >> (1 + random() % 63);
    const std::uint64_t minutes = number % 1'000'000 * 60'000;
    ASSERT_EQ(ParseQuantity(FormatQuantity(number, kSize), kSize), number);
    ASSERT_EQ(ParseQuantity(FormatQuantity(number, kDuration), kDuration), number);
    ASSERT_EQ(ParseQuantity(FormatQuantity(minutes, kDuration), kDuration), minutes);
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
    const auto bytes = ParseQuantity(text, kSize);
    ASSERT_EQ(bytes.has_value(), wide <= Wide{INT64_MAX}) << text;
    ASSERT_TRUE(!bytes || *bytes == wide) << text;
  }
}

using testing::ElementsAre;

EffectiveConfig Set(const char* flag, const char* key, const std::vector<std::string>& values) {
  EffectiveConfig effective;
  EXPECT_THAT(SetFromFlag(flag, *FindOption(key), values, effective), ElementsAre());
  return effective;
}

TEST(SetFromFlagTest, ReplacesAScalar) {
  const EffectiveConfig effective = Set("--log.level", "log.level", {"error"});
  EXPECT_EQ(effective.config.log.level, LogLevel::kError);
  EXPECT_THAT(effective.origins, ElementsAre(testing::Pair("log.level", Origin{Origin::Kind::kFlag, "--log.level"})));
}

TEST(SetFromFlagTest, AcceptsASynonym) {
  EXPECT_EQ(Set("--log.level", "log.level", {"warn"}).config.log.level, LogLevel::kWarning);
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
  EXPECT_THAT(SetFromFlag("--web.allow", *FindOption("web.allow"), std::vector<std::string>{"all"}, effective),
              ElementsAre());
  EXPECT_THAT(effective.config.server.allow, ElementsAre());
}

TEST(SetFromFlagTest, TakesItemsOneByOneOrAsYaml) {
  for (const std::vector<std::string>& values :
       std::vector<std::vector<std::string>>{{"0", "127", "255"}, {"[0, 127, 255]"}, {"0", "[127, 255]"}}) {
    EXPECT_THAT(Set("--b", "histograms.exit_code.buckets", values).config.counting.exit_code_bounds,
                ElementsAre(0U, 127U, 255U));
  }
  EXPECT_THAT(Set("--web.allow", "web.allow", {"[127.0.0.1, 10.0.0.0/8]", "1.2.3.4"}).config.server.allow,
              ElementsAre("127.0.0.1", "10.0.0.0/8", "1.2.3.4"));
  const NameGroup group{.match = "a", .name = "b"};
  for (const std::vector<std::string>& values :
       std::vector<std::vector<std::string>>{{"{match: a, name: b}"}, {"[{match: a, name: b}]"}}) {
    EXPECT_THAT(Set("--name-groups", "name_groups", values).config.counting.name_groups, ElementsAre(group));
  }
  EXPECT_THAT(Set("--name-groups", "name_groups", {"[]"}).config.counting.name_groups, ElementsAre());
}

// The values that a user would type.
std::vector<std::string> FlagValuesOf(const Option& option, const OptionValue& value) {
  if (const auto* const text = std::get_if<std::string>(&value); text != nullptr && !text->empty()) {
    return {*text};
  }
  const bool is_list_of_texts = option.list && std::holds_alternative<TextType>(option.type);
  if (const auto* const texts = std::get_if<std::vector<std::string>>(&value); is_list_of_texts && !texts->empty()) {
    return *texts;
  }
  return {FormatValue(option, value)};
}

// Every value of every option can be set by a flag.
TEST(SetFromFlagTest, AcceptsEveryConfiguration) {
  std::mt19937 random(3);
  for (int i = 0; i < 500; ++i) {
    const Config config = RandomConfig(random);
    EffectiveConfig effective;
    for (const Option& option : Schema()) {
      const std::vector<std::string> values = FlagValuesOf(option, option.field.get(config));
      ASSERT_THAT(SetFromFlag("--" + FlagOf(option), option, values, effective), ElementsAre());
    }
    ASSERT_EQ(effective.config, config) << ToYaml(effective) << ToYaml({config, {}});
  }
}

TEST(SchemaTest, DescribesEachOptionOnce) {
  std::set<std::string> flags;
  for (const Option& option : Schema()) {
    EXPECT_TRUE(flags.insert(FlagOf(option)).second) << option.key;
    EXPECT_TRUE(option.other_flag.empty() || flags.insert(std::string(option.other_flag)).second) << option.key;
    EXPECT_TRUE(option.help.ends_with('.')) << option.key << ": " << option.help;
    EXPECT_NE(option.field.get, nullptr) << option.key;
  }
}

TEST(SchemaTest, DescribesTypesBoundsAndExamples) {
  const struct {
    const char* key;
    const char* value;
    const char* scalar;
  } rows[] = {
      {"web.max_requests", "a whole number from 1 to 64, without sign or leading zeros, like 40", nullptr},
      {"source.receive_buffer", "a size from 64KiB to 1GiB in bytes or with KiB, MiB or GiB, like 32MiB", nullptr},
      {"reader.canary_interval", "a duration from 1s to 1m in whole ms, s, m or h, like 5s", nullptr},
      {"log.level", "debug, info, warning or error", nullptr},
      {"source.replay", "none, or the path of a capture", nullptr},
      {"web.allow", "all, or a list of 1 to 64 addresses or networks, like [127.0.0.1, 10.0.0.0/8]",
       "all, or an address or a network like 10.0.0.0/8"},
      {"histograms.lifetime.buckets", "a list of 1 to 32 rising durations from 1ms to 720h, like [1ms, 1s, 1h]",
       "a duration from 1ms to 720h in whole ms, s, m or h"},
      {"name_groups", "a list of at most 100 rules, like [{match: kworker/.*, name: kworker}]",
       "a rule like {match: kworker/.*, name: kworker}"},
  };
  for (const auto& row : rows) {
    const Option& option = *FindOption(row.key);
    EXPECT_EQ(DescribeExpected(option), row.value);
    EXPECT_EQ(DescribeExpectedScalar(option), row.scalar == nullptr ? row.value : row.scalar);
  }
}

}  // namespace

}  // namespace procevent
