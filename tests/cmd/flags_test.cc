#include "cmd/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "exporter/build_info.h"

namespace procevent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Flags Parse(const std::vector<std::string>& flags) {
  std::vector<const char*> arguments{"./procevent_exporter"};
  for (const std::string& flag : flags) {
    arguments.push_back(flag.c_str());
  }
  return ParseFlags(arguments);
}

TEST(FlagsTest, NothingServesTheDefaults) {
  const Flags flags = Parse({});
  EXPECT_EQ(flags.command, Flags::Command::kServe);
  EXPECT_FALSE(flags.config_file);
  EXPECT_THAT(flags.settings, IsEmpty());
}

TEST(FlagsTest, NobodyNamesTheProgram) { EXPECT_EQ(ParseFlags({}).command, Flags::Command::kServe); }

TEST(FlagsTest, TakesEveryFlag) {
  const Flags flags = Parse({"--config.file=a.yml", "--web.listen-address=:1", "--log.level", "debug",
                             "--web.listen-address", ":2", "--web.telemetry-path=/m", "--log.format=json"});
  EXPECT_EQ(flags.command, Flags::Command::kServe);
  EXPECT_EQ(flags.config_file, "a.yml");
  ASSERT_EQ(flags.settings.size(), 4U);
  EXPECT_EQ(flags.settings[0].flag, "--web.listen-address");
  EXPECT_EQ(flags.settings[0].path, "web.listen_addresses");
  EXPECT_THAT(flags.settings[0].values, ElementsAre(":1", ":2"));
  EXPECT_EQ(flags.settings[1].path, "web.telemetry_path");
  EXPECT_THAT(flags.settings[1].values, ElementsAre("/m"));
  EXPECT_EQ(flags.settings[2].path, "log.level");
  EXPECT_THAT(flags.settings[2].values, ElementsAre("debug"));
  EXPECT_EQ(flags.settings[3].path, "log.format");
  EXPECT_THAT(flags.settings[3].values, ElementsAre("json"));
}

TEST(FlagsTest, ValuesAreTakenAsTheyAre) {
  EXPECT_EQ(Parse({"--config.file=[a,b]"}).config_file, "[a,b]");
  EXPECT_EQ(Parse({"--config.file", "a b"}).config_file, "a b");
  EXPECT_EQ(Parse({"--config.file", ""}).config_file, "");
  EXPECT_THAT(Parse({"--log.level=\"info\""}).settings.at(0).values, ElementsAre("\"info\""));
  EXPECT_THAT(Parse({"--log.level=-5"}).settings.at(0).values, ElementsAre("-5"));
}

TEST(FlagsTest, ChecksAFile) {
  for (const std::vector<std::string>& flags : std::vector<std::vector<std::string>>{
           {"check-config", "--config.file=a.yml"}, {"--config.file=a.yml", "check-config"}}) {
    EXPECT_EQ(Parse(flags).command, Flags::Command::kCheckConfig);
    EXPECT_EQ(Parse(flags).config_file, "a.yml");
  }
}

TEST(FlagsTest, TakesFlagsOnBothSidesOfDoctor) {
  for (const std::vector<std::string>& flags :
       std::vector<std::vector<std::string>>{{"doctor", "--json", "--config.file=a.yml", "--log.level=debug"},
                                             {"--config.file=a.yml", "--log.level=debug", "doctor", "--json"}}) {
    EXPECT_EQ(Parse(flags).command, Flags::Command::kDoctor);
    EXPECT_TRUE(Parse(flags).json);
    EXPECT_EQ(Parse(flags).config_file, "a.yml");
    EXPECT_EQ(Parse(flags).settings.size(), 1U);
  }
  EXPECT_EQ(Parse({"doctor"}).command, Flags::Command::kDoctor);
  EXPECT_FALSE(Parse({"doctor"}).json);
}

struct FaultRow {
  const char* name;
  std::vector<std::string> flags;
  const char* message;
};

class UsageFaultTest : public testing::TestWithParam<FaultRow> {};

TEST_P(UsageFaultTest, ExitsWithTwoAndTheUsageLine) {
  const Flags flags = Parse(GetParam().flags);
  EXPECT_EQ(flags.command, Flags::Command::kExit);
  EXPECT_EQ(flags.code, 2);
  EXPECT_EQ(flags.out, "");
  EXPECT_THAT(flags.err, StartsWith(std::string("procevent_exporter: ") + GetParam().message +
                                    "\nusage: procevent_exporter [--config.file=FILE] "));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, UsageFaultTest,
    testing::Values(
        FaultRow{"Unknown", {"--nope"}, "The following argument was not expected: --nope"},
        FaultRow{"UnknownWithValue", {"--nope=1"}, "The following argument was not expected: --nope=1"},
        FaultRow{"Abbreviated", {"--log.lev=info"}, "The following argument was not expected: --log.lev=info"},
        FaultRow{"Surplus", {"serve"}, "The following argument was not expected: serve"},
        FaultRow{"Empty", {""}, "The following argument was not expected: "},
        FaultRow{"Unprintable", {"--\x1b[2J\n"}, "The following argument was not expected: --\\x1b[2J\\x0a"},
        FaultRow{"TwoValues", {"--web.listen-address", ":1", ":2"}, "The following argument was not expected: :2"},
        FaultRow{"NoValue", {"--log.level"}, "--log.level: 1 required TEXT missing"},
        FaultRow{"NoValueButMore", {"--log.level=", "--log.format=json"}, "--log.level= is given no value"},
        FaultRow{"TwiceAText",
                 {"--log.level=info", "--log.level=info"},
                 "--log.level is given more than once: give it once"},
        FaultRow{"TwiceTheFile",
                 {"--config.file=a", "--config.file=b"},
                 "--config.file is given more than once: give it once"},
        FaultRow{"FileOnBothSides",
                 {"--config.file=a", "check-config", "--config.file=b"},
                 "--config.file is given more than once: give it once"},
        FaultRow{"CheckOfNothing", {"check-config"}, "check-config needs a file to check: give it --config.file=FILE"},
        FaultRow{"JsonOfNothing", {"--json"}, "The following argument was not expected: --json"},
        FaultRow{"UnknownToDoctor", {"doctor", "--nope"}, "The following argument was not expected: --nope"},
        FaultRow{"TwoCommands", {"check-config", "doctor"}, "The following argument was not expected: doctor"},
        FaultRow{"UnknownToCheck", {"check-config", "--nope"}, "The following argument was not expected: --nope"}),
    [](const auto& row) { return row.param.name; });

TEST(FlagsTest, TellsItsVersion) {
  const Flags flags = Parse({"--version"});
  EXPECT_EQ(flags.command, Flags::Command::kExit);
  EXPECT_EQ(flags.code, 0);
  EXPECT_EQ(flags.out, "procevent_exporter " + std::string(Version()) + "\n");
  EXPECT_EQ(flags.err, "");
}

TEST(FlagsTest, HelpShowsEveryFlag) {
  for (const char* const flag : {"--help", "-h"}) {
    const Flags flags = Parse({flag});
    EXPECT_EQ(flags.command, Flags::Command::kExit);
    EXPECT_EQ(flags.code, 0);
    EXPECT_EQ(flags.err, "");
    for (const char* const text :
         {"Usage: procevent_exporter", "--config.file FILE  ", "--web.listen-address HOST:PORT ...",
          "--web.telemetry-path PATH  ", "--log.level LEVEL  ", "--log.format FORMAT  ", "--version", "check-config"}) {
      EXPECT_THAT(flags.out, HasSubstr(text));
    }
  }
}

TEST(FlagsTest, CheckConfigHasHelpOfItsOwn) {
  const Flags flags = Parse({"check-config", "--help"});
  EXPECT_EQ(flags.code, 0);
  EXPECT_THAT(flags.out, HasSubstr("procevent_exporter check-config"));
  EXPECT_THAT(flags.out, HasSubstr("--config.file FILE"));
}

}  // namespace
}  // namespace procevent
