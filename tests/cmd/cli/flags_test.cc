#include "cmd/cli/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "cmd/cli/commands.h"
#include "cmd/cli/help.h"
#include "config/schema/keys.h"
#include "config/schema/schema.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Flags Parse(const std::vector<std::string>& flags) {
  std::vector<const char*> arguments{"./procevent_exporter"};
  for (const std::string& flag : flags) {
    arguments.push_back(flag.c_str());
  }
  const auto parsed = ParseFlags(arguments);
  EXPECT_TRUE(parsed) << Describe(parsed.error().error);
  return parsed ? parsed.value() : Flags();
}

TEST(FlagsTest, ServesWithoutArguments) {
  const Flags flags = Parse({});
  EXPECT_EQ(flags.command, Command::kServe);
  EXPECT_FALSE(flags.config_file);
  EXPECT_THAT(flags.settings, IsEmpty());
}

TEST(FlagsTest, ServesWithoutProgramName) { EXPECT_EQ(ParseFlags({}).value().command, Command::kServe); }

TEST(FlagsTest, TakesEveryFlag) {
  const Flags flags = Parse({"--config.file=a.yml", "--web.listen-address=:1", "--log.level", "debug",
                             "--web.listen-address", ":2", "--web.telemetry-path=/m", "--log.format=json",
                             "--web.allow=127.0.0.1", "--web.max-requests=1", "--web.allow=10.0.0.0/8"});
  EXPECT_EQ(flags.command, Command::kServe);
  EXPECT_EQ(flags.config_file, "a.yml");
  const auto setting = [](const char* flag, const char* key, const auto& values) {
    return AllOf(Field(&ConfigOverride::flag, flag), Field(&ConfigOverride::option, FindOption(key)),
                 Field(&ConfigOverride::values, values));
  };
  EXPECT_THAT(flags.settings,
              ElementsAre(setting("--web.listen-address", "web.listen_addresses", ElementsAre(":1", ":2")),
                          setting("--log.level", "log.level", ElementsAre("debug")),
                          setting("--web.telemetry-path", "web.telemetry_path", ElementsAre("/m")),
                          setting("--log.format", "log.format", ElementsAre("json")),
                          setting("--web.allow", "web.allow", ElementsAre("127.0.0.1", "10.0.0.0/8")),
                          setting("--web.max-requests", "web.max_requests", ElementsAre("1"))));
}

TEST(FlagsTest, KeepsValuesUnchanged) {
  EXPECT_EQ(Parse({"--config.file=[a,b]"}).config_file, "[a,b]");
  EXPECT_EQ(Parse({"--config.file", "a b"}).config_file, "a b");
  EXPECT_THAT(Parse({"--log.level=\"info\""}).settings.at(0).values, ElementsAre("\"info\""));
  EXPECT_THAT(Parse({"--log.level=-5"}).settings.at(0).values, ElementsAre("-5"));
}

TEST(FlagsTest, CheckConfigTakesFlagsOnBothSides) {
  for (const std::vector<std::string>& flags :
       std::vector<std::vector<std::string>>{{"check-config", "--config.file=a.yml", "--log.level=debug"},
                                             {"--config.file=a.yml", "--log.level=debug", "check-config"},
                                             {"--log.level=debug", "check-config", "--config.file", "a.yml"}}) {
    const Flags parsed = Parse(flags);
    EXPECT_EQ(parsed.command, Command::kCheckConfig);
    EXPECT_EQ(parsed.config_file, "a.yml");
    ASSERT_EQ(parsed.settings.size(), 1U);
    EXPECT_THAT(parsed.settings[0].values, ElementsAre("debug"));
  }
  EXPECT_EQ(Parse({"check-config"}).command, Command::kCheckConfig) << "the file is optional";
}

TEST(FlagsTest, DoctorTakesFlagsOnBothSides) {
  for (const std::vector<std::string>& flags :
       std::vector<std::vector<std::string>>{{"doctor", "--json", "--config.file=a.yml", "--log.level=debug"},
                                             {"--config.file=a.yml", "--log.level=debug", "doctor", "--json"}}) {
    EXPECT_EQ(Parse(flags).command, Command::kDoctor);
    EXPECT_TRUE(Parse(flags).json);
    EXPECT_EQ(Parse(flags).config_file, "a.yml");
    EXPECT_EQ(Parse(flags).settings.size(), 1U);
  }
  EXPECT_EQ(Parse({"doctor"}).command, Command::kDoctor);
  EXPECT_FALSE(Parse({"doctor"}).json);
}

TEST(FlagsTest, DecodeAndEncodeTakeAFile) {
  EXPECT_EQ(Parse({"decode"}).command, Command::kDecode);
  EXPECT_EQ(Parse({"decode"}).file, std::nullopt);
  EXPECT_FALSE(Parse({"decode"}).hex);
  EXPECT_EQ(Parse({"decode", "-"}).file, "-");
  EXPECT_EQ(Parse({"decode", "a.pcap"}).file, "a.pcap");
  EXPECT_EQ(Parse({"encode"}).command, Command::kEncode);
  EXPECT_EQ(Parse({"encode", "lines"}).file, "lines");
  EXPECT_EQ(Parse({"decode", "doctor"}).file, "doctor") << "the name of a command can be the name of a file";
  EXPECT_EQ(Parse({"decode", "--", "-a"}).file, "-a");
  for (const std::vector<std::string>& flags :
       std::vector<std::vector<std::string>>{{"decode", "--hex", "a.hex"}, {"decode", "a.hex", "--hex", "--hex"}}) {
    EXPECT_TRUE(Parse(flags).hex);
    EXPECT_EQ(Parse(flags).file, "a.hex");
  }
}

TEST(FlagsTest, WatchTakesFilters) {
  const Flags plain = Parse({"watch", "--events"});
  EXPECT_EQ(plain.command, Command::kWatch);
  EXPECT_EQ(plain.types, std::nullopt);
  EXPECT_FALSE(plain.json);
  EXPECT_EQ(plain.comm, std::nullopt);
  EXPECT_EQ(plain.duration, std::nullopt);
  EXPECT_EQ(plain.file, std::nullopt) << "live";
  EXPECT_EQ(Parse({"watch", "--events", "a.pcap"}).file, "a.pcap");

  const Flags all =
      Parse({"watch", "--events", "--type=fork,exit", "--type", "ack", "--comm=kw*,r", "--json", "--duration=2s"});
  EventTypes types{};
  for (const EventKind kind : {EventKind::kFork, EventKind::kExit, EventKind::kAck}) {
    types.at(static_cast<std::size_t>(kind)) = true;
  }
  EXPECT_EQ(all.types, types);
  EXPECT_EQ(Parse({"watch", "--events", "--type=ack", "--type=fork,exit"}).types, types);
  EXPECT_EQ(Parse({"watch", "--events", "--comm", "-x"}).comm, "-x") << "one dash begins no flag of ours";
  EXPECT_EQ(std::ranges::count(AllTypesButAck(), false), 1);
  EXPECT_FALSE(AllTypesButAck().at(static_cast<std::size_t>(EventKind::kAck)));
  EXPECT_TRUE(all.json);
  EXPECT_EQ(all.comm, "kw*,r");
  EXPECT_EQ(all.duration, std::chrono::seconds(2));
}

TEST(FlagsTest, TakesABooleanBareOrWithItsValue) {
  for (const std::vector<std::string>& flags : std::vector<std::vector<std::string>>{
           {"--source.replay-loop"}, {"--source.replay-loop=true"}, {"--source.replay-loop", "true"}}) {
    EXPECT_THAT(Parse(flags).settings.at(0).values, ElementsAre("true"));
  }
  EXPECT_THAT(Parse({"--source.replay-loop=false"}).settings.at(0).values, ElementsAre("false"));
  EXPECT_THAT(Parse({"--source.replay-loop", "false"}).settings.at(0).values, ElementsAre("false"));
  EXPECT_EQ(Parse({"--source.replay-loop", "check-config"}).command, Command::kCheckConfig);
  EXPECT_THAT(Parse({"--source.replay-loop", "--log.level=info"}).settings.at(0).values, ElementsAre("true"));
}

TEST(FlagsTest, EveryKeyHasAFlag) {
  for (const Option& option : Schema()) {
    const auto settings = Parse({"--" + FlagOf(option) + "=x"}).settings;
    ASSERT_EQ(settings.size(), 1U) << option.key;
    EXPECT_EQ(settings[0].option, &option);
  }
}

TEST(FlagsTest, BothNamesOfAFlagFillOneList) {
  const auto settings = Parse({"--web.listen-address=:1", "--web.listen-addresses=:2"}).settings;
  ASSERT_EQ(settings.size(), 1U);
  EXPECT_THAT(settings[0].values, ElementsAre(":1", ":2"));
}

TEST(FlagsTest, RecognizesVersionAndHelp) {
  EXPECT_EQ(Parse({"--version"}).command, Command::kVersion);
  for (const char* const flag : {"--help", "-h"}) {
    EXPECT_EQ(Parse({flag}).command, Command::kHelp);
    EXPECT_EQ(Parse({flag}).help_topic, Command::kServe);
    EXPECT_EQ(Parse({"record", flag}).help_topic, Command::kRecord);
    EXPECT_EQ(Parse({flag, "record"}).help_topic, Command::kRecord);
  }
  EXPECT_EQ(Parse({"watch", "--help", "--nope"}).command, Command::kHelp) << "the rest is not read";
}

TEST(HelpTest, ShowsEveryFlagWithItsDefault) {
  const std::string help = FormatHelp(Command::kServe);
  for (const Option& option : Schema()) {
    const std::string flag = option.other_flag.empty() ? FlagOf(option) : std::string(option.other_flag);
    EXPECT_THAT(help, ContainsRegex("\n  --" + flag + "[ \n]"));
  }
  for (const char* const text : {"Usage: procevent_exporter", "  --config.file FILE  ", "\n  -h, --help  ", "--version",
                                 "(default: 32MiB)", "(repeatable; default: [0.0.0.0:13675])", "--log.level debug|info",
                                 "Without a command, it serves the metrics"}) {
    EXPECT_THAT(help, HasSubstr(text));
  }
}

TEST(HelpTest, BeginsWithTheDescription) {
  EXPECT_THAT(FormatHelp(Command::kServe), StartsWith(std::string(Description()) + "\nUsage: "));
}

TEST(HelpTest, HasTwoColumns) {
  for (const CommandSpec& spec : Commands()) {
    std::istringstream help(FormatHelp(spec.command));
    for (std::string line; std::getline(help, line);) {
      EXPECT_LE(line.size(), line == Description() ? line.size() : 110U) << line;
      if (line.starts_with("  ")) {
        EXPECT_THAT(line,
                    AnyOf(ContainsRegex("^  [^ ].{36} [^ ]"), ContainsRegex("^ {40}[^ ]"), ContainsRegex("^  --")));
      }
    }
  }
}

TEST(HelpTest, EachCommandHasItsOwn) {
  for (const CommandSpec& spec : Commands().subspan(1)) {
    EXPECT_THAT(FormatHelp(Command::kServe), ContainsRegex("\n  " + std::string(spec.name) + " "));
    const std::string help = FormatHelp(spec.command);
    EXPECT_THAT(help, HasSubstr("Usage: procevent_exporter " + std::string(spec.name)));
    for (const CommandFlag& flag : spec.flags) {
      EXPECT_THAT(help, HasSubstr("--" + std::string(flag.name)));
    }
  }
}

}  // namespace
}  // namespace procevent
