#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <variant>
#include <vector>

namespace procevent {
namespace {

using testing::ElementsAre;

std::vector<std::string> FaultsOf(std::string_view text) {
  std::vector<std::string> lines;
  const LoadedConfig loaded = LoadConfig(text, "f.yml");
  if (const auto* faults = std::get_if<std::vector<Fault>>(&loaded)) {
    for (const Fault& fault : *faults) {
      lines.push_back(Describe(fault));
    }
  }
  return lines;
}

Config Good(std::string_view text) {
  const LoadedConfig loaded = LoadConfig(text, "f.yml");
  EXPECT_THAT(FaultsOf(text), ElementsAre());
  const auto* config = std::get_if<Config>(&loaded);
  return config == nullptr ? Config{} : *config;
}

struct DefaultsRow {
  const char* name;
  const char* text;
};
class DefaultsTest : public testing::TestWithParam<DefaultsRow> {};
TEST_P(DefaultsTest, AreWhatItMeans) { EXPECT_EQ(Good(GetParam().text), Config{}); }
INSTANTIATE_TEST_SUITE_P(Rows, DefaultsTest,
                         testing::Values(DefaultsRow{"Empty", ""}, DefaultsRow{"LineEnds", "\n\r\n\n"},
                                         DefaultsRow{"Comments", "# one\n# two: three\n"},
                                         DefaultsRow{"Marker", "---\n"}, DefaultsRow{"MarkerAndEnd", "---\n...\n"},
                                         DefaultsRow{"EmptyMap", "{}\n"}, DefaultsRow{"EmptySection", "log: {}\n"},
                                         DefaultsRow{"SectionOfNothing", "web:\nlog:\n  level: info\n"},
                                         DefaultsRow{"SectionOfComments", "log:\n  # level: debug\n"},
                                         DefaultsRow{"NullSection", "log: null\nweb: ~\n"}),
                         [](const auto& row) { return row.param.name; });

TEST(LoadTest, ReadsEveryKey) {
  const Config config = Good(
      "web:\n  listen_addresses: ['127.0.0.1:1', \"127.0.0.2:1\", :2]\n  telemetry_path: /m\n"
      "source:\n  receive_buffer: 64KiB\n  events: [exec, exit]\n"
      "reader: {drain_interval: 1s, canary_interval: 60s}\n"
      "processes: {limit: 1024}\n"
      "comms: {limit: 10000, retire_after: 1m}\n"
      "name_groups:\n  - match: (a+)b\n    name: \\1\n  - {name: c, match: d}\n"
      "histograms:\n  exit_code: {buckets: [0, 255], by_comm: true}\n  lifetime: {buckets: [1ms, 720h], by_comm: "
      "true}\n"
      "log:\n  level: debug\n  format: json\n");
  EXPECT_THAT(config.server.listen_addresses, ElementsAre("127.0.0.1:1", "127.0.0.2:1", ":2"));
  EXPECT_EQ(config.server.telemetry_path, "/m");
  EXPECT_EQ(config.connector.receive_buffer_bytes, 65536U);
  EXPECT_EQ(config.connector.events,
            EventMask::None().With(EventKind::kExec).With(EventKind::kExit).With(EventKind::kComm));
  EXPECT_EQ(config.reader.drain_interval, std::chrono::milliseconds(1000));
  EXPECT_EQ(config.reader.canary_interval, std::chrono::milliseconds(60'000));
  EXPECT_EQ(config.ledger, (LedgerOptions{.process_limit = 1024,
                                          .comm_limit = 10'000,
                                          .comm_retire_after = std::chrono::minutes(1),
                                          .name_groups = {{"(a+)b", "\\1"}, {"d", "c"}},
                                          .exit_code_bounds = {0, 255},
                                          .lifetime_bounds = {std::chrono::milliseconds(1), std::chrono::hours(720)},
                                          .exit_code_by_comm = true,
                                          .lifetime_by_comm = true}));
  EXPECT_EQ(config.log, (LogOptions{LogLevel::kDebug, LogFormat::kJson}));
}

TEST(LoadTest, AllNamesAreAllEvents) {
  EXPECT_EQ(Good("source: {events: [fork, exec, exit, uid, gid, sid, ptrace, comm, coredump]}").connector.events,
            EventMask::All());
  EXPECT_EQ(Good("source: {events: all}").connector.events, EventMask::All());
}

TEST(LoadTest, CommIsKeptOnce) {
  const EventMask comm = EventMask::None().With(EventKind::kComm);
  EXPECT_EQ(Good("source: {events: [comm]}").connector.events, comm);
  EXPECT_EQ(Good("source: {events: [fork]}").connector.events, comm.With(EventKind::kFork));
}

TEST(LoadTest, BoundsAreIncluded) {
  EXPECT_EQ(Good("source: {receive_buffer: 1GiB}").connector.receive_buffer_bytes, 1U << 30U);
  EXPECT_EQ(Good("source: {receive_buffer: 65536}").connector.receive_buffer_bytes, 65536U);
  EXPECT_EQ(Good("reader: {drain_interval: 1ms}").reader.drain_interval, std::chrono::milliseconds(1));
  EXPECT_EQ(Good("reader: {canary_interval: 1m}").reader.canary_interval, std::chrono::milliseconds(60'000));
  EXPECT_EQ(Good("reader: {canary_interval: 1000ms}").reader.canary_interval, std::chrono::milliseconds(1000));
}

struct FaultRow {
  const char* name;
  std::string text;
  std::string fault;
};

class FaultTest : public testing::TestWithParam<FaultRow> {};

TEST_P(FaultTest, IsTheOnlyOne) { EXPECT_THAT(FaultsOf(GetParam().text), ElementsAre(GetParam().fault)); }

constexpr auto kName = [](const auto& row) { return row.param.name; };

const std::string kSections = "web, source, reader, processes, comms, name_groups, histograms, log";
const std::string kSize = ", allowed is a size from 64KiB to 1GiB, like 32MiB";
const std::string kDrain = ", allowed is a duration from 1ms to 1s, like 10ms";
const std::string kCanary = ", allowed is a duration from 1s to 60s, like 5s";
INSTANTIATE_TEST_SUITE_P(Quantities, FaultTest,
                         testing::Values(FaultRow{"BufferWords", "source:\n  receive_buffer: 12 parsecs\n",
                                                  R"(f.yml:2:19: source.receive_buffer: found "12 parsecs")" + kSize},
                                         FaultRow{"BufferSmall", "source: {receive_buffer: 65535}",
                                                  R"(f.yml:1:26: source.receive_buffer: found "65535")" + kSize},
                                         FaultRow{"BufferLarge", "source: {receive_buffer: 1025MiB}",
                                                  R"(f.yml:1:26: source.receive_buffer: found "1025MiB")" + kSize},
                                         FaultRow{"BufferWraps", "source: {receive_buffer: 4294967296}",
                                                  R"(f.yml:1:26: source.receive_buffer: found "4294967296")" + kSize},
                                         FaultRow{"BufferFraction", "source: {receive_buffer: 1.5MiB}",
                                                  R"(f.yml:1:26: source.receive_buffer: found "1.5MiB")" + kSize},
                                         FaultRow{"BufferNegative", "source: {receive_buffer: -1}",
                                                  R"(f.yml:1:26: source.receive_buffer: found "-1")" + kSize},
                                         FaultRow{"BufferList", "source: {receive_buffer: [32MiB]}",
                                                  "f.yml:1:26: source.receive_buffer: found a list" + kSize},
                                         FaultRow{"BufferMap", "source: {receive_buffer: {a: b}}",
                                                  "f.yml:1:26: source.receive_buffer: found a map" + kSize},
                                         FaultRow{"BufferEmpty", "source:\n  receive_buffer:\nlog: {}\n",
                                                  "f.yml:2:3: source.receive_buffer: found an empty value" + kSize},
                                         FaultRow{"BufferNull", "source:\n  receive_buffer: null\n",
                                                  "f.yml:2:3: source.receive_buffer: found an empty value" + kSize},
                                         FaultRow{"BufferQuotedNull", "source:\n  receive_buffer: 'null'\n",
                                                  R"(f.yml:2:19: source.receive_buffer: found "null")" + kSize},
                                         FaultRow{"DrainNoUnit", "reader: {drain_interval: 10}",
                                                  R"(f.yml:1:26: reader.drain_interval: found "10")" + kDrain},
                                         FaultRow{"DrainZero", "reader: {drain_interval: 0ms}",
                                                  R"(f.yml:1:26: reader.drain_interval: found "0ms")" + kDrain},
                                         FaultRow{"DrainLong", "reader: {drain_interval: 1001ms}",
                                                  R"(f.yml:1:26: reader.drain_interval: found "1001ms")" + kDrain},
                                         FaultRow{"CanaryShort", "reader: {canary_interval: 999ms}",
                                                  R"(f.yml:1:27: reader.canary_interval: found "999ms")" + kCanary},
                                         FaultRow{"CanaryLong", "reader: {canary_interval: 61s}",
                                                  R"(f.yml:1:27: reader.canary_interval: found "61s")" + kCanary}),
                         kName);

const std::string kAddress = ", allowed is an address like 0.0.0.0:13675";
const std::string kAddresses = ", allowed is a list of 1 to 16 addresses like 0.0.0.0:13675";
const std::string kCovered = " (another of the list covers this one already)";

std::string ListOf(int count) {
  std::string list = "web:\n  listen_addresses:\n";
  for (int i = 1; i <= count; ++i) {
    list += "  - 127.0.0.1:" + std::to_string(i) + "\n";
  }
  return list;
}

TEST(LoadTest, SixteenAddressesAreAllowed) { EXPECT_EQ(Good(ListOf(16)).server.listen_addresses.size(), 16U); }

INSTANTIATE_TEST_SUITE_P(
    Web, FaultTest,
    testing::Values(FaultRow{"AddressesScalar", "web: {listen_addresses: ':1'}",
                             R"(f.yml:1:25: web.listen_addresses: found ":1")" + kAddresses},
                    FaultRow{"AddressesNone", "web: {listen_addresses: []}",
                             "f.yml:1:25: web.listen_addresses: found an empty list" + kAddresses},
                    FaultRow{"AddressesSeventeen", ListOf(17),
                             "f.yml:3:3: web.listen_addresses: found 17 items" + kAddresses},
                    FaultRow{"AddressTwice", "web: {listen_addresses: ['1.2.3.4:1', '1.2.3.4:1']}",
                             R"(f.yml:1:39: web.listen_addresses[1]: found "1.2.3.4:1")" + kAddress + kCovered},
                    FaultRow{"AddressCovered", "web: {listen_addresses: ['1.2.3.4:1', ':1']}",
                             R"(f.yml:1:39: web.listen_addresses[1]: found ":1")" + kAddress + kCovered},
                    FaultRow{"AddressEmpty", "web:\n  listen_addresses:\n  -\n  - :1\n",
                             "f.yml:3:3: web.listen_addresses[0]: found an empty value" + kAddress},
                    FaultRow{"AddressList", "web: {listen_addresses: [[]]}",
                             "f.yml:1:26: web.listen_addresses[0]: found an empty list" + kAddress},
                    FaultRow{"AddressNoPort", "web: {listen_addresses: [localhost]}",
                             R"(f.yml:1:26: web.listen_addresses[0]: found "localhost")" + kAddress +
                                 " (it has no port: write host:port, as in 127.0.0.1:13675 or :13675)"},
                    FaultRow{"PathReserved", "web: {telemetry_path: /-/ready}",
                             R"(f.yml:1:23: web.telemetry_path: found "/-/ready", allowed is a path like /metrics)"
                             " (/-/healthy and /-/ready are pages of their own: choose another, as in /metrics)"},
                    FaultRow{"PathRelative", "web: {telemetry_path: metrics}",
                             R"(f.yml:1:23: web.telemetry_path: found "metrics", allowed is a path like /metrics)"
                             " (it is '/' and 1 to 255 characters more, as in /metrics)"}),
    kName);

const std::string kEvent = ", allowed is one of fork, exec, exit, uid, gid, sid, ptrace, comm, coredump";
const std::string kEvents = ", allowed is all, or a list of event names, like [fork, exec, exit]";
INSTANTIATE_TEST_SUITE_P(
    Names, FaultTest,
    testing::Values(
        FaultRow{"EventUnknown", "source: {events: [fork, clone]}",
                 R"(f.yml:1:25: source.events[1]: found "clone")" + kEvent},
        FaultRow{"EventAck", "source: {events: [ack]}", R"(f.yml:1:19: source.events[0]: found "ack")" + kEvent},
        FaultRow{"EventUnknownKind", "source: {events: [unknown]}",
                 R"(f.yml:1:19: source.events[0]: found "unknown")" + kEvent},
        FaultRow{"EventAllInList", "source: {events: [all]}", R"(f.yml:1:19: source.events[0]: found "all")" + kEvent},
        FaultRow{"EventTwice", "source: {events: [fork, fork]}",
                 R"(f.yml:1:25: source.events[1]: found "fork")" + kEvent + " (the list names it already)"},
        FaultRow{"EventsNone", "source: {events: []}", "f.yml:1:18: source.events: found an empty list" + kEvents},
        FaultRow{"EventsWord", "source: {events: fork}", R"(f.yml:1:18: source.events: found "fork")" + kEvents},
        FaultRow{"EventsMap", "source: {events: {fork: 1}}", "f.yml:1:18: source.events: found a map" + kEvents},
        FaultRow{"LevelUnknown", "log: {level: Info}",
                 R"(f.yml:1:14: log.level: found "Info", allowed is debug, info, warning or error)"},
        FaultRow{"FormatUnknown", "log: {format: xml}",
                 R"(f.yml:1:15: log.format: found "xml", allowed is logfmt or json)"}),
    kName);

INSTANTIATE_TEST_SUITE_P(
    Keys, FaultTest,
    testing::Values(
        FaultRow{"UnknownSection", "web: {}\nwebs: {}\n",
                 "f.yml:2:1: webs: found an unknown key, allowed is one of " + kSections},
        FaultRow{"UnknownKey", "log:\n  colour: red\n",
                 "f.yml:2:3: log.colour: found an unknown key, allowed is one of level, format"},
        FaultRow{"DottedKey", "log.level: info\n",
                 R"(f.yml:1:1: "log.level": found an unknown key, allowed is one of )" + kSections},
        FaultRow{"EmptyKey", "'': info\n", R"(f.yml:1:1: "": found an unknown key, allowed is one of )" + kSections},
        FaultRow{"KeyPrefix", "log: {lev: info}\n",
                 "f.yml:1:7: log.lev: found an unknown key, allowed is one of level, format"},
        FaultRow{"DuplicateSection", "log: {}\nweb: {}\nlog: {}\n",
                 "f.yml:3:1: log: found the key a second time (line 1 has one), allowed is each key once"},
        FaultRow{"DuplicateKey", "log:\n  level: info\n  level: nonsense\n",
                 "f.yml:3:3: log.level: found the key a second time (line 2 has one), allowed is each key once"},
        FaultRow{"DuplicateUnderQuotes", "log:\n  level: info\n  'level': info\n",
                 "f.yml:3:3: log.level: found the key a second time (line 2 has one), allowed is each key once"},
        FaultRow{"RootScalar", "hello\n", R"(f.yml:1:1: found "hello", allowed is a map of )" + kSections},
        FaultRow{"RootNull", "null\n", R"(f.yml:1:1: found "null", allowed is a map of )" + kSections},
        FaultRow{"RootList", "- a\n", "f.yml:1:1: found a list, allowed is a map of " + kSections},
        FaultRow{"SectionScalar", "log: info\n", R"(f.yml:1:6: log: found "info", allowed is a map of level, format)"},
        FaultRow{"SectionList", "log: [info]\n", "f.yml:1:6: log: found a list, allowed is a map of level, format"},
        FaultRow{"NullKey", ": x\n", "f.yml:1:1: found a key that is no text, allowed is a name and a colon"},
        FaultRow{"ListKey", "log:\n  ? [level]\n  : info\n",
                 "f.yml:2:5: log: found a key that is no text, allowed is a name and a colon"},
        FaultRow{"MapKey", "? {level: a}\n: info\n",
                 "f.yml:1:3: found a key that is no text, allowed is a name and a colon"}),
    kName);

const std::string kRule = "allowed is a rule like {match: kworker/.*, name: kworker}";
const std::string kCodes = "allowed is a number from 0 to 255, like 127";
const std::string kLives = "allowed is a duration from 1ms to 720h, like 5s";

INSTANTIATE_TEST_SUITE_P(
    Ledger, FaultTest,
    testing::Values(
        FaultRow{"FewProcesses", "processes: {limit: 1023}",
                 R"(f.yml:1:20: processes.limit: found "1023", allowed is a number from 1024 to 4194304, like 65536)"},
        FaultRow{
            "ManyProcesses", "processes: {limit: 4194305}",
            R"(f.yml:1:20: processes.limit: found "4194305", allowed is a number from 1024 to 4194304, like 65536)"},
        FaultRow{"ProcessesWithUnit", "processes: {limit: 64Ki}",
                 R"(f.yml:1:20: processes.limit: found "64Ki", allowed is a number from 1024 to 4194304, like 65536)"},
        FaultRow{"ManyComms", "comms: {limit: 10001}",
                 R"(f.yml:1:16: comms.limit: found "10001", allowed is a number from 10 to 10000, like 500)"},
        FaultRow{"RetiredAtOnce", "comms: {retire_after: 59s}",
                 R"(f.yml:1:23: comms.retire_after: found "59s", allowed is a duration from 1m to 720h, like 1h)"},
        FaultRow{
            "GroupsAreNoList", "name_groups: {match: a, name: b}",
            "f.yml:1:14: name_groups: found a map, allowed is a list of at most 100 rules like {match: kworker/.*, "
            "name: kworker}"},
        FaultRow{"GroupIsText", "name_groups: [a]", R"(f.yml:1:15: name_groups[0]: found "a", )" + kRule},
        FaultRow{"GroupWithoutName", "name_groups: [{match: a}]",
                 "f.yml:1:15: name_groups[0].name: found nothing, " + kRule},
        FaultRow{"GroupWithMore", "name_groups: [{match: a, name: b, colour: c}]",
                 "f.yml:1:35: name_groups[0].colour: found an unknown key, allowed is one of match, name"},
        FaultRow{"GroupOfLists", "name_groups: [{match: [a], name: b}]",
                 "f.yml:1:23: name_groups[0].match: found a list, allowed is a text"},
        FaultRow{"NoExpression", "name_groups: [{match: '(', name: b}]",
                 "f.yml:1:15: name_groups[0]: found no regular expression: missing ): (, " + kRule},
        FaultRow{"NameWithoutItsGroup", "name_groups: [{match: a, name: '\\1'}]",
                 "f.yml:1:15: name_groups[0]: found a name that does not fit the expression: Rewrite schema requests 1 "
                 "matches, but the regexp only has 0 parenthesized subexpressions., " +
                     kRule},
        FaultRow{"ReservedName", "name_groups: [{match: a, name: '[retired comms here]'}]",
                 "f.yml:1:15: name_groups[0]: found a name that is the exporter's own, " + kRule},
        FaultRow{"NameOfControls", "name_groups: [{match: a, name: \"a\\nb\"}]",
                 "f.yml:1:15: name_groups[0]: found a name that is not 1 to 63 bytes of visible characters, " + kRule},
        FaultRow{"NoBuckets", "histograms: {exit_code: {buckets: []}}",
                 "f.yml:1:35: histograms.exit_code.buckets: found an empty list, allowed is a list of 1 to 32 rising "
                 "numbers from 0 to 255"},
        FaultRow{
            "BucketsFall", "histograms: {exit_code: {buckets: [2, 1]}}",
            R"(f.yml:1:39: histograms.exit_code.buckets[1]: found "1", )" + kCodes + " (each is above the one before)"},
        FaultRow{"BucketTooLarge", "histograms: {exit_code: {buckets: [256]}}",
                 R"(f.yml:1:36: histograms.exit_code.buckets[0]: found "256", )" + kCodes},
        FaultRow{"LifetimesRepeat", "histograms: {lifetime: {buckets: [1s, 1000ms]}}",
                 R"(f.yml:1:39: histograms.lifetime.buckets[1]: found "1000ms", )" + kLives +
                     " (each is above the one before)"},
        FaultRow{"NoDuration", "histograms: {lifetime: {buckets: [1]}}",
                 R"(f.yml:1:35: histograms.lifetime.buckets[0]: found "1", )" + kLives},
        FaultRow{"NeitherTrueNorFalse", "histograms: {lifetime: {by_comm: yes}}",
                 R"(f.yml:1:34: histograms.lifetime.by_comm: found "yes", allowed is true or false)"}),
    kName);

TEST(LoadTest, NoGroupsReplaceTheDefaultOne) { EXPECT_TRUE(Good("name_groups: []").ledger.name_groups.empty()); }

TEST(LoadTest, TellsAllFaultsAtOnceInTheirOrder) {
  EXPECT_THAT(FaultsOf("web:\n  listen_addresses: [x, :1, :1]\n  telemetry_path:\n  colour: red\n"
                       "source:\n  receive_buffer: 1\n  receive_buffer: 2\n  events: &e [fork, clone]\n"
                       "log:\n  level: *e\n"),
              ElementsAre(testing::StartsWith(R"(f.yml:2:22: web.listen_addresses[0]: found "x")"),
                          testing::StartsWith(R"(f.yml:2:29: web.listen_addresses[2]: found ":1")"),
                          testing::StartsWith("f.yml:3:3: web.telemetry_path: found an empty value"),
                          testing::StartsWith("f.yml:4:3: web.colour: found an unknown key"),
                          testing::StartsWith(R"(f.yml:6:19: source.receive_buffer: found "1")"),
                          testing::StartsWith("f.yml:7:3: source.receive_buffer: found the key a second time"),
                          testing::StartsWith("f.yml:8:11: source.events: found an anchor"),
                          testing::StartsWith(R"(f.yml:8:21: source.events[1]: found "clone")"),
                          testing::StartsWith("f.yml:10:10: log.level: found an alias")));
}

TEST(LoadTest, TellsAHundredFaultsAndCountsTheRest) {
  std::string text = "log:\n";
  for (int i = 0; i < 150; ++i) {
    text += "  k" + std::to_string(i) + ": 1\n";
  }
  const auto faults = FaultsOf(text);
  ASSERT_EQ(faults.size(), 101U);
  EXPECT_EQ(faults.back(), "f.yml: found at least 50 faults more, allowed is none");
}

TEST(LoadTest, EchoesNothingThatATerminalObeys) {
  EXPECT_THAT(FaultsOf("log: {level: \"\\e[2J\\n\"}"),
              ElementsAre(R"(f.yml:1:14: log.level: found "\x1b[2J\x0a", allowed is debug, info, warning or error)"));
  EXPECT_THAT(FaultsOf("\"a\\nb\": 1"), ElementsAre(testing::StartsWith(R"(f.yml:1:1: "a\x0ab": found an unknown)")));
}

}  // namespace
}  // namespace procevent
