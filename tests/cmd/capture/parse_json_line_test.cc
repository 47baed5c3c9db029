#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "cmd/capture/event_json.h"
#include "tests/core/protocol/test_events.h"

// The errors of ParseJsonLine, and the keys that a line may leave out.
namespace procevent {
namespace {

struct ErrorRow {
  std::string name;
  std::string line;
  std::vector<std::string> parts;  // of the message, in their order, from its start
};

const std::string kExecHead = R"({"event":"exec","cpu":0,"timestamp_ns":0,"seq":0,)";
const std::string kCommHead = R"({"event":"comm","cpu":0,"timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1)";
const std::string kExitHead =
    R"({"event":"exit","cpu":0,"timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1,"exit_signal":17,)"
    R"("parent_pid":1,"parent_tgid":1)";
const std::string kUnknownHead = R"({"event":"unknown","cpu":0,"timestamp_ns":0,"seq":0)";
const std::string kInt = "a whole number from -2147483648 to 2147483647";
const std::string kUnsigned = "a whole number from 0 to 4294967295";
const std::string kObject = "one object";
const std::string kCommExpected = "a text of at most 15 bytes without NUL, or any text and comm_hex";
const std::string kCommHexExpected = "16 bytes as 32 hex digits";
const std::string kHex = "an even number of hex digits, at most 131038";
const std::string kEvents = "ack, fork, exec, exit, uid, gid, sid, ptrace, comm, coredump, unknown";
const std::string kFromExitCode = ", the value that follows from exit_code, or no key";
const std::string kNoKey = "no key, because exit_code has none";

std::vector<ErrorRow> JsonRows() {
  return {
      {"NoJson", "fork", {"invalid JSON at byte 2", kObject}},
      {"CutOff", R"({"event":"fork")", {"invalid JSON at byte 16", kObject}},
      {"TwoObjects", R"({"control":"noop"}{"control":"noop"})", {"invalid JSON at byte 19", kObject}},
      {"NoUtf8", "{\"control\":\"\xff\"}", {"invalid JSON at byte 13", kObject}},
      {"HalfSurrogatePair", R"({"control":"\ud800"})", {"invalid JSON at byte 19", kObject}},
      {"NotANumber", kExecHead + R"("process_pid":NaN})", {"invalid JSON at byte 64", kObject}},
      {"NumberBeyondDouble", kExecHead + R"("process_pid":1e999})", {"number out of range", kObject}},
      {"List", R"([{"control":"noop"}])", {"unexpected JSON value", kObject}},
      {"Text", R"("noop")", {"unexpected JSON value", kObject}},
      {"Null", "null", {"unexpected JSON value", kObject}},
      {"Empty", "{}", {"missing key event, control or error", kObject}},
      {"MisspelledKind", R"({"evnet":"fork"})", {"missing key event, control or error", kObject}},
      {"DuplicateKey", R"({"event":"fork","event":"fork"})", {R"(duplicate key "event")", "each key once"}},
      {"LaterDuplicateKey",
       kExecHead + R"("process_pid":1,"process_tgid":1,"seq":0})",
       {R"(duplicate key "seq")", "each key once"}},
  };
}

std::vector<ErrorRow> KeyRows() {
  return {
      {"UnknownEvent", R"({"event":"clone"})", {"event:", R"("clone")", kEvents}},
      {"MisspelledEvent", R"({"event":"frok","cpu":0})", {"event:", R"("frok")", kEvents, R"(did you mean "fork"?)"}},
      {"EventIsNoText", R"({"event":1})", {"event:", "1", kEvents}},
      {"EventIsObject", R"({"event":{"event":"fork"}})", {"event:", "object", kEvents}},
      {"MissingKey", kExecHead + R"("process_pid":1})", {"process_tgid:", "missing key", kInt}},
      {"MissingHead",
       R"({"event":"exec","timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1})",
       {"cpu:", "missing key", kUnsigned}},
      {"UnknownKey",
       kExecHead + R"("process_pid":1,"process_tgid":1,"colour":1})",
       {R"(unknown key "colour")", "event, cpu, timestamp_ns, seq, process_pid, process_tgid"}},
      {"MisspelledKey",
       kExecHead + R"("proces_pid":1,"process_tgid":1})",
       {R"(unknown key "proces_pid")", "event, cpu, timestamp_ns, seq, process_pid, process_tgid",
        R"(did you mean "process_pid"?)"}},
      {"KeyOfAnotherEvent",
       kExecHead + R"("process_pid":1,"process_tgid":1,"ruid":1})",
       {R"(unknown key "ruid")", "event, cpu, timestamp_ns, seq, process_pid, process_tgid"}},
      {"EmptyKey", R"({"control":"noop","":1})", {R"(unknown key "")", "control"}},
      {"UnprintableKey", R"({"control":"noop","\u001b[2J\n":1})", {R"(unknown key "\x1b[2J\x0a")", "control"}},
      {"ControlAndError", R"({"control":"noop","error":"overrun"})", {R"(unknown key "error")", "control"}},
      {"UnknownControl", R"({"control":"stop"})", {"control:", R"("stop")", "noop, done, ack"}},
      {"UnknownError",
       R"({"error":"none"})",
       {"error:", R"("none")", "truncated, wrong_connector, overrun, kernel, reserved_type, wrong_length"}},
      {"NoLayer", R"({"error":"truncated"})", {"layer:", "missing key", "netlink, connector, header, body"}},
      {"UnknownLayer",
       R"({"error":"truncated","layer":"heder"})",
       {"layer:", R"("heder")", "netlink, connector, header, body", R"(did you mean "header"?)"}},
      {"LayerOfOtherError", R"({"error":"overrun","layer":"body"})", {R"(unknown key "layer")", "error"}},
      {"NoErrno", R"({"error":"kernel"})", {"errno:", "missing key", kInt}},
      {"ErrnoZero", R"({"error":"kernel","errno":0})", {"errno:", "0", "a number above 0, or -2147483648"}},
      {"ErrnoNegative", R"({"error":"kernel","errno":-13})", {"errno:", "-13", "a number above 0, or -2147483648"}},
  };
}

std::vector<ErrorRow> ValueRows() {
  return {
      {"TextForNumber", kExecHead + R"("process_pid":"1","process_tgid":1})", {"process_pid:", R"("1")", kInt}},
      {"TrueForNumber", kExecHead + R"("process_pid":true,"process_tgid":1})", {"process_pid:", "true", kInt}},
      {"NullForNumber", kExecHead + R"("process_pid":null,"process_tgid":1})", {"process_pid:", "null", kInt}},
      {"ListForNumber", kExecHead + R"("process_pid":[1],"process_tgid":1})", {"process_pid:", "list", kInt}},
      {"Fraction", kExecHead + R"("process_pid":1.0,"process_tgid":1})", {"process_pid:", "1.0", kInt}},
      {"TooLarge", kExecHead + R"("process_pid":2147483648,"process_tgid":1})", {"process_pid:", "2147483648", kInt}},
      {"TooSmall", kExecHead + R"("process_pid":-2147483649,"process_tgid":1})", {"process_pid:", "-2147483649", kInt}},
      {"NegativeCpu",
       R"({"event":"exec","cpu":-1,"timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1})",
       {"cpu:", "-1", kUnsigned}},
      {"LargeCpu",
       R"({"event":"exec","cpu":4294967296,"timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1})",
       {"cpu:", "4294967296", kUnsigned}},
      {"LargeTime",
       R"({"event":"exec","cpu":0,"timestamp_ns":18446744073709551616,"seq":0,"process_pid":1,"process_tgid":1})",
       {"timestamp_ns:", "1.8446744073709552e+19", "a whole number from 0 to 18446744073709551615"}},
      {"FirstOfTwoErrors", kExecHead + R"("process_pid":"1","process_tgid":"1"})", {"process_pid:", R"("1")", kInt}},
      {"NoComm", kCommHead + "}", {"comm:", "missing key", kCommExpected}},
      {"LongComm", kCommHead + R"(,"comm":"0123456789abcdef"})", {"comm:", R"("0123456789abcdef")", kCommExpected}},
      {"LongCharacters", kCommHead + R"(,"comm":"éééééééé"})", {"comm:", R"("éééééééé")", kCommExpected}},
      {"NulInComm", kCommHead + R"(,"comm":"a\u0000b"})", {"comm:", R"("a\x00b")", kCommExpected}},
      {"CommIsNoText", kCommHead + R"(,"comm":1})", {"comm:", "1", kCommExpected}},
      {"CommIsNoTextWithHex",
       kCommHead + R"(,"comm":1,"comm_hex":"61000000000000000000000000000000"})",
       {"comm:", "1", kCommExpected}},
      {"ShortHex", kCommHead + R"(,"comm":"a","comm_hex":"61"})", {"comm_hex:", R"("61")", kCommHexExpected}},
      {"LongHex",
       kCommHead + R"(,"comm":"a","comm_hex":"6100000000000000000000000000000000"})",
       {"comm_hex:", R"("6100000000000000000000000000000000")", kCommHexExpected}},
      {"NoHex",
       kCommHead + R"(,"comm":"a","comm_hex":"6x000000000000000000000000000000"})",
       {"comm_hex:", R"("6x000000000000000000000000000000")", kCommHexExpected}},
      {"HexIsNoText", kCommHead + R"(,"comm":"a","comm_hex":61})", {"comm_hex:", "61", kCommHexExpected}},
      {"NoPayload", kUnknownHead + R"(,"what":1024})", {"payload:", "missing key", kHex}},
      {"OddPayload", kUnknownHead + R"(,"what":1024,"payload":"012"})", {"payload:", R"("012")", kHex}},
      {"LargePayload",
       kUnknownHead + R"(,"what":1024,"payload":")" + std::string(131'040, '0') + R"("})",
       {"payload:", "\"" + std::string(80, '0') + "...\"", kHex}},
      {"TypeOfFork",
       kUnknownHead + R"(,"what":1,"payload":"00000000000000000000000000000000"})",
       {"what:", "1", "a number that is not the type of a known event"}},
      {"TypeOfShortFork",
       kUnknownHead + R"(,"what":1,"payload":""})",
       {"what:", "1", "a number that is not the type of a known event"}},
  };
}

std::vector<ErrorRow> ParsedExitRows() {
  return {
      {"NoExitCode", kExitHead + "}", {"exit_code:", "missing key", kUnsigned}},
      {"OtherStatus", kExitHead + R"(,"exit_code":256,"status":2})", {"status:", "2", "1" + kFromExitCode}},
      {"StatusAsText", kExitHead + R"(,"exit_code":256,"status":"1"})", {"status:", R"("1")", "1" + kFromExitCode}},
      {"StatusAsTrue", kExitHead + R"(,"exit_code":256,"status":true})", {"status:", "true", "1" + kFromExitCode}},
      {"StatusAsFraction", kExitHead + R"(,"exit_code":256,"status":1.0})", {"status:", "1.0", "1" + kFromExitCode}},
      {"StatusAsNull", kExitHead + R"(,"exit_code":256,"status":null})", {"status:", "null", "1" + kFromExitCode}},
      {"StatusWithSignal", kExitHead + R"(,"exit_code":9,"status":0})", {"status:", "0", kNoKey}},
      {"OtherSignal", kExitHead + R"(,"exit_code":9,"signal":11})", {"signal:", "11", "9" + kFromExitCode}},
      {"SignalWithStatus", kExitHead + R"(,"exit_code":256,"signal":0})", {"signal:", "0", kNoKey}},
      {"NullWithStatus", kExitHead + R"(,"exit_code":256,"signal":null})", {"signal:", "null", kNoKey}},
      {"NoCore",
       kExitHead + R"(,"exit_code":139,"signal":11,"core_dumped":false})",
       {"core_dumped:", "false", "true" + kFromExitCode}},
      {"CoreAsNumber",
       kExitHead + R"(,"exit_code":139,"core_dumped":1})",
       {"core_dumped:", "1", "true" + kFromExitCode}},
      {"CoreWithStatus", kExitHead + R"(,"exit_code":0,"core_dumped":false})", {"core_dumped:", "false", kNoKey}},
  };
}

constexpr auto kRowName = [](const auto& row) { return row.param.name; };

class JsonErrorTest : public testing::TestWithParam<ErrorRow> {};

// The position of the part as a whole word, from `start` on.
std::size_t FindWord(const std::string& text, const std::string& part, std::size_t start) {
  const auto is_separator = [](char c) { return std::string_view(" :;()").find(c) != std::string_view::npos; };
  for (std::size_t at = text.find(part, start); at != std::string::npos; at = text.find(part, at + 1)) {
    const std::size_t end = at + part.size();
    if ((at == 0 || is_separator(text[at - 1])) && (end == text.size() || is_separator(text[end]))) {
      return at;
    }
  }
  return std::string::npos;
}

TEST_P(JsonErrorTest, NamesKeyValueAndExpectedValue) {
  const auto datagram = ParseJsonLine(GetParam().line);
  ASSERT_FALSE(datagram) << ToHex(datagram.value());
  const std::string message = Describe(datagram.error());
  const std::vector<std::string>& parts = GetParam().parts;
  EXPECT_TRUE(message.starts_with(parts.front())) << message;
  std::size_t start = 0;
  for (const std::string& part : parts) {
    const std::size_t at = FindWord(message, part, start);
    ASSERT_NE(at, std::string::npos) << part << " in " << message;
    start = at + part.size();
  }
  EXPECT_FALSE(datagram.error().problem.empty()) << message;
  EXPECT_FALSE(datagram.error().expected.empty()) << message;
  EXPECT_EQ(datagram.error().key.empty(), !parts.front().ends_with(':')) << message;
  EXPECT_EQ(message.find("did you mean") != std::string::npos, parts.back().starts_with("did you mean")) << message;
}

INSTANTIATE_TEST_SUITE_P(Json, JsonErrorTest, testing::ValuesIn(JsonRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Keys, JsonErrorTest, testing::ValuesIn(KeyRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Values, JsonErrorTest, testing::ValuesIn(ValueRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Exits, JsonErrorTest, testing::ValuesIn(ParsedExitRows()), kRowName);

std::string ParseAndFormat(const std::string& line) {
  const auto datagram = ParseJsonLine(line);
  return datagram ? FormatJsonLine(DecodeAll(datagram.value()).at(0)) : Describe(datagram.error());
}

TEST(ParseJsonLineTest, AcceptsMissingDerivedKeys) {
  EXPECT_EQ(ParseAndFormat(kExitHead + R"(,"exit_code":139})"),
            ParseAndFormat(kExitHead + R"(,"exit_code":139,"signal":11})"));
  EXPECT_TRUE(ParseAndFormat(kExitHead + R"(,"exit_code":256})").ends_with(R"("status":1})"));
}

TEST(ParseJsonLineTest, AcceptsAnyKeyOrderAndBlanks) {
  EXPECT_EQ(ParseAndFormat(
                R"( { "process_tgid": 2, "seq": 3, "event": "exec", "cpu": 0, "timestamp_ns": 5, "process_pid": 1 } )"),
            R"({"event":"exec","cpu":0,"timestamp_ns":5,"seq":3,"process_pid":1,"process_tgid":2})");
}

TEST(ParseJsonLineTest, PrefersCommHexToComm) {
  EXPECT_TRUE(ParseAndFormat(kCommHead + R"(,"comm":"other","comm_hex":"61000000000000000000000000000000"})")
                  .ends_with(R"("comm":"a"})"));
  EXPECT_TRUE(ParseAndFormat(kCommHead + R"(,"comm_hex":"6100000000000000000000000000000A"})")
                  .ends_with(R"("comm":"a","comm_hex":"6100000000000000000000000000000a"})"));
}

// The text determines the bytes, although decode prints such a name differently.
TEST(ParseJsonLineTest, AcceptsControlCharactersInComm) {
  EXPECT_TRUE(
      ParseAndFormat(kCommHead + R"(,"comm":"a\nb"})").ends_with(R"("comm_hex":"610a6200000000000000000000000000"})"));
}

TEST(ParseJsonLineTest, AcceptsTheLargestPayload) {
  const std::string line = kUnknownHead + R"(,"what":1024,"payload":")" + std::string(131'038, 'a') + R"("})";
  EXPECT_EQ(ParseAndFormat(line), line);
}

}  // namespace

}  // namespace procevent
