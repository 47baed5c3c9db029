#include "cmd/configure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <variant>
#include <vector>

namespace procevent {
namespace {

using testing::ElementsAre;

std::vector<std::string> FaultsOf(const Flags& flags) {
  std::vector<std::string> lines;
  const LoadedConfig loaded = Configure(flags);
  if (const auto* faults = std::get_if<std::vector<Fault>>(&loaded)) {
    std::ranges::transform(*faults, std::back_inserter(lines), Describe);
  }
  return lines;
}

TEST(ConfigureTest, NoFileMeansTheDefaults) { EXPECT_EQ(std::get<Config>(Configure({})), Config{}); }

TEST(ConfigureTest, FlagsReplaceWhatTheFileSays) {
  const Flags flags{.config_file = "deploy/procevent_exporter.yml",
                    .settings = {{"--web.listen-address", "web.listen_addresses", {":1", ":2"}},
                                 {"--web.telemetry-path", "web.telemetry_path", {"/m"}},
                                 {"--log.level", "log.level", {"error"}},
                                 {"--log.format", "log.format", {"json"}}},
                    .out = {},
                    .err = {}};
  ASSERT_THAT(FaultsOf(flags), ElementsAre());
  Config wanted;
  wanted.server.listen_addresses = {":1", ":2"};
  wanted.server.telemetry_path = "/m";
  wanted.log = {LogLevel::kError, LogFormat::kJson};
  EXPECT_EQ(std::get<Config>(Configure(flags)), wanted);
}

TEST(ConfigureTest, TellsTheFaultsOfTheFileAndOfTheFlagsAtOnce) {
  const Flags flags{.config_file = "/nowhere/none.yml",
                    .settings = {{"--web.listen-address", "web.listen_addresses", {":1", ":1"}},
                                 {"--log.level", "log.level", {"loud"}}},
                    .out = {},
                    .err = {}};
  EXPECT_THAT(FaultsOf(flags),
              ElementsAre("/nowhere/none.yml: found no way to open it (No such file or directory), allowed is the path "
                          "of an existing file",
                          R"(--web.listen-address: found ":1", allowed is an address like 0.0.0.0:13675 )"
                          "(another of the list covers this one already)",
                          R"(--log.level: found "loud", allowed is debug, info, warning or error)"));
}

TEST(ConfigureTest, AnEmptyNameIsNoFile) {
  EXPECT_THAT(FaultsOf({.config_file = "", .settings = {}, .out = {}, .err = {}}),
              ElementsAre(R"(--config.file: found "", allowed is the path of a file)"));
}

}  // namespace
}  // namespace procevent
