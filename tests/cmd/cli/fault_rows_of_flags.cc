#include "tests/cmd/cli/fault_rows.h"

namespace procevent {
namespace {

const std::string kProxy =
    R"(: found a setting for TLS or authentication, allowed is none: both are a reverse proxy's, see "TLS and )"
    R"(authentication" in the README)";
const std::string kNoPath = ": found no value, allowed is the path of a file";
const std::string kTypes =
    ", allowed is one or several of ack, fork, exec, exit, uid, gid, sid, ptrace, comm, coredump, unknown, with commas "
    "between them";
const std::string kDuration = ", allowed is a duration from 1ms to 720h in whole ms, s, m or h, like 10s";
const std::string kAlone = ": found a value, allowed is the flag alone";

}  // namespace

std::vector<FaultRow> ReverseProxyRows() {
  return {{"TlsKey", "web:\n  tls_cert_file: a.pem\n", "f.yml:2:3: web.tls_cert_file" + kProxy},
          {"SslSection", "web: {ssl: {cert: a.pem}}", "f.yml:1:7: web.ssl" + kProxy},
          {"BasicAuthKey", "web: {basic_auth: {u: p}}", "f.yml:1:7: web.basic_auth" + kProxy},
          {"DottedAuthKey", "web.auth: x", R"(f.yml:1:1: "web.auth")" + kProxy},
          {"WebConfigOfOthers", "tls_server_config:\n  cert_file: a.pem\n", "f.yml:1:1: tls_server_config" + kProxy},
          {"UsersOfOthers", "basic_auth_users: {u: p}", "f.yml:1:1: basic_auth_users" + kProxy},
          {"TlsVariable", Variables{{"PROCEVENT_WEB_TLS_CERT", "a.pem"}}, "PROCEVENT_WEB_TLS_CERT" + kProxy},
          {"WebConfigFlag", Arguments{"--web.config.file=w.yml"}, "procevent_exporter: --web.config.file" + kProxy},
          {"TlsFlag", Arguments{"--web.tls-cert", "a.pem"}, "procevent_exporter: --web.tls-cert" + kProxy},
          {"AuthFlag", Arguments{"--web.basic-auth=u:p"}, "procevent_exporter: --web.basic-auth" + kProxy}};
}

std::vector<FaultRow> VariableRows() {
  return {
      {"Word", Variables{{"PROCEVENT_LOG_LEVEL", "loud"}}, R"(PROCEVENT_LOG_LEVEL: found "loud")" + kLevels},
      {"NearWord", Variables{{"PROCEVENT_LOG_LEVEL", "inof"}},
       R"(PROCEVENT_LOG_LEVEL: found "inof")" + kLevels + R"(; did you mean "info"?)"},
      {"Number", Variables{{"PROCEVENT_WEB_MAX_REQUESTS", "many"}},
       R"(PROCEVENT_WEB_MAX_REQUESTS: found "many")" + kRequests},
      {"Blank", Variables{{"PROCEVENT_COMMS_LIMIT", " "}},
       "PROCEVENT_COMMS_LIMIT: found an empty value, allowed is a number from 10 to 10000 in digits alone, like 500"},
      {"ListOfOne", Variables{{"PROCEVENT_SOURCE_EVENTS", "forks"}},
       R"(PROCEVENT_SOURCE_EVENTS: found "forks")" + kAllOrEvent + R"(; did you mean "fork"?)"},
      {"ItemOfAList", Variables{{"PROCEVENT_WEB_ALLOW", "[10.0.0.1, 10.0.0.1]"}},
       R"(PROCEVENT_WEB_ALLOW[1]: found "10.0.0.1")" + kNetwork + " (the list names it already)"},
      {"ListByCommas", Variables{{"PROCEVENT_WEB_ALLOW", "10.0.0.1,10.0.0.2"}},
       R"(PROCEVENT_WEB_ALLOW: found "10.0.0.1,10.0.0.2")" + kAllOrNetwork + kSeveral},
      {"Tilde", Variables{{"PROCEVENT_LOG_LEVEL", "~"}}, R"(PROCEVENT_LOG_LEVEL: found "~")" + kLevels},
      {"Null", Variables{{"PROCEVENT_LOG_LEVEL", "Null"}}, R"(PROCEVENT_LOG_LEVEL: found "Null")" + kLevels},
      {"TextForRules", Variables{{"PROCEVENT_NAME_GROUPS", "a"}}, R"(PROCEVENT_NAME_GROUPS: found "a")" + kRules},
      {"FieldOfARule", Variables{{"PROCEVENT_NAME_GROUPS", "[{match: a, nmae: b, name: c}]"}},
       "PROCEVENT_NAME_GROUPS[0].nmae: " + kUnknown + R"(match, name; did you mean "name"?)"},
      {"BrokenYaml", Variables{{"PROCEVENT_WEB_ALLOW", "[10.0.0.1"}},
       "PROCEVENT_WEB_ALLOW: found broken YAML: end of sequence flow not found, allowed is well-formed YAML"},
      {"Anchor", Variables{{"PROCEVENT_WEB_ALLOW", "[&a 10.0.0.1]"}},
       "PROCEVENT_WEB_ALLOW[0]: found an anchor, allowed is the value alone"},
      {"Control", Variables{{"PROCEVENT_LOG_LEVEL", "\x1b[2J"}},
       "PROCEVENT_LOG_LEVEL: found a control character (\\x1b), allowed is printable UTF-8 without a byte-order "
       "mark"},
      {"NearName", Variables{{"PROCEVENT_LOG_LEVL", "info"}},
       R"(PROCEVENT_LOG_LEVL: found an unknown variable, allowed is that of a key; did you mean )"
       R"("PROCEVENT_LOG_LEVEL"?)"},
      {"NameTooHigh", Variables{{"PROCEVENT_LISTEN_ADDRESSES", ":1"}},
       R"(PROCEVENT_LISTEN_ADDRESSES: found an unknown variable, allowed is that of a key; did you mean )"
       R"("PROCEVENT_WEB_LISTEN_ADDRESSES"?)"},
      {"NameOfTheBinary", Variables{{"PROCEVENT_EXPORTER_LOG_LEVEL", "info"}},
       R"(PROCEVENT_EXPORTER_LOG_LEVEL: found an unknown variable, allowed is that of a key; did you mean )"
       R"("PROCEVENT_LOG_LEVEL"?)"},
      {"SmallLetters", Variables{{"procevent_log_level", "info"}},
       R"(procevent_log_level: found an unknown variable, allowed is that of a key; did you mean )"
       R"("PROCEVENT_LOG_LEVEL"?)"},
      {"NoSuchFile", Variables{{"PROCEVENT_CONFIG_FILE", "none.yml"}},
       "none.yml: PROCEVENT_CONFIG_FILE: found no way to open it (No such file or directory), allowed is the path of "
       "an existing file"},
      {"NoFile", Variables{{"PROCEVENT_CONFIG_FILE", "."}},
       ".: PROCEVENT_CONFIG_FILE: found a directory, allowed is a regular file"}};
}

std::vector<FaultRow> FlagRows() {
  return {
      {"Unknown", Arguments{"--nope"}, R"(procevent_exporter: unknown flag "--nope")"},
      {"UnknownWithValue", Arguments{"--nope=1"}, R"(procevent_exporter: unknown flag "--nope")"},
      {"UnknownTwo", Arguments{"--nope", "--neither"}, R"(procevent_exporter: unknown flag "--nope")"},
      {"UnknownToCheck", Arguments{"check-config", "--nope"}, R"(procevent_exporter: unknown flag "--nope")"},
      {"Unprintable", Arguments{"--\x1b[2J\n"}, R"(procevent_exporter: unknown flag "--\x1b[2J\x0a")"},
      {"Near", Arguments{"--log.levle=info"},
       R"(procevent_exporter: unknown flag "--log.levle"; did you mean "--log.level"?)"},
      {"Begun", Arguments{"--log.lev=info"},
       R"(procevent_exporter: unknown flag "--log.lev"; did you mean "--log.level"?)"},
      {"ByItsKey", Arguments{"--web.listen_addresses=:1"},
       R"(procevent_exporter: unknown flag "--web.listen_addresses"; did you mean "--web.listen-address"?)"},
      {"WithoutItsSection", Arguments{"--telemetry-path=/m"},
       R"(procevent_exporter: unknown flag "--telemetry-path"; did you mean "--web.telemetry-path"?)"},
      {"OneHyphen", Arguments{"-log.level=info"},
       R"(procevent_exporter: unknown flag "-log.level"; did you mean "--log.level"?)"},
      {"KeyWithoutFlag", Arguments{"--comms.limit=10"},
       R"(procevent_exporter: unknown flag "--comms.limit": set it in the file, or as PROCEVENT_COMMS_LIMIT)"},
      {"UnknownCommand", Arguments{"serve"}, R"(procevent_exporter: unknown command "serve")"},
      {"EmptyCommand", Arguments{""}, R"(procevent_exporter: unknown command "")"},
      {"NearCommand", Arguments{"check_config"},
       R"(procevent_exporter: unknown command "check_config"; did you mean "check-config"?)"},
      {"TwoValues", Arguments{"--web.listen-address", ":1", ":2"}, R"(procevent_exporter: unknown command ":2")"},
      {"NoValue", Arguments{"--log.level"}, "procevent_exporter: --log.level: found no value" + kLevels},
      {"NoValueButMore", Arguments{"--log.level=", "--log.format=json"},
       "procevent_exporter: --log.level: found no value" + kLevels},
      {"NoNetwork", Arguments{"check-config", "--web.allow"},
       "procevent_exporter: --web.allow: found no value" + kAllOrNetwork},
      {"NoAddress", Arguments{"--web.listen-address="},
       "procevent_exporter: --web.listen-address: found no value" + kAddress},
      {"NoFile", Arguments{"--config.file"}, "procevent_exporter: --config.file" + kNoPath},
      {"NoFileButMore", Arguments{"--config.file=", "check-config"}, "procevent_exporter: --config.file" + kNoPath},
      {"NoValueBeforeAFlag", Arguments{"--log.level", "--web.allow=10.0.0.0/8"},
       "procevent_exporter: --log.level: found no value" + kLevels},
      {"NoFileBeforeAFlag", Arguments{"--config.file", "--log.level=info"},
       "procevent_exporter: --config.file" + kNoPath},
      {"JsonOfNothing", Arguments{"doctor", "--json="}, "procevent_exporter: --json" + kAlone},
      {"JsonOfAWord", Arguments{"doctor", "--json=false"}, "procevent_exporter: --json" + kAlone},
      {"VersionOfNothing", Arguments{"--version="}, "procevent_exporter: --version" + kAlone},
      {"HelpOfNothing", Arguments{"check-config", "--help="}, "procevent_exporter: --help" + kAlone},
      {"ShortHelpOfNothing", Arguments{"-h="}, "procevent_exporter: -h" + kAlone},
      {"HexOfAWord", Arguments{"decode", "--hex=yes"}, "procevent_exporter: --hex" + kAlone},
      {"HexToEncode", Arguments{"encode", "--hex"}, R"(procevent_exporter: unknown flag "--hex")"},
      {"NearHex", Arguments{"decode", "--hxe"}, R"(procevent_exporter: unknown flag "--hxe"; did you mean "--hex"?)"},
      {"EmptyFileToDecode", Arguments{"decode", ""}, "procevent_exporter: FILE is empty: give a path, or -"},
      {"EmptyFileToRecordTo", Arguments{"record", ""}, "procevent_exporter: FILE is empty: give a path, or -"},
      {"TwoFiles", Arguments{"decode", "a", "b"}, R"(procevent_exporter: a second file, "b": give one at a time)"},
      {"FileToDecode", Arguments{"--config.file=a", "decode"},
       "procevent_exporter: --config.file is no flag of decode, which reads no configuration: leave it out"},
      {"LevelToEncode", Arguments{"--log.level=info", "encode"},
       "procevent_exporter: --log.level is no flag of encode, which reads no configuration: leave it out"},
      {"FileBehindDecode", Arguments{"decode", "--config.file=a"},
       R"(procevent_exporter: --config.file is no flag of decode, which reads no configuration: leave it out)"},
      {"WatchOfNothing", Arguments{"watch"},
       "procevent_exporter: watch shows nothing yet but events: give it --events"},
      {"EventsOfAWord", Arguments{"watch", "--events=all"}, "procevent_exporter: --events" + kAlone},
      {"UnknownType", Arguments{"watch", "--events", "--type=fork,clone"},
       R"(procevent_exporter: --type: found "clone")" + kTypes},
      {"NearType", Arguments{"watch", "--events", "--type=frok"},
       R"(procevent_exporter: --type: found "frok")" + kTypes + R"(; did you mean "fork"?)"},
      {"NoType", Arguments{"watch", "--events", "--type="}, "procevent_exporter: --type: found no value" + kTypes},
      {"NoComm", Arguments{"watch", "--comm", "--events"},
       "procevent_exporter: --comm: found no value, allowed is a name, or a pattern like kworker*"},
      {"TwoComms", Arguments{"watch", "--events", "--comm=a", "--comm=b"},
       "procevent_exporter: --comm is given more than once: give it once"},
      {"WatchForAWord", Arguments{"watch", "--events", "--duration=long"},
       R"(procevent_exporter: --duration: found "long")" + kDuration},
      {"WatchForNothing", Arguments{"watch", "--events", "--duration=0s"},
       R"(procevent_exporter: --duration: found "0s")" + kDuration},
      {"WatchForTwoTimes", Arguments{"watch", "--events", "--duration=1s", "--duration=2s"},
       "procevent_exporter: --duration is given more than once: give it once"},
      {"FileToWatch", Arguments{"watch", "--events", "--config.file=a"},
       "procevent_exporter: --config.file is no flag of watch, which reads no configuration: leave it out"},
      {"NearFlagOfWatch", Arguments{"watch", "--events", "--typ=fork"},
       R"(procevent_exporter: unknown flag "--typ"; did you mean "--type"?)"},
      {"TypeToDecode", Arguments{"decode", "--type=fork"}, R"(procevent_exporter: unknown flag "--type")"},
      {"SecondFileToRecord", Arguments{"record", "a", "b"},
       R"(procevent_exporter: a second file, "b": give one at a time)"},
      {"RecordForTwoTimes", Arguments{"record", "a", "--duration=1s", "--duration=2s"},
       "procevent_exporter: --duration is given more than once: give it once"},
      {"UnknownWithoutValue", Arguments{"--nope="}, R"(procevent_exporter: unknown flag "--nope")"},
      {"TwiceAText", Arguments{"--log.level=info", "--log.level=info"},
       "procevent_exporter: --log.level is given more than once: give it once"},
      {"TwiceTheFile", Arguments{"--config.file=a", "check-config", "--config.file=b"},
       "procevent_exporter: --config.file is given more than once: give it once"},
      {"FileWithoutName", Arguments{"--config.file", ""}, R"(--config.file: found "", allowed is the path of a file)"},
      {"Level", Arguments{"--log.level=loud"}, R"(--log.level: found "loud")" + kLevels},
      {"NearLevel", Arguments{"--log.level=debgu"},
       R"(--log.level: found "debgu")" + kLevels + R"(; did you mean "debug"?)"},
      {"AddressTwice", Arguments{"--web.listen-address=:1", "--web.listen-address=:1"},
       R"(--web.listen-address: found ":1")" + kAddress + kCovered},
      {"AddressesByCommas", Arguments{"--web.listen-address=:1,:2"},
       R"(--web.listen-address: found ":1,:2")" + kAddress + kSeveral},
      {"AllowAllAndMore", Arguments{"--web.allow=all", "--web.allow=10.0.0.0/8"},
       R"(--web.allow: found "all")" + kNetwork + kAllAlone},
      {"NoFileThere", Arguments{"--config.file=none.yml"},
       "none.yml: found no way to open it (No such file or directory), allowed is the path of an existing file"},
      {"Requests", Arguments{"--web.max-requests=0"}, R"(--web.max-requests: found "0")" + kRequests},
      {"Allow", Arguments{"--web.allow=::1"},
       R"(--web.allow: found "::1")" + kAllOrNetwork +
           " (ports and IPv6 are not supported; use an IPv4 address or network)"}};
}

}  // namespace procevent
