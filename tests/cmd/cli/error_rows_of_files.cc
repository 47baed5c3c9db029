#include "tests/cmd/cli/error_rows.h"

namespace procevent {
namespace {

const Words kSections{"one of", "web, source, reader, processes, groups, name_groups, histograms, log"};
const Words kRootMap{"map", "web, source, reader, processes, groups, name_groups, histograms, log"};
const Words kWebKeys{"one of", "listen_addresses, telemetry_path, allow, max_requests"};
const Words kBufferSize{"size", "from 64KiB to 1GiB", "KiB, MiB or GiB"};
const Words kReplaySpeed{"max", "number", "from 1 to 1000"};
const Words kDrainInterval{"duration", "from 1ms to 1s", "ms, s, m or h"};
const Words kCanaryInterval{"duration", "from 1s to 1m", "ms, s, m or h"};
const Words kProcessLimit{"number", "from 1024 to 4194304"};
const Words kFormats{"logfmt or json"};
const Words kAddresses{"list", "1 to 16", "0.0.0.0:13675"};
const Words kNetworks{"all", "list", "1 to 64", "10.0.0.0/8"};
const Words kEvents{"all", "list", "[fork, exec, exit]"};
const Words kRule{"rule", "match", "name"};
const Words kExitCode{"number", "from 0 to 255"};
const Words kLifetime{"duration", "from 1ms to 720h", "ms, s, m or h"};

std::string ListOf(std::string_view item, int count) {
  std::string list;
  for (int i = 1; i <= count; ++i) {
    list += "  - " + std::string(item) + std::to_string(i) + "\n";
  }
  return list;
}

std::string Repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

}  // namespace

std::vector<ErrorRow> QuantityRows() {
  return {
      {"BufferWords", "source:\n  receive_buffer: 12 parsecs\n", "f.yml:2:19: source.receive_buffer", R"("12 parsecs")",
       kBufferSize},
      {"BufferTooSmall", "source: {receive_buffer: 65535}", "f.yml:1:26: source.receive_buffer", R"("65535")",
       kBufferSize},
      {"BufferTooLarge", "source: {receive_buffer: 1025MiB}", "f.yml:1:26: source.receive_buffer", R"("1025MiB")",
       kBufferSize},
      {"BufferWraps", "source: {receive_buffer: 4294967296}", "f.yml:1:26: source.receive_buffer", R"("4294967296")",
       kBufferSize},
      {"BufferDecimal", "source: {receive_buffer: 32MB}", "f.yml:1:26: source.receive_buffer", R"("32MB")",
       kBufferSize},
      {"BufferList", "source: {receive_buffer: [32MiB]}", "f.yml:1:26: source.receive_buffer", "list", kBufferSize},
      {"BufferMap", "source: {receive_buffer: {a: b}}", "f.yml:1:26: source.receive_buffer", "map", kBufferSize},
      {"BufferEmpty", "source:\n  receive_buffer:\nlog: {}\n", "f.yml:2:3: source.receive_buffer", "missing value",
       kBufferSize},
      {"BufferNull", "source:\n  receive_buffer: null\n", "f.yml:2:3: source.receive_buffer", "missing value",
       kBufferSize},
      {"BufferQuotedNull", "source:\n  receive_buffer: 'null'\n", "f.yml:2:19: source.receive_buffer", R"("null")",
       kBufferSize},
      {"ReplayEmpty", "source: {replay: ''}", "f.yml:1:18: source.replay", R"("")", {"none", "path of a capture"}},
      {"ReplayList", "source: {replay: [a, b]}", "f.yml:1:18: source.replay", "list", {"none", "path of a capture"}},
      {"ReplaySpeedZero", "source: {replay_speed: 0}", "f.yml:1:24: source.replay_speed", R"("0")", kReplaySpeed},
      {"ReplaySpeedTooHigh", "source: {replay_speed: 1001}", "f.yml:1:24: source.replay_speed", R"("1001")",
       kReplaySpeed},
      {"ReplaySpeedFraction", "source: {replay_speed: 0.5}", "f.yml:1:24: source.replay_speed", R"("0.5")",
       kReplaySpeed},
      {"ReplaySpeedWord", "source: {replay_speed: mx}", "f.yml:1:24: source.replay_speed", R"("mx")", kReplaySpeed,
       R"(did you mean "max"?)"},
      {"ReplayLoopWord", "source: {replay_loop: yes}", "f.yml:1:23: source.replay_loop", R"("yes")", {"true or false"}},
      {"DrainNoUnit", "reader: {drain_interval: 10}", "f.yml:1:26: reader.drain_interval", R"("10")", kDrainInterval},
      {"DrainZero", "reader: {drain_interval: 0ms}", "f.yml:1:26: reader.drain_interval", R"("0ms")", kDrainInterval},
      {"DrainTooLong", "reader: {drain_interval: 1001ms}", "f.yml:1:26: reader.drain_interval", R"("1001ms")",
       kDrainInterval},
      {"CanaryTooShort", "reader: {canary_interval: 999ms}", "f.yml:1:27: reader.canary_interval", R"("999ms")",
       kCanaryInterval},
      {"CanaryTooLong", "reader: {canary_interval: 61s}", "f.yml:1:27: reader.canary_interval", R"("61s")",
       kCanaryInterval},
      {"ProcessesTooFew", "processes: {limit: 1023}", "f.yml:1:20: processes.limit", R"("1023")", kProcessLimit},
      {"ProcessesTooMany", "processes: {limit: 4194305}", "f.yml:1:20: processes.limit", R"("4194305")", kProcessLimit},
      {"ProcessesOctal", "processes: {limit: 02000}", "f.yml:1:20: processes.limit", R"("02000")", kProcessLimit},
      {"ProcessesSigned", "processes: {limit: +2000}", "f.yml:1:20: processes.limit", R"("+2000")", kProcessLimit},
      {"ProcessesWithUnit", "processes: {limit: 64Ki}", "f.yml:1:20: processes.limit", R"("64Ki")", kProcessLimit},
      {"GroupsTooMany",
       "groups: {limit: 10001}",
       "f.yml:1:17: groups.limit",
       R"("10001")",
       {"number", "from 10 to 10000"}},
      {"RetireAfterTooShort",
       "groups: {retire_after: 59s}",
       "f.yml:1:24: groups.retire_after",
       R"("59s")",
       {"duration", "from 1m to 720h", "ms, s, m or h"}},
      {"RequestsZero", "web: {max_requests: 0}", "f.yml:1:21: web.max_requests", R"("0")", kMaxRequests},
      {"RequestsTooMany", "web: {max_requests: 1001}", "f.yml:1:21: web.max_requests", R"("1001")", kMaxRequests}};
}

std::vector<ErrorRow> WebRows() {
  return {
      {"AddressScalar", "web: {listen_addresses: localhost}", "f.yml:1:25: web.listen_addresses", R"("localhost")",
       kAddress, "host:port"},
      {"AddressesMap", "web: {listen_addresses: {}}", "f.yml:1:25: web.listen_addresses", "map", kAddresses},
      {"AddressesNone", "web: {listen_addresses: []}", "f.yml:1:25: web.listen_addresses", "empty list", kAddresses},
      {"AddressesSeventeen", "web:\n  listen_addresses:\n" + ListOf("127.0.0.1:", 17),
       "f.yml:3:3: web.listen_addresses", "17", kAddresses},
      {"AddressTwice", "web: {listen_addresses: ['1.2.3.4:1', '1.2.3.4:1']}", "f.yml:1:39: web.listen_addresses[1]",
       R"("1.2.3.4:1")", kAddress, kCovered},
      {"AddressCovered", "web: {listen_addresses: ['1.2.3.4:1', ':1']}", "f.yml:1:39: web.listen_addresses[1]",
       R"(":1")", kAddress, kCovered},
      {"AddressEmpty", "web:\n  listen_addresses:\n  -\n  - :1\n", "f.yml:3:3: web.listen_addresses[0]",
       "missing value", kAddress},
      {"AddressList", "web: {listen_addresses: [[]]}", "f.yml:1:26: web.listen_addresses[0]", "empty list", kAddress},
      {"AddressNoPort", "web: {listen_addresses: [localhost]}", "f.yml:1:26: web.listen_addresses[0]", R"("localhost")",
       kAddress, "host:port"},
      {"AddressWithTls", "web: {listen_addresses: [':443s']}", "f.yml:1:26: web.listen_addresses[0]", R"(":443s")",
       kAddress, "reverse proxy"},
      {"PathReserved",
       "web: {telemetry_path: /-/ready}",
       "f.yml:1:23: web.telemetry_path",
       R"("/-/ready")",
       {"path", "/metrics", "/-/healthy", "/-/ready"},
       "/metrics"},
      {"PathRelative",
       "web: {telemetry_path: metrics}",
       "f.yml:1:23: web.telemetry_path",
       R"("metrics")",
       {"path", "/metrics", "/-/healthy", "/-/ready"},
       "255"},
      {"AllowedNone", "web: {allow: []}", "f.yml:1:14: web.allow", "empty list", kNetworks},
      {"AllowedScalar", "web: {allow: any}", "f.yml:1:14: web.allow", R"("any")", kAllOrNetwork, kNotFourNumbers},
      {"AllowedMisspelledAll", "web: {allow: alll}", "f.yml:1:14: web.allow", R"("alll")", kAllOrNetwork,
       R"(did you mean "all"?)"},
      {"AllowedEmpty", "web:\n  allow:\n", "f.yml:2:3: web.allow", "missing value", kNetworks},
      {"AllowedAllInList", "web: {allow: [all]}", "f.yml:1:15: web.allow[0]", R"("all")", kNetwork, kAllIsNoItem},
      {"AllowedHostBits", "web: {allow: [10.1.0.0/8]}", "f.yml:1:15: web.allow[0]", R"("10.1.0.0/8")", kNetwork,
       "10.0.0.0/8"},
      {"AllowedName", "web: {allow: [127.0.0.1, localhost]}", "f.yml:1:26: web.allow[1]", R"("localhost")", kNetwork,
       kNotFourNumbers},
      {"AllowedTwice", "web: {allow: [10.0.0.1, 10.0.0.1/32]}", "f.yml:1:25: web.allow[1]", R"("10.0.0.1/32")",
       kNetwork, "twice"},
      {"AllowedTooMany", "web:\n  allow:\n" + ListOf("10.0.0.", 65), "f.yml:3:3: web.allow", "65", kNetworks}};
}

std::vector<ErrorRow> WordRows() {
  return {
      {"EventUnknown", "source: {events: [fork, clone]}", "f.yml:1:25: source.events[1]", R"("clone")", kEvent},
      {"EventMisspelled", "source: {events: [frok]}", "f.yml:1:19: source.events[0]", R"("frok")", kEvent,
       R"(did you mean "fork"?)"},
      {"EventPrefix", "source: {events: [core]}", "f.yml:1:19: source.events[0]", R"("core")", kEvent,
       R"(did you mean "coredump"?)"},
      {"EventCloseToThree", "source: {events: [pid]}", "f.yml:1:19: source.events[0]", R"("pid")", kEvent},
      {"EventAck", "source: {events: [ack]}", "f.yml:1:19: source.events[0]", R"("ack")", kEvent},
      {"EventUnknownKind", "source: {events: [unknown]}", "f.yml:1:19: source.events[0]", R"("unknown")", kEvent},
      {"EventAllInList", "source: {events: [fork, all]}", "f.yml:1:25: source.events[1]", R"("all")", kEvent,
       kAllIsNoItem},
      {"CommasForEvents", "source: {events: 'fork, exec'}", "f.yml:1:18: source.events", R"("fork, exec")", kAllOrEvent,
       kSeveral},
      {"EventTwice", "source: {events: [fork, fork]}", "f.yml:1:25: source.events[1]", R"("fork")", kEvent, "twice"},
      {"EventsNone", "source: {events: []}", "f.yml:1:18: source.events", "empty list", kEvents},
      {"EventScalar", "source: {events: forks}", "f.yml:1:18: source.events", R"("forks")", kAllOrEvent,
       R"(did you mean "fork"?)"},
      {"EventsMap", "source: {events: {fork: 1}}", "f.yml:1:18: source.events", "map", kEvents},
      {"LevelUnknown", "log: {level: loud}", "f.yml:1:14: log.level", R"("loud")", kLevels},
      {"LevelInCapitals", "log: {level: Info}", "f.yml:1:14: log.level", R"("Info")", kLevels,
       R"(did you mean "info"?)"},
      {"LevelPrefix", "log: {level: warni}", "f.yml:1:14: log.level", R"("warni")", kLevels,
       R"(did you mean "warning"?)"},
      {"FormatUnknown", "log: {format: xml}", "f.yml:1:15: log.format", R"("xml")", kFormats},
      {"FormatMisspelled", "log: {format: jsno}", "f.yml:1:15: log.format", R"("jsno")", kFormats,
       R"(did you mean "json"?)"},
      {"UnknownBool",
       "histograms: {lifetime: {by_group: yes}}",
       "f.yml:1:35: histograms.lifetime.by_group",
       R"("yes")",
       {"true or false"}},
      {"MisspelledBool",
       "histograms: {lifetime: {by_group: True}}",
       "f.yml:1:35: histograms.lifetime.by_group",
       R"("True")",
       {"true or false"},
       R"(did you mean "true"?)"}};
}

std::vector<ErrorRow> KeyRows() {
  return {
      {"UnknownSection", "colour: {}\n", "f.yml:1:1", R"(unknown key "colour")", kSections},
      {"UnknownKey", "web: {colour: red}", "f.yml:1:7: web", R"(unknown key "colour")", kWebKeys},
      {"MisspelledSection", "wbe: {}\n", "f.yml:1:1", R"(unknown key "wbe")", kSections, R"(did you mean "web"?)"},
      {"MisspelledKey", "web: {listen_adresses: [':1']}", "f.yml:1:7: web", R"(unknown key "listen_adresses")",
       kWebKeys, R"(did you mean "listen_addresses"?)"},
      {"HyphenForUnderscore", "web: {max-requests: 1}", "f.yml:1:7: web", R"(unknown key "max-requests")", kWebKeys,
       R"(did you mean "max_requests"?)"},
      {"KeyInCapitals", "Log: {}\n", "f.yml:1:1", R"(unknown key "Log")", kSections, R"(did you mean "log"?)"},
      {"KeyPrefix",
       "log: {lev: info}\n",
       "f.yml:1:7: log",
       R"(unknown key "lev")",
       {"level, format"},
       R"(did you mean "level"?)"},
      {"KeyWithoutSection", "receive_buffer: 1MiB", "f.yml:1:1", R"(unknown key "receive_buffer")", kSections,
       R"(did you mean "source.receive_buffer"?)"},
      {"KeyInAnotherSection",
       "log: {telemetry_path: /m}",
       "f.yml:1:7: log",
       R"(unknown key "telemetry_path")",
       {"level, format"},
       R"(did you mean "web.telemetry_path"?)"},
      {"SectionWithoutParent", "lifetime: {by_group: true}", "f.yml:1:1", R"(unknown key "lifetime")", kSections,
       R"(did you mean "histograms.lifetime"?)"},
      {"RenamedSection", "comms: {limit: 20}", "f.yml:1:1", R"(unknown key "comms")", {R"("groups")", "the new name"}},
      {"RenamedKey",
       "histograms: {lifetime: {by_comm: true}}",
       "f.yml:1:25: histograms.lifetime",
       R"(unknown key "by_comm")",
       {R"("histograms.lifetime.by_group")", "the new name"}},
      {"RenamedDottedKey", "comms.limit: 20", "f.yml:1:1", R"(unknown key "comms.limit")", {R"("groups.limit")"}},
      {"KeyOfTwoSections", "limit: 500", "f.yml:1:1", R"(unknown key "limit")", kSections},
      {"DottedKey", "log.level: info\n", "f.yml:1:1", R"(unknown key "log.level")", kSections,
       R"(did you mean "log: {level: ...}"?)"},
      {"EmptyKey", "'': info\n", "f.yml:1:1", R"(unknown key "")", kSections},
      {"DuplicateSection", "log: {}\nweb: {}\nlog: {}\n", "f.yml:3:1", R"(duplicate key "log")", {"once", "line 1"}},
      {"DuplicateKey",
       "log:\n  level: info\n  'level': nonsense\n",
       "f.yml:3:3: log",
       R"(duplicate key "level")",
       {"once", "line 2"}},
      {"RootScalar", "hello\n", "f.yml:1:1", R"("hello")", kRootMap},
      {"RootNull", "null\n", "f.yml:1:1", R"("null")", kRootMap},
      {"RootTilde", "# nothing\n~\n", "f.yml:2:1", R"("~")", kRootMap},
      {"RootNullInCapitals", "NULL", "f.yml:1:1", R"("NULL")", kRootMap},
      {"RootList", "- a\n", "f.yml:1:1", "list", kRootMap},
      {"SectionScalar", "log: info\n", "f.yml:1:6: log", R"("info")", {"map", "level, format"}},
      {"SectionList", "log: [info]\n", "f.yml:1:6: log", "list", {"map", "level, format"}},
      {"NullKey", ": x\n", "f.yml:1:1", "invalid key", {"name"}},
      {"ListKey", "log:\n  ? [level]\n  : info\n", "f.yml:2:5: log", "invalid key", {"name"}},
      {"MapKey", "? {level: a}\n: info\n", "f.yml:1:3", "invalid key", {"name"}}};
}

std::vector<ErrorRow> CountingRows() {
  return {
      {"GroupsAreMap", "name_groups: {match: a, name: b}", "f.yml:1:14: name_groups", "map", kRules},
      {"GroupsAreText", "name_groups: kworker", "f.yml:1:14: name_groups", R"("kworker")", kRules},
      {"GroupIsText", "name_groups: [a]", "f.yml:1:15: name_groups[0]", R"("a")", kRule},
      {"GroupWithoutName", "name_groups: [{match: a}]", "f.yml:1:15: name_groups[0].name", "missing key", kRule},
      {"GroupWithMore",
       "name_groups: [{match: a, name: b, colour: c}]",
       "f.yml:1:35: name_groups[0]",
       R"(unknown key "colour")",
       {"match, name"}},
      {"GroupWithList", "name_groups: [{match: [a], name: b}]", "f.yml:1:23: name_groups[0].match", "list", {"text"}},
      {"InvalidExpression", "name_groups: [{match: '(', name: b}]", "f.yml:1:15: name_groups[0]",
       R"re(match is not an RE2 expression ("missing ): ("))re", kRule},
      {"NameWithoutItsGroup", "name_groups: [{match: a, name: '\\1'}]", "f.yml:1:15: name_groups[0]",
       "Rewrite schema requests 1 matches, but the regexp only has 0 parenthesized subexpressions.", kRule},
      {"ReservedName", "name_groups: [{match: a, name: '[groups beyond the limit]'}]", "f.yml:1:15: name_groups[0]",
       "name is reserved", kRule},
      {"RulesTooLargeTogether", "name_groups: [" + Repeated("{match: '(a|b.){1000}(c|d.){900}', name: x},", 100) + "]",
       "f.yml:1:14: name_groups", "for each of 100 rules); use fewer rules", kRules},
      {"NameOfControls", "name_groups: [{match: a, name: \"a\\nb\"}]", "f.yml:1:15: name_groups[0]", "1 to 63 bytes",
       kRule},
      {"NoBuckets",
       "histograms: {exit_code: {buckets: []}}",
       "f.yml:1:35: histograms.exit_code.buckets",
       "empty list",
       {"list", "1 to 32", "numbers", "from 0 to 255"}},
      {"LifetimesMap",
       "histograms: {lifetime: {buckets: {}}}",
       "f.yml:1:34: histograms.lifetime.buckets",
       "map",
       {"list", "1 to 32", "durations", "from 1ms to 720h"}},
      {"BucketsFall", "histograms: {exit_code: {buckets: [2, 1]}}", "f.yml:1:39: histograms.exit_code.buckets[1]",
       R"("1")", kExitCode, "exceed"},
      {"BucketTooLarge", "histograms: {exit_code: {buckets: [256]}}", "f.yml:1:36: histograms.exit_code.buckets[0]",
       R"("256")", kExitCode},
      {"LifetimesRepeat", "histograms: {lifetime: {buckets: [1s, 1000ms]}}",
       "f.yml:1:39: histograms.lifetime.buckets[1]", R"("1000ms")", kLifetime, "exceed"},
      {"LifetimeWithoutUnit", "histograms: {lifetime: {buckets: [1]}}", "f.yml:1:35: histograms.lifetime.buckets[0]",
       R"("1")", kLifetime}};
}

}  // namespace procevent
