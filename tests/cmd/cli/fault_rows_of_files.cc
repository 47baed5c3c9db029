#include "tests/cmd/cli/fault_rows.h"

namespace procevent {
namespace {

const std::string kSections = "web, source, reader, processes, comms, name_groups, histograms, log";
const std::string kWebKeys = "listen_addresses, telemetry_path, allow, max_requests";
const std::string kSize = ", allowed is a size from 64KiB to 1GiB in bytes or with KiB, MiB or GiB, like 32MiB";
const std::string kSpeed = ", allowed is max, or a number from 1 to 1000 in digits alone, like 10";
const std::string kDrain = ", allowed is a duration from 1ms to 1s in whole ms, s, m or h, like 10ms";
const std::string kCanary = ", allowed is a duration from 1s to 60s in whole ms, s, m or h, like 5s";
const std::string kProcesses = ", allowed is a number from 1024 to 4194304 in digits alone, like 65536";
const std::string kFormats = ", allowed is logfmt or json";
const std::string kAddresses = ", allowed is a list of 1 to 16 addresses like 0.0.0.0:13675";
const std::string kNetworks = ", allowed is all, or a list of 1 to 64 addresses or networks like 10.0.0.0/8";
const std::string kEvents = ", allowed is all, or a list of event names, like [fork, exec, exit]";
const std::string kRule = "allowed is a rule like {match: kworker/.*, name: kworker}";
const std::string kCodes = ", allowed is a number from 0 to 255 in digits alone, like 127";
const std::string kLives = ", allowed is a duration from 1ms to 720h in whole ms, s, m or h, like 5s";

std::string ListOf(std::string_view item, int count) {
  std::string list;
  for (int i = 1; i <= count; ++i) {
    list += "  - " + std::string(item) + std::to_string(i) + "\n";
  }
  return list;
}

}  // namespace

std::vector<FaultRow> QuantityRows() {
  return {
      {"BufferWords", "source:\n  receive_buffer: 12 parsecs\n",
       R"(f.yml:2:19: source.receive_buffer: found "12 parsecs")" + kSize},
      {"BufferSmall", "source: {receive_buffer: 65535}", R"(f.yml:1:26: source.receive_buffer: found "65535")" + kSize},
      {"BufferLarge", "source: {receive_buffer: 1025MiB}",
       R"(f.yml:1:26: source.receive_buffer: found "1025MiB")" + kSize},
      {"BufferWraps", "source: {receive_buffer: 4294967296}",
       R"(f.yml:1:26: source.receive_buffer: found "4294967296")" + kSize},
      {"BufferDecimal", "source: {receive_buffer: 32MB}", R"(f.yml:1:26: source.receive_buffer: found "32MB")" + kSize},
      {"BufferList", "source: {receive_buffer: [32MiB]}", "f.yml:1:26: source.receive_buffer: found a list" + kSize},
      {"BufferMap", "source: {receive_buffer: {a: b}}", "f.yml:1:26: source.receive_buffer: found a map" + kSize},
      {"BufferEmpty", "source:\n  receive_buffer:\nlog: {}\n",
       "f.yml:2:3: source.receive_buffer: found an empty value" + kSize},
      {"BufferNull", "source:\n  receive_buffer: null\n",
       "f.yml:2:3: source.receive_buffer: found an empty value" + kSize},
      {"BufferQuotedNull", "source:\n  receive_buffer: 'null'\n",
       R"(f.yml:2:19: source.receive_buffer: found "null")" + kSize},
      {"ReplayEmpty", "source: {replay: ''}",
       R"(f.yml:1:18: source.replay: found "", allowed is none, or the path of a capture)"},
      {"ReplayList", "source: {replay: [a, b]}",
       "f.yml:1:18: source.replay: found a list, allowed is none, or the path of a capture"},
      {"ReplaySpeedNone", "source: {replay_speed: 0}", R"(f.yml:1:24: source.replay_speed: found "0")" + kSpeed},
      {"ReplaySpeedHigh", "source: {replay_speed: 1001}", R"(f.yml:1:24: source.replay_speed: found "1001")" + kSpeed},
      {"ReplaySpeedPart", "source: {replay_speed: 0.5}", R"(f.yml:1:24: source.replay_speed: found "0.5")" + kSpeed},
      {"ReplaySpeedWord", "source: {replay_speed: mx}",
       R"(f.yml:1:24: source.replay_speed: found "mx")" + kSpeed + R"(; did you mean "max"?)"},
      {"ReplayLoopWord", "source: {replay_loop: yes}",
       R"(f.yml:1:23: source.replay_loop: found "yes", allowed is true or false)"},
      {"DrainNoUnit", "reader: {drain_interval: 10}", R"(f.yml:1:26: reader.drain_interval: found "10")" + kDrain},
      {"DrainZero", "reader: {drain_interval: 0ms}", R"(f.yml:1:26: reader.drain_interval: found "0ms")" + kDrain},
      {"DrainLong", "reader: {drain_interval: 1001ms}",
       R"(f.yml:1:26: reader.drain_interval: found "1001ms")" + kDrain},
      {"CanaryShort", "reader: {canary_interval: 999ms}",
       R"(f.yml:1:27: reader.canary_interval: found "999ms")" + kCanary},
      {"CanaryLong", "reader: {canary_interval: 61s}", R"(f.yml:1:27: reader.canary_interval: found "61s")" + kCanary},
      {"FewProcesses", "processes: {limit: 1023}", R"(f.yml:1:20: processes.limit: found "1023")" + kProcesses},
      {"ManyProcesses", "processes: {limit: 4194305}", R"(f.yml:1:20: processes.limit: found "4194305")" + kProcesses},
      {"ProcessesOctal", "processes: {limit: 02000}", R"(f.yml:1:20: processes.limit: found "02000")" + kProcesses},
      {"ProcessesSigned", "processes: {limit: +2000}", R"(f.yml:1:20: processes.limit: found "+2000")" + kProcesses},
      {"ProcessesWithUnit", "processes: {limit: 64Ki}", R"(f.yml:1:20: processes.limit: found "64Ki")" + kProcesses},
      {"ManyComms", "comms: {limit: 10001}",
       R"(f.yml:1:16: comms.limit: found "10001", allowed is a number from 10 to 10000 in digits alone, like 500)"},
      {"RetiredAtOnce", "comms: {retire_after: 59s}",
       R"(f.yml:1:23: comms.retire_after: found "59s", allowed is a duration from 1m to 720h in whole ms, s, m or h, like 1h)"},
      {"NoRequests", "web: {max_requests: 0}", R"(f.yml:1:21: web.max_requests: found "0")" + kRequests},
      {"ManyRequests", "web: {max_requests: 1001}", R"(f.yml:1:21: web.max_requests: found "1001")" + kRequests}};
}

std::vector<FaultRow> WebRows() {
  return {
      {"AddressAlone", "web: {listen_addresses: localhost}",
       R"(f.yml:1:25: web.listen_addresses: found "localhost")" + kAddress +
           " (the port is missing; use host:port, such as 127.0.0.1:13675 or :13675)"},
      {"AddressesMap", "web: {listen_addresses: {}}", "f.yml:1:25: web.listen_addresses: found a map" + kAddresses},
      {"AddressesNone", "web: {listen_addresses: []}",
       "f.yml:1:25: web.listen_addresses: found an empty list" + kAddresses},
      {"AddressesSeventeen", "web:\n  listen_addresses:\n" + ListOf("127.0.0.1:", 17),
       "f.yml:3:3: web.listen_addresses: found 17 items" + kAddresses},
      {"AddressTwice", "web: {listen_addresses: ['1.2.3.4:1', '1.2.3.4:1']}",
       R"(f.yml:1:39: web.listen_addresses[1]: found "1.2.3.4:1")" + kAddress + kCovered},
      {"AddressCovered", "web: {listen_addresses: ['1.2.3.4:1', ':1']}",
       R"(f.yml:1:39: web.listen_addresses[1]: found ":1")" + kAddress + kCovered},
      {"AddressEmpty", "web:\n  listen_addresses:\n  -\n  - :1\n",
       "f.yml:3:3: web.listen_addresses[0]: found an empty value" + kAddress},
      {"AddressList", "web: {listen_addresses: [[]]}",
       "f.yml:1:26: web.listen_addresses[0]: found an empty list" + kAddress},
      {"AddressNoPort", "web: {listen_addresses: [localhost]}",
       R"(f.yml:1:26: web.listen_addresses[0]: found "localhost")" + kAddress +
           " (the port is missing; use host:port, such as 127.0.0.1:13675 or :13675)"},
      {"AddressWithTls", "web: {listen_addresses: [':443s']}",
       R"(f.yml:1:26: web.listen_addresses[0]: found ":443s")" + kAddress +
           " (TLS is not supported; terminate TLS in a reverse proxy)"},
      {"PathReserved", "web: {telemetry_path: /-/ready}",
       R"(f.yml:1:23: web.telemetry_path: found "/-/ready", allowed is a plain path like /metrics, not /, /-/healthy or /-/ready)"
       " (/-/healthy and /-/ready are reserved; use another path, such as /metrics)"},
      {"PathRelative", "web: {telemetry_path: metrics}",
       R"(f.yml:1:23: web.telemetry_path: found "metrics", allowed is a plain path like /metrics, not /, /-/healthy or /-/ready)"
       " (it must be '/' and 1 to 255 more characters, such as /metrics)"},
      {"AllowedNobody", "web: {allow: []}", "f.yml:1:14: web.allow: found an empty list" + kNetworks},
      {"AllowedAlone", "web: {allow: any}", R"(f.yml:1:14: web.allow: found "any")" + kAllOrNetwork + kNotFourNumbers},
      {"AllowedAlll", "web: {allow: alll}",
       R"(f.yml:1:14: web.allow: found "alll")" + kAllOrNetwork + R"(; did you mean "all"?)"},
      {"AllowedEmpty", "web:\n  allow:\n", "f.yml:2:3: web.allow: found an empty value" + kNetworks},
      {"AllowedAllInList", "web: {allow: [all]}", R"(f.yml:1:15: web.allow[0]: found "all")" + kNetwork + kAllAlone},
      {"AllowedHostBits", "web: {allow: [10.1.0.0/8]}",
       R"(f.yml:1:15: web.allow[0]: found "10.1.0.0/8")" + kNetwork +
           " (host bits are set; clear all bits after the prefix, such as 10.0.0.0/8)"},
      {"AllowedName", "web: {allow: [127.0.0.1, localhost]}",
       R"(f.yml:1:26: web.allow[1]: found "localhost")" + kNetwork + kNotFourNumbers},
      {"AllowedTwice", "web: {allow: [10.0.0.1, 10.0.0.1/32]}",
       R"(f.yml:1:25: web.allow[1]: found "10.0.0.1/32")" + kNetwork + " (the list names it already)"},
      {"AllowedMany", "web:\n  allow:\n" + ListOf("10.0.0.", 65), "f.yml:3:3: web.allow: found 65 items" + kNetworks}};
}

std::vector<FaultRow> WordRows() {
  return {
      {"EventUnknown", "source: {events: [fork, clone]}", R"(f.yml:1:25: source.events[1]: found "clone")" + kEvent},
      {"EventNear", "source: {events: [frok]}",
       R"(f.yml:1:19: source.events[0]: found "frok")" + kEvent + R"(; did you mean "fork"?)"},
      {"EventBegun", "source: {events: [core]}",
       R"(f.yml:1:19: source.events[0]: found "core")" + kEvent + R"(; did you mean "coredump"?)"},
      {"EventNearToThree", "source: {events: [pid]}", R"(f.yml:1:19: source.events[0]: found "pid")" + kEvent},
      {"EventAck", "source: {events: [ack]}", R"(f.yml:1:19: source.events[0]: found "ack")" + kEvent},
      {"EventUnknownKind", "source: {events: [unknown]}", R"(f.yml:1:19: source.events[0]: found "unknown")" + kEvent},
      {"EventAllInList", "source: {events: [fork, all]}",
       R"(f.yml:1:25: source.events[1]: found "all")" + kEvent + kAllAlone},
      {"EventsByCommas", "source: {events: 'fork, exec'}",
       R"(f.yml:1:18: source.events: found "fork, exec")" + kAllOrEvent + kSeveral},
      {"EventTwice", "source: {events: [fork, fork]}",
       R"(f.yml:1:25: source.events[1]: found "fork")" + kEvent + " (the list names it already)"},
      {"EventsNone", "source: {events: []}", "f.yml:1:18: source.events: found an empty list" + kEvents},
      {"EventAlone", "source: {events: forks}",
       R"(f.yml:1:18: source.events: found "forks")" + kAllOrEvent + R"(; did you mean "fork"?)"},
      {"EventsMap", "source: {events: {fork: 1}}", "f.yml:1:18: source.events: found a map" + kEvents},
      {"LevelUnknown", "log: {level: loud}", R"(f.yml:1:14: log.level: found "loud")" + kLevels},
      {"LevelInCapitals", "log: {level: Info}",
       R"(f.yml:1:14: log.level: found "Info")" + kLevels + R"(; did you mean "info"?)"},
      {"LevelBegun", "log: {level: warn}",
       R"(f.yml:1:14: log.level: found "warn")" + kLevels + R"(; did you mean "warning"?)"},
      {"FormatUnknown", "log: {format: xml}", R"(f.yml:1:15: log.format: found "xml")" + kFormats},
      {"FormatNear", "log: {format: jsno}",
       R"(f.yml:1:15: log.format: found "jsno")" + kFormats + R"(; did you mean "json"?)"},
      {"NeitherTrueNorFalse", "histograms: {lifetime: {by_comm: yes}}",
       R"(f.yml:1:34: histograms.lifetime.by_comm: found "yes", allowed is true or false)"},
      {"NearlyTrue", "histograms: {lifetime: {by_comm: True}}",
       R"(f.yml:1:34: histograms.lifetime.by_comm: found "True", allowed is true or false; did you mean "true"?)"}};
}

std::vector<FaultRow> KeyRows() {
  return {
      {"UnknownSection", "colour: {}\n", "f.yml:1:1: colour: " + kUnknown + kSections},
      {"UnknownKey", "web: {colour: red}", "f.yml:1:7: web.colour: " + kUnknown + kWebKeys},
      {"NearSection", "wbe: {}\n", "f.yml:1:1: wbe: " + kUnknown + kSections + R"(; did you mean "web"?)"},
      {"NearKey", "web: {listen_adresses: [':1']}",
       "f.yml:1:7: web.listen_adresses: " + kUnknown + kWebKeys + R"(; did you mean "listen_addresses"?)"},
      {"HyphenForUnderscore", "web: {max-requests: 1}",
       "f.yml:1:7: web.max-requests: " + kUnknown + kWebKeys + R"(; did you mean "max_requests"?)"},
      {"KeyInCapitals", "Log: {}\n", "f.yml:1:1: Log: " + kUnknown + kSections + R"(; did you mean "log"?)"},
      {"KeyBegun", "log: {lev: info}\n",
       R"(f.yml:1:7: log.lev: found an unknown key, allowed is one of level, format; did you mean "level"?)"},
      {"KeyTooHigh", "receive_buffer: 1MiB",
       "f.yml:1:1: receive_buffer: " + kUnknown + kSections + R"(; did you mean "source.receive_buffer"?)"},
      {"KeyInAnotherSection", "log: {telemetry_path: /m}",
       "f.yml:1:7: log.telemetry_path: " + kUnknown + R"(level, format; did you mean "web.telemetry_path"?)"},
      {"SectionTooHigh", "lifetime: {by_comm: true}",
       "f.yml:1:1: lifetime: " + kUnknown + kSections + R"(; did you mean "histograms.lifetime"?)"},
      {"KeyOfTwoSections", "limit: 500", "f.yml:1:1: limit: " + kUnknown + kSections},
      {"DottedKey", "log.level: info\n",
       R"(f.yml:1:1: "log.level": )" + kUnknown + kSections + R"(; did you mean "log: {level: ...}"?)"},
      {"EmptyKey", "'': info\n", R"(f.yml:1:1: "": )" + kUnknown + kSections},
      {"DuplicateSection", "log: {}\nweb: {}\nlog: {}\n",
       "f.yml:3:1: log: found the key a second time (line 1 has one), allowed is each key once"},
      {"DuplicateKey", "log:\n  level: info\n  'level': nonsense\n",
       "f.yml:3:3: log.level: found the key a second time (line 2 has one), allowed is each key once"},
      {"RootScalar", "hello\n", R"(f.yml:1:1: found "hello", allowed is a map of )" + kSections},
      {"RootNull", "null\n", R"(f.yml:1:1: found "null", allowed is a map of )" + kSections},
      {"RootTilde", "# nothing\n~\n", R"(f.yml:2:1: found "~", allowed is a map of )" + kSections},
      {"RootNullInCapitals", "NULL", R"(f.yml:1:1: found "NULL", allowed is a map of )" + kSections},
      {"RootList", "- a\n", "f.yml:1:1: found a list, allowed is a map of " + kSections},
      {"SectionScalar", "log: info\n", R"(f.yml:1:6: log: found "info", allowed is a map of level, format)"},
      {"SectionList", "log: [info]\n", "f.yml:1:6: log: found a list, allowed is a map of level, format"},
      {"NullKey", ": x\n", "f.yml:1:1: found a key that is no text, allowed is a name and a colon"},
      {"ListKey", "log:\n  ? [level]\n  : info\n",
       "f.yml:2:5: log: found a key that is no text, allowed is a name and a colon"},
      {"MapKey", "? {level: a}\n: info\n", "f.yml:1:3: found a key that is no text, allowed is a name and a colon"}};
}

std::vector<FaultRow> LedgerRows() {
  return {
      {"GroupsAreNoList", "name_groups: {match: a, name: b}", "f.yml:1:14: name_groups: found a map" + kRules},
      {"GroupsAreText", "name_groups: kworker", R"(f.yml:1:14: name_groups: found "kworker")" + kRules},
      {"GroupIsText", "name_groups: [a]", R"(f.yml:1:15: name_groups[0]: found "a", )" + kRule},
      {"GroupWithoutName", "name_groups: [{match: a}]", "f.yml:1:15: name_groups[0].name: found nothing, " + kRule},
      {"GroupWithMore", "name_groups: [{match: a, name: b, colour: c}]",
       "f.yml:1:35: name_groups[0].colour: " + kUnknown + "match, name"},
      {"GroupOfLists", "name_groups: [{match: [a], name: b}]",
       "f.yml:1:23: name_groups[0].match: found a list, allowed is a text"},
      {"NoExpression", "name_groups: [{match: '(', name: b}]",
       "f.yml:1:15: name_groups[0]: found an invalid regular expression: \"missing ): (\", " + kRule},
      {"NameWithoutItsGroup", "name_groups: [{match: a, name: '\\1'}]",
       "f.yml:1:15: name_groups[0]: found a name with an invalid capture reference: \"Rewrite schema requests 1 "
       "matches, but the regexp only has 0 parenthesized subexpressions.\", " +
           kRule},
      {"ReservedName", "name_groups: [{match: a, name: '[retired comms here]'}]",
       "f.yml:1:15: name_groups[0]: found a reserved name, " + kRule},
      {"NameOfControls", "name_groups: [{match: a, name: \"a\\nb\"}]",
       "f.yml:1:15: name_groups[0]: found a name that is not 1 to 63 bytes of visible characters, " + kRule},
      {"NoBuckets", "histograms: {exit_code: {buckets: []}}",
       "f.yml:1:35: histograms.exit_code.buckets: found an empty list, allowed is a list of 1 to 32 rising "
       "numbers from 0 to 255, like [0, 1, 127]"},
      {"LifetimesMap", "histograms: {lifetime: {buckets: {}}}",
       "f.yml:1:34: histograms.lifetime.buckets: found a map, allowed is a list of 1 to 32 rising durations from 1ms "
       "to 720h, like [1ms, 1s, 1h]"},
      {"BucketsFall", "histograms: {exit_code: {buckets: [2, 1]}}",
       R"(f.yml:1:39: histograms.exit_code.buckets[1]: found "1")" + kCodes + " (each is above the one before)"},
      {"BucketTooLarge", "histograms: {exit_code: {buckets: [256]}}",
       R"(f.yml:1:36: histograms.exit_code.buckets[0]: found "256")" + kCodes},
      {"LifetimesRepeat", "histograms: {lifetime: {buckets: [1s, 1000ms]}}",
       R"(f.yml:1:39: histograms.lifetime.buckets[1]: found "1000ms")" + kLives + " (each is above the one before)"},
      {"NoDuration", "histograms: {lifetime: {buckets: [1]}}",
       R"(f.yml:1:35: histograms.lifetime.buckets[0]: found "1")" + kLives}};
}

}  // namespace procevent
