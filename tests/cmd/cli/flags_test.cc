#include "cmd/cli/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "exporter/metrics/exporter_state.h"

namespace procevent {
namespace {

using testing::AllOf;
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
  return ParseFlags(arguments);
}

TEST(FlagsTest, ServesWithoutArguments) {
  const Flags flags = Parse({});
  EXPECT_EQ(flags.command, Flags::Command::kServe);
  EXPECT_FALSE(flags.config_file);
  EXPECT_THAT(flags.settings, IsEmpty());
}

TEST(FlagsTest, ServesWithoutProgramName) { EXPECT_EQ(ParseFlags({}).command, Flags::Command::kServe); }

TEST(FlagsTest, TakesEveryFlag) {
  const Flags flags = Parse({"--config.file=a.yml", "--web.listen-address=:1", "--log.level", "debug",
                             "--web.listen-address", ":2", "--web.telemetry-path=/m", "--log.format=json",
                             "--web.allow=127.0.0.1", "--web.max-requests=1", "--web.allow=10.0.0.0/8"});
  EXPECT_EQ(flags.command, Flags::Command::kServe);
  EXPECT_EQ(flags.config_file, "a.yml");
  const auto setting = [](const char* flag, const char* path, const auto& values) {
    return AllOf(Field(&ConfigOverride::flag, flag), Field(&ConfigOverride::path, path),
                 Field(&ConfigOverride::values, values));
  };
  EXPECT_THAT(flags.settings,
              ElementsAre(setting("--web.listen-address", "web.listen_addresses", ElementsAre(":1", ":2")),
                          setting("--web.telemetry-path", "web.telemetry_path", ElementsAre("/m")),
                          setting("--web.allow", "web.allow", ElementsAre("127.0.0.1", "10.0.0.0/8")),
                          setting("--web.max-requests", "web.max_requests", ElementsAre("1")),
                          setting("--log.level", "log.level", ElementsAre("debug")),
                          setting("--log.format", "log.format", ElementsAre("json"))));
}

TEST(FlagsTest, KeepsValuesUnchanged) {
  EXPECT_EQ(Parse({"--config.file=[a,b]"}).config_file, "[a,b]");
  EXPECT_EQ(Parse({"--config.file", "a b"}).config_file, "a b");
  EXPECT_EQ(Parse({"--config.file", ""}).config_file, "");
  EXPECT_THAT(Parse({"--log.level=\"info\""}).settings.at(0).values, ElementsAre("\"info\""));
  EXPECT_THAT(Parse({"--log.level=-5"}).settings.at(0).values, ElementsAre("-5"));
}

TEST(FlagsTest, CheckConfigTakesFlagsOnBothSides) {
  for (const std::vector<std::string>& flags :
       std::vector<std::vector<std::string>>{{"check-config", "--config.file=a.yml", "--log.level=debug"},
                                             {"--config.file=a.yml", "--log.level=debug", "check-config"},
                                             {"--log.level=debug", "check-config", "--config.file", "a.yml"}}) {
    const Flags parsed = Parse(flags);
    EXPECT_EQ(parsed.command, Flags::Command::kCheckConfig);
    EXPECT_EQ(parsed.config_file, "a.yml");
    ASSERT_EQ(parsed.settings.size(), 1U);
    EXPECT_THAT(parsed.settings[0].values, ElementsAre("debug"));
  }
  EXPECT_EQ(Parse({"check-config"}).command, Flags::Command::kCheckConfig) << "the file is optional";
}

TEST(FlagsTest, DoctorTakesFlagsOnBothSides) {
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

TEST(FlagsTest, DecodeAndEncodeTakeAFile) {
  EXPECT_EQ(Parse({"decode"}).command, Flags::Command::kDecode);
  EXPECT_EQ(Parse({"decode"}).file, "-");
  EXPECT_FALSE(Parse({"decode"}).hex);
  EXPECT_EQ(Parse({"decode", "-"}).file, "-");
  EXPECT_EQ(Parse({"decode", "a.pcap"}).file, "a.pcap");
  EXPECT_EQ(Parse({"encode"}).command, Flags::Command::kEncode);
  EXPECT_EQ(Parse({"encode", "lines"}).file, "lines");
  EXPECT_EQ(Parse({"decode", "doctor"}).file, "doctor") << "the name of a command can be the name of a file";
  EXPECT_EQ(Parse({"decode", "--", "-a"}).file, "-a");
  for (const std::vector<std::string>& flags :
       std::vector<std::vector<std::string>>{{"decode", "--hex", "a.hex"}, {"decode", "a.hex", "--hex"}}) {
    EXPECT_TRUE(Parse(flags).hex);
    EXPECT_EQ(Parse(flags).file, "a.hex");
  }
}

TEST(FlagsTest, WatchTakesFilters) {
  const Flags plain = Parse({"watch", "--events"});
  EXPECT_EQ(plain.command, Flags::Command::kWatch);
  EXPECT_EQ(plain.watch.types, kDefaultEventTypes);
  EXPECT_FALSE(plain.watch.json);
  EXPECT_EQ(plain.watch.command, std::nullopt);
  EXPECT_EQ(plain.watch.duration, std::nullopt);

  const Flags all =
      Parse({"watch", "--events", "--type=fork,exit", "--type", "ack", "--comm=kw*,r", "--json", "--duration=2s"});
  EventTypes types{};
  for (const EventKind kind : {EventKind::kFork, EventKind::kExit, EventKind::kAck}) {
    types.at(static_cast<std::size_t>(kind)) = true;
  }
  EXPECT_EQ(all.watch.types, types);
  EXPECT_TRUE(all.watch.json);
  EXPECT_EQ(all.watch.command, "kw*,r");
  EXPECT_EQ(all.watch.duration, std::chrono::seconds(2));
}

TEST(FlagsTest, UnknownFlagExitsWithTwoAndTheUsageLine) {
  const Flags flags = Parse({"--nope"});
  EXPECT_EQ(flags.command, Flags::Command::kExit);
  EXPECT_EQ(flags.code, 2);
  EXPECT_EQ(flags.out, "");
  EXPECT_THAT(flags.err, StartsWith("procevent_exporter: unknown flag \"--nope\"\n"
                                    "usage: procevent_exporter [--config.file=FILE] "));
}

TEST(FlagsTest, PrintsTheVersion) {
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
         {"Usage: procevent_exporter", "--config.file FILE  ", "--web.listen-address ADDRESS:PORT ...",
          "--web.telemetry-path PATH  ", "--web.allow NETWORK ...", "--web.max-requests N  ", "--log.level LEVEL  ",
          "--log.format FORMAT  ", "--version", "check-config", "doctor", "healthcheck", "record", "decode", "encode",
          "watch", "Without a command, it serves the metrics"}) {
      EXPECT_THAT(flags.out, HasSubstr(text));
    }
  }
}

TEST(FlagsTest, CheckConfigHasItsOwnHelp) {
  const Flags flags = Parse({"check-config", "--help"});
  EXPECT_EQ(flags.code, 0);
  EXPECT_THAT(flags.out, HasSubstr("procevent_exporter check-config"));
  EXPECT_THAT(flags.out, HasSubstr("It takes all flags of procevent_exporter"));
}

// The annotated file names each flag beside its key.
TEST(FlagsTest, AnnotatedFileNamesEveryFlag) {
  std::ifstream file("deploy/procevent_exporter.yml");
  const std::string annotated{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::string help = Parse({"--help"}).out;
  const std::regex flag("--[a-z]+\\.[a-z-]+");
  std::vector<std::string> flags;
  for (std::sregex_iterator found(help.begin(), help.end(), flag); found != std::sregex_iterator(); ++found) {
    flags.push_back(found->str());
    EXPECT_THAT(annotated, HasSubstr(flags.back()));
  }
  EXPECT_EQ(flags.size(), 10U);
}

}  // namespace
}  // namespace procevent
