// What is wrong with a line that is to be encoded, word by word; and what may be left out of one.
#include "cmd/json_datagram.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "cmd/json_lines.h"
#include "tests/core/protocol/test_events.h"

namespace procevent {
namespace {

struct FaultRow {
  std::string name;
  std::string line;
  std::string fault;
};

const std::string kHead = R"({"event":"exec","cpu":0,"timestamp_ns":0,"seq":0,)";
const std::string kCommHead = R"({"event":"comm","cpu":0,"timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1)";
const std::string kExitHead =
    R"({"event":"exit","cpu":0,"timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1,"exit_signal":17,)"
    R"("parent_pid":1,"parent_tgid":1)";
const std::string kUnknownHead = R"({"event":"unknown","cpu":0,"timestamp_ns":0,"seq":0)";
const std::string kInt = ", allowed is a whole number from -2147483648 to 2147483647";
const std::string kUnsigned = ", allowed is a whole number from 0 to 4294967295";
const std::string kObject = ", allowed is one object as decode prints it";
const std::string kName = ", allowed is a text of at most 15 bytes without NUL, or any text and comm_hex";
const std::string kNameHex = ", allowed is 16 bytes as 32 hex digits";
const std::string kHex = ", allowed is an even number of hex digits, at most 131038";
const std::string kEvents = ", allowed is one of ack, fork, exec, exit, uid, gid, sid, ptrace, comm, coredump, unknown";
const std::string kOrLeaveOut = ", as exit_code says, or to leave it out";

std::vector<FaultRow> JsonRows() {
  return {
      {"NoJson", "fork", "found no JSON at byte 2" + kObject},
      {"Cut", R"({"event":"fork")", "found no JSON at byte 16" + kObject},
      {"TwoObjects", R"({"control":"noop"}{"control":"noop"})", "found no JSON at byte 19" + kObject},
      {"NoUtf8", "{\"control\":\"\xff\"}", "found no JSON at byte 13" + kObject},
      {"HalfACharacter", R"({"control":"\ud800"})", "found no JSON at byte 19" + kObject},
      {"NotANumber", kHead + R"("process_pid":NaN})", "found no JSON at byte 64" + kObject},
      {"NumberWithoutBounds", kHead + R"("process_pid":1e999})", "found a number without bounds" + kObject},
      {"List", R"([{"control":"noop"}])", "found no object" + kObject},
      {"Text", R"("noop")", "found no object" + kObject},
      {"Null", "null", "found no object" + kObject},
      {"Empty", "{}", "found an object without event, control and error" + kObject},
      {"NoForm", R"({"evnet":"fork"})", "found an object without event, control and error" + kObject},
      {"KeyTwice", R"({"event":"fork","event":"fork"})",
       "event: found the key a second time, allowed is each key once"},
      {"LaterKeyTwice", kHead + R"("process_pid":1,"process_tgid":1,"seq":0})",
       "seq: found the key a second time, allowed is each key once"},
  };
}

std::vector<FaultRow> KeyRows() {
  return {
      {"UnknownEvent", R"({"event":"clone"})", R"(event: found "clone")" + kEvents},
      {"NearEvent", R"({"event":"frok","cpu":0})", R"(event: found "frok")" + kEvents + R"(; did you mean "fork"?)"},
      {"EventIsNoText", R"({"event":1})", "event: found 1" + kEvents},
      {"EventIsAnObject", R"({"event":{"event":"fork"}})", "event: found an object" + kEvents},
      {"MissingKey", kHead + R"("process_pid":1})", "process_tgid: found nothing" + kInt},
      {"MissingHead", R"({"event":"exec","timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1})",
       "cpu: found nothing" + kUnsigned},
      {"UnknownKey", kHead + R"("process_pid":1,"process_tgid":1,"colour":1})",
       "colour: found an unknown key, allowed is one of event, cpu, timestamp_ns, seq, process_pid, process_tgid"},
      {"NearKey", kHead + R"("proces_pid":1,"process_tgid":1})",
       "proces_pid: found an unknown key, allowed is one of event, cpu, timestamp_ns, seq, process_pid, process_tgid; "
       R"(did you mean "process_pid"?)"},
      {"KeyOfAnotherEvent", kHead + R"("process_pid":1,"process_tgid":1,"ruid":1})",
       "ruid: found an unknown key, allowed is one of event, cpu, timestamp_ns, seq, process_pid, process_tgid"},
      {"EmptyKey", R"({"control":"noop","":1})", R"("": found an unknown key, allowed is one of control)"},
      {"UnprintableKey", R"({"control":"noop","\u001b[2J\n":1})",
       R"(\x1b[2J\x0a: found an unknown key, allowed is one of control)"},
      {"TwoForms", R"({"control":"noop","error":"overrun"})", "error: found an unknown key, allowed is one of control"},
      {"UnknownControl", R"({"control":"stop"})", R"(control: found "stop", allowed is one of noop, done, ack)"},
      {"UnknownError", R"({"error":"none"})",
       R"(error: found "none", allowed is one of truncated, wrong_connector, overrun, kernel, reserved_type, )"
       "wrong_length"},
      {"NoLayer", R"({"error":"truncated"})",
       "layer: found nothing, allowed is one of netlink, connector, header, body"},
      {"UnknownLayer", R"({"error":"truncated","layer":"heder"})",
       R"(layer: found "heder", allowed is one of netlink, connector, header, body; did you mean "header"?)"},
      {"LayerOfAnother", R"({"error":"overrun","layer":"body"})",
       "layer: found an unknown key, allowed is one of error"},
      {"NoErrno", R"({"error":"kernel"})", "errno: found nothing" + kInt},
      {"ErrnoZero", R"({"error":"kernel","errno":0})", "errno: found 0, allowed is a number above 0, or -2147483648"},
      {"ErrnoNegative", R"({"error":"kernel","errno":-13})",
       "errno: found -13, allowed is a number above 0, or -2147483648"},
  };
}

std::vector<FaultRow> ValueRows() {
  return {
      {"TextForNumber", kHead + R"("process_pid":"1","process_tgid":1})", R"(process_pid: found "1")" + kInt},
      {"TrueForNumber", kHead + R"("process_pid":true,"process_tgid":1})", "process_pid: found true" + kInt},
      {"NullForNumber", kHead + R"("process_pid":null,"process_tgid":1})", "process_pid: found null" + kInt},
      {"ListForNumber", kHead + R"("process_pid":[1],"process_tgid":1})", "process_pid: found a list" + kInt},
      {"Fraction", kHead + R"("process_pid":1.0,"process_tgid":1})", "process_pid: found 1.0" + kInt},
      {"TooLarge", kHead + R"("process_pid":2147483648,"process_tgid":1})", "process_pid: found 2147483648" + kInt},
      {"TooSmall", kHead + R"("process_pid":-2147483649,"process_tgid":1})", "process_pid: found -2147483649" + kInt},
      {"NegativeCpu", R"({"event":"exec","cpu":-1,"timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1})",
       "cpu: found -1" + kUnsigned},
      {"LargeCpu", R"({"event":"exec","cpu":4294967296,"timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1})",
       "cpu: found 4294967296" + kUnsigned},
      {"LargeTime",
       R"({"event":"exec","cpu":0,"timestamp_ns":18446744073709551616,"seq":0,"process_pid":1,"process_tgid":1})",
       "timestamp_ns: found 1.8446744073709552e+19, allowed is a whole number from 0 to 18446744073709551615"},
      {"FirstOfTwo", kHead + R"("process_pid":"1","process_tgid":"1"})", R"(process_pid: found "1")" + kInt},
      {"NoComm", kCommHead + "}", "comm: found nothing" + kName},
      {"LongComm", kCommHead + R"(,"comm":"0123456789abcdef"})", R"(comm: found "0123456789abcdef")" + kName},
      {"LongCharacters", kCommHead + R"(,"comm":"éééééééé"})", R"(comm: found "éééééééé")" + kName},
      {"NulInComm", kCommHead + R"(,"comm":"a\u0000b"})", R"(comm: found "a\x00b")" + kName},
      {"CommIsNoText", kCommHead + R"(,"comm":1})", "comm: found 1" + kName},
      {"CommIsNoTextBesideHex", kCommHead + R"(,"comm":1,"comm_hex":"61000000000000000000000000000000"})",
       "comm: found 1" + kName},
      {"ShortHex", kCommHead + R"(,"comm":"a","comm_hex":"61"})", R"(comm_hex: found "61")" + kNameHex},
      {"LongHex", kCommHead + R"(,"comm":"a","comm_hex":"6100000000000000000000000000000000"})",
       R"(comm_hex: found "6100000000000000000000000000000000")" + kNameHex},
      {"NoHex", kCommHead + R"(,"comm":"a","comm_hex":"6x000000000000000000000000000000"})",
       R"(comm_hex: found "6x000000000000000000000000000000")" + kNameHex},
      {"HexIsNoText", kCommHead + R"(,"comm":"a","comm_hex":61})", "comm_hex: found 61" + kNameHex},
      {"NoPayload", kUnknownHead + R"(,"what":1024})", "payload: found nothing" + kHex},
      {"OddPayload", kUnknownHead + R"(,"what":1024,"payload":"012"})", R"(payload: found "012")" + kHex},
      {"LargePayload", kUnknownHead + R"(,"what":1024,"payload":")" + std::string(131'040, '0') + R"("})",
       "payload: found \"" + std::string(80, '0') + "...\"" + kHex},
      {"WhatOfAFork", kUnknownHead + R"(,"what":1,"payload":"00000000000000000000000000000000"})",
       "what: found 1, allowed is a number that is no other event's"},
      {"WhatOfAShortFork", kUnknownHead + R"(,"what":1,"payload":""})",
       "what: found 1, allowed is a number that is no other event's"},
  };
}

std::vector<FaultRow> EndingRows() {
  return {
      {"NoExitCode", kExitHead + "}", "exit_code: found nothing" + kUnsigned},
      {"OtherStatus", kExitHead + R"(,"exit_code":256,"status":2})", "status: found 2, allowed is 1" + kOrLeaveOut},
      {"StatusAsText", kExitHead + R"(,"exit_code":256,"status":"1"})",
       R"(status: found "1", allowed is 1)" + kOrLeaveOut},
      {"StatusAsTrue", kExitHead + R"(,"exit_code":256,"status":true})",
       "status: found true, allowed is 1" + kOrLeaveOut},
      {"StatusAsFraction", kExitHead + R"(,"exit_code":256,"status":1.0})",
       "status: found 1.0, allowed is 1" + kOrLeaveOut},
      {"StatusAsNull", kExitHead + R"(,"exit_code":256,"status":null})",
       "status: found null, allowed is 1" + kOrLeaveOut},
      {"StatusBesideASignal", kExitHead + R"(,"exit_code":9,"status":0})",
       "status: found 0, allowed is none" + kOrLeaveOut},
      {"OtherSignal", kExitHead + R"(,"exit_code":9,"signal":11})", "signal: found 11, allowed is 9" + kOrLeaveOut},
      {"SignalBesideAStatus", kExitHead + R"(,"exit_code":256,"signal":0})",
       "signal: found 0, allowed is none" + kOrLeaveOut},
      {"NullBesideAStatus", kExitHead + R"(,"exit_code":256,"signal":null})",
       "signal: found null, allowed is none" + kOrLeaveOut},
      {"NoCore", kExitHead + R"(,"exit_code":139,"signal":11,"core_dumped":false})",
       "core_dumped: found false, allowed is true" + kOrLeaveOut},
      {"CoreAsNumber", kExitHead + R"(,"exit_code":139,"core_dumped":1})",
       "core_dumped: found 1, allowed is true" + kOrLeaveOut},
      {"CoreBesideAStatus", kExitHead + R"(,"exit_code":0,"core_dumped":false})",
       "core_dumped: found false, allowed is none" + kOrLeaveOut},
  };
}

class JsonFaultTest : public testing::TestWithParam<FaultRow> {};

TEST_P(JsonFaultTest, IsTold) {
  const auto datagram = DatagramOf(GetParam().line);
  ASSERT_TRUE(std::holds_alternative<std::string>(datagram)) << ToHex(std::get<Bytes>(datagram));
  EXPECT_EQ(std::get<std::string>(datagram), GetParam().fault);
}

constexpr auto kRowName = [](const auto& row) { return row.param.name; };
INSTANTIATE_TEST_SUITE_P(Json, JsonFaultTest, testing::ValuesIn(JsonRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Keys, JsonFaultTest, testing::ValuesIn(KeyRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Values, JsonFaultTest, testing::ValuesIn(ValueRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Endings, JsonFaultTest, testing::ValuesIn(EndingRows()), kRowName);

std::string LineAgain(const std::string& line) {
  const auto datagram = DatagramOf(line);
  if (const auto* const fault = std::get_if<std::string>(&datagram)) {
    return *fault;
  }
  return JsonLineOf(DecodeAll(std::get<Bytes>(datagram)).at(0));
}

TEST(JsonDatagramTest, WhatIsDerivedMayBeLeftOut) {
  EXPECT_EQ(LineAgain(kExitHead + R"(,"exit_code":139})"), LineAgain(kExitHead + R"(,"exit_code":139,"signal":11})"));
  EXPECT_TRUE(LineAgain(kExitHead + R"(,"exit_code":256})").ends_with(R"("status":1})"));
}

TEST(JsonDatagramTest, KeysMayStandInAnyOrderAndBlanksBetweenThem) {
  EXPECT_EQ(
      LineAgain(R"( { "process_tgid": 2, "seq": 3, "event": "exec", "cpu": 0, "timestamp_ns": 5, "process_pid": 1 } )"),
      R"({"event":"exec","cpu":0,"timestamp_ns":5,"seq":3,"process_pid":1,"process_tgid":2})");
}

TEST(JsonDatagramTest, TheBytesOfANameCountMoreThanItsText) {
  EXPECT_TRUE(LineAgain(kCommHead + R"(,"comm":"other","comm_hex":"61000000000000000000000000000000"})")
                  .ends_with(R"("comm":"a"})"));
  EXPECT_TRUE(LineAgain(kCommHead + R"(,"comm_hex":"6100000000000000000000000000000A"})")
                  .ends_with(R"("comm":"a","comm_hex":"6100000000000000000000000000000a"})"));
}

// Its bytes are known, even if decode would not show them so.
TEST(JsonDatagramTest, ANameOfControlsIsItsBytes) {
  EXPECT_TRUE(
      LineAgain(kCommHead + R"(,"comm":"a\nb"})").ends_with(R"("comm_hex":"610a6200000000000000000000000000"})"));
}

TEST(JsonDatagramTest, TheLargestPayloadFits) {
  const std::string line = kUnknownHead + R"(,"what":1024,"payload":")" + std::string(131'038, 'a') + R"("})";
  EXPECT_EQ(LineAgain(line), line);
}

}  // namespace
}  // namespace procevent
