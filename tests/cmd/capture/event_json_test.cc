#include "cmd/capture/event_json.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/protocol/wire.h"
#include "tests/core/protocol/test_events.h"

namespace procevent {

// What each message looks like as a line, byte by byte; and that each line comes back as it was.

namespace {

using namespace std::string_view_literals;

struct Row {
  std::string name;
  Message message;
  std::string line;
};

Message Of(const Event& event) { return {.outcome = DecodeOutcome::kEvent, .event = event}; }

Message OfKind(EventKind kind) {
  return Of(OneOfEachKind().at(static_cast<std::size_t>(kind) + (kind > EventKind::kExit ? 1 : 0)).event);
}

Message Ending(std::uint32_t wait_status) {
  return Of({.what = wire::kWhatExit, .body = ExitBody{{1, 1}, wait_status, 17, {2, 2}}});
}

Message Named(std::string_view bytes) {
  CommBody body{.task = {1, 1}};
  std::ranges::copy(bytes, body.comm.begin());
  return Of({.what = wire::kWhatComm, .body = body});
}

constexpr std::string_view kHead = R"("cpu":3,"timestamp_ns":1234605616436508552,"seq":16909060,)";

std::string Line(std::string_view event, std::string_view rest) {
  return R"({"event":")" + std::string(event) + R"(",)" + std::string(kHead) + std::string(rest) + "}";
}

std::string Exit(std::uint32_t wait_status, std::string_view derived) {
  return R"({"event":"exit","cpu":0,"timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1,"exit_code":)" +
         std::to_string(wait_status) + R"(,"exit_signal":17,"parent_pid":2,"parent_tgid":2,)" + std::string(derived) +
         "}";
}

std::string Comm(std::string_view comm, std::string_view hex = "") {
  return R"({"event":"comm","cpu":0,"timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1,"comm":")" +
         std::string(comm) + '"' + (hex.empty() ? "" : R"(,"comm_hex":")" + std::string(hex) + '"') + "}";
}

std::vector<Row> EventRows() {
  return {
      {"Ack", OfKind(EventKind::kAck), Line("ack", R"("ack":168496141,"err":22)")},
      {"Fork", OfKind(EventKind::kFork),
       Line("fork", R"("parent_pid":101,"parent_tgid":102,"child_pid":103,"child_tgid":104)")},
      {"Exec", OfKind(EventKind::kExec), Line("exec", R"("process_pid":201,"process_tgid":202)")},
      {"Exit", OfKind(EventKind::kExit),
       Line("exit", R"("process_pid":301,"process_tgid":302,"exit_code":139,"exit_signal":17,"parent_pid":303,)"
                    R"("parent_tgid":304,"signal":11,"core_dumped":true)")},
      {"NonzeroExit", Of(OneOfEachKind()[4].event),
       Line("exit", R"("process_pid":305,"process_tgid":306,"exit_code":256,"exit_signal":18,"parent_pid":307,)"
                    R"("parent_tgid":308,"status":1)")},
      {"Uid", OfKind(EventKind::kUid), Line("uid", R"("process_pid":401,"process_tgid":402,"ruid":403,"euid":404)")},
      {"Gid", OfKind(EventKind::kGid), Line("gid", R"("process_pid":501,"process_tgid":502,"rgid":503,"egid":504)")},
      {"Sid", OfKind(EventKind::kSid), Line("sid", R"("process_pid":601,"process_tgid":602)")},
      {"Ptrace", OfKind(EventKind::kPtrace),
       Line("ptrace", R"("process_pid":701,"process_tgid":702,"tracer_pid":703,"tracer_tgid":704)")},
      {"Comm", OfKind(EventKind::kComm), Line("comm", R"("process_pid":801,"process_tgid":802,"comm":"a name")")},
      {"Coredump", OfKind(EventKind::kCoredump),
       Line("coredump", R"("process_pid":901,"process_tgid":902,"parent_pid":903,"parent_tgid":904)")},
      {"Unknown", OfKind(EventKind::kUnknown),
       Line("unknown", R"("what":1024,"payload":"f0f1f2f3f4f5f6f7e0e1e2e3e4e5e6e7d0d1d2d3d4d5d6d7")")},
      {"UnknownAndEmpty", Of({.what = 0x400, .body = UnknownBody{}}),
       R"({"event":"unknown","cpu":0,"timestamp_ns":0,"seq":0,"what":1024,"payload":""})"},
      {"Bounds",
       Of({.sequence = UINT32_MAX,
           .what = wire::kWhatFork,
           .cpu = kNoCpu,
           .timestamp_ns = UINT64_MAX,
           .body = ForkBody{{-1, INT32_MIN}, {INT32_MAX, 0}}}),
       R"({"event":"fork","cpu":4294967295,"timestamp_ns":18446744073709551615,"seq":4294967295,"parent_pid":-1,)"
       R"("parent_tgid":-2147483648,"child_pid":2147483647,"child_tgid":0})"},
  };
}

std::vector<Row> FormattedEndingRows() {
  return {
      {"Success", Ending(0), Exit(0, R"("status":0)")},
      {"Status", Ending(0xff00), Exit(0xff00, R"("status":255)")},
      {"Killed", Ending(9), Exit(9, R"("signal":9,"core_dumped":false)")},
      {"Dumped", Ending(0x86), Exit(0x86, R"("signal":6,"core_dumped":true)")},
      {"BitsOfNoMeaning", Ending(0xffff0102), Exit(0xffff0102, R"("signal":2,"core_dumped":false)")},
  };
}

std::vector<Row> NameRows() {
  return {
      {"Plain", Named("bash"), Comm("bash")},
      {"Empty", Named(""), Comm("")},
      {"Fifteen", Named("kworker/0:1-eve"), Comm("kworker/0:1-eve")},
      {"Characters", Named("é€🐧"), Comm("é€🐧")},
      {"Quotes", Named("a\"b\\c"), Comm(R"(a\"b\\c)")},
      {"Escapes", Named("a\\x0a"), Comm(R"(a\\x0a)")},
      {"NoUtf8", Named("a\xff"), Comm(R"(a\\xff)", "61ff0000000000000000000000000000")},
      {"CutCharacter", Named("123456789abcd\xe2\x82"),
       Comm(R"(123456789abcd\\xe2\\x82)", "31323334353637383961626364e28200")},
      {"Control", Named("a\nb"), Comm(R"(a\\x0ab)", "610a6200000000000000000000000000")},
      {"Hidden", Named("a\u202eb"), Comm(R"(a\\xe2\\x80\\xaeb)", "61e280ae620000000000000000000000")},
      {"BehindTheNul", Named("ab\0cd"sv), Comm("ab", "61620063640000000000000000000000")},
      {"LastByte", Named("ab\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"sv), Comm("ab", "61620000000000000000000000000001")},
      {"NoNul", Named("0123456789abcdef"), Comm("0123456789abcde", "30313233343536373839616263646566")},
  };
}

std::vector<Row> OtherRows() {
  return {
      {"Noop", {.outcome = DecodeOutcome::kControl, .control = Control::kNoop}, R"({"control":"noop"})"},
      {"Done", {.outcome = DecodeOutcome::kControl, .control = Control::kDone}, R"({"control":"done"})"},
      {"Acknowledgement", {.outcome = DecodeOutcome::kAcknowledgement}, R"({"control":"ack"})"},
      {"NetlinkHeader",
       {.outcome = DecodeOutcome::kTruncatedNetlinkHeader},
       R"({"error":"truncated","layer":"netlink"})"},
      {"ConnectorHeader",
       {.outcome = DecodeOutcome::kTruncatedConnectorHeader},
       R"({"error":"truncated","layer":"connector"})"},
      {"EventHeader", {.outcome = DecodeOutcome::kTruncatedEventHeader}, R"({"error":"truncated","layer":"header"})"},
      {"EventBody", {.outcome = DecodeOutcome::kTruncatedEventBody}, R"({"error":"truncated","layer":"body"})"},
      {"WrongConnector", {.outcome = DecodeOutcome::kForeignConnector}, R"({"error":"wrong_connector"})"},
      {"Overrun", {.outcome = DecodeOutcome::kOverrun}, R"({"error":"overrun"})"},
      {"Kernel", {.outcome = DecodeOutcome::kKernelError, .kernel_errno = 111}, R"({"error":"kernel","errno":111})"},
      {"KernelsLowest",
       {.outcome = DecodeOutcome::kKernelError, .kernel_errno = INT32_MIN},
       R"({"error":"kernel","errno":-2147483648})"},
      {"ReservedType", {.outcome = DecodeOutcome::kReservedType}, R"({"error":"reserved_type"})"},
      {"WrongLength", {.outcome = DecodeOutcome::kWrongLength}, R"({"error":"wrong_length"})"},
  };
}

class JsonLinesTest : public testing::TestWithParam<Row> {};

TEST_P(JsonLinesTest, IsThisLine) { EXPECT_EQ(FormatJsonLine(GetParam().message), GetParam().line); }

TEST_P(JsonLinesTest, ComesBack) {
  const auto datagram = ParseJsonLine(GetParam().line);
  ASSERT_TRUE(std::holds_alternative<Bytes>(datagram)) << std::get<std::string>(datagram);
  const std::vector<Message> messages = DecodeAll(std::get<Bytes>(datagram));
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(FormatJsonLine(messages[0]), GetParam().line);
}

constexpr auto kRowName = [](const auto& row) { return row.param.name; };
INSTANTIATE_TEST_SUITE_P(Events, JsonLinesTest, testing::ValuesIn(EventRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Endings, JsonLinesTest, testing::ValuesIn(FormattedEndingRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Names, JsonLinesTest, testing::ValuesIn(NameRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Others, JsonLinesTest, testing::ValuesIn(OtherRows()), kRowName);

// What is encoded is what the kernel would have sent.
TEST(JsonLinesTest, EncodesWhatTheEncoderWrites) {
  for (const NamedEvent& row : OneOfEachKind()) {
    Event event = row.event;
    event.acknowledged = event.kind() == EventKind::kAck ? event.acknowledged : 0;  // a line has it of an ACK alone
    event.what = event.kind() == EventKind::kExit ? wire::kWhatExit : event.what;   // there is one word for both
    const auto datagram = ParseJsonLine(FormatJsonLine(Of(row.event)));
    ASSERT_TRUE(std::holds_alternative<Bytes>(datagram)) << row.name;
    EXPECT_EQ(ToHex(std::get<Bytes>(datagram)), ToHex(EncodeEvent(event))) << row.name;
  }
}

}  // namespace

// What is wrong with a line that is to be encoded, word by word; and what may be left out of one.

namespace {

struct FaultRow {
  std::string name;
  std::string line;
  std::string fault;
};

const std::string kExecHead = R"({"event":"exec","cpu":0,"timestamp_ns":0,"seq":0,)";
const std::string kCommHead = R"({"event":"comm","cpu":0,"timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1)";
const std::string kExitHead =
    R"({"event":"exit","cpu":0,"timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1,"exit_signal":17,)"
    R"("parent_pid":1,"parent_tgid":1)";
const std::string kUnknownHead = R"({"event":"unknown","cpu":0,"timestamp_ns":0,"seq":0)";
const std::string kInt = ", allowed is a whole number from -2147483648 to 2147483647";
const std::string kUnsigned = ", allowed is a whole number from 0 to 4294967295";
const std::string kObject = ", allowed is one object as decode prints it";
const std::string kNameAllowed = ", allowed is a text of at most 15 bytes without NUL, or any text and comm_hex";
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
      {"NotANumber", kExecHead + R"("process_pid":NaN})", "found no JSON at byte 64" + kObject},
      {"NumberWithoutBounds", kExecHead + R"("process_pid":1e999})", "found a number without bounds" + kObject},
      {"List", R"([{"control":"noop"}])", "found no object" + kObject},
      {"Text", R"("noop")", "found no object" + kObject},
      {"Null", "null", "found no object" + kObject},
      {"Empty", "{}", "found an object without event, control and error" + kObject},
      {"NoForm", R"({"evnet":"fork"})", "found an object without event, control and error" + kObject},
      {"KeyTwice", R"({"event":"fork","event":"fork"})",
       "event: found the key a second time, allowed is each key once"},
      {"LaterKeyTwice", kExecHead + R"("process_pid":1,"process_tgid":1,"seq":0})",
       "seq: found the key a second time, allowed is each key once"},
  };
}

std::vector<FaultRow> KeyRows() {
  return {
      {"UnknownEvent", R"({"event":"clone"})", R"(event: found "clone")" + kEvents},
      {"NearEvent", R"({"event":"frok","cpu":0})", R"(event: found "frok")" + kEvents + R"(; did you mean "fork"?)"},
      {"EventIsNoText", R"({"event":1})", "event: found 1" + kEvents},
      {"EventIsAnObject", R"({"event":{"event":"fork"}})", "event: found an object" + kEvents},
      {"MissingKey", kExecHead + R"("process_pid":1})", "process_tgid: found nothing" + kInt},
      {"MissingHead", R"({"event":"exec","timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1})",
       "cpu: found nothing" + kUnsigned},
      {"UnknownKey", kExecHead + R"("process_pid":1,"process_tgid":1,"colour":1})",
       "colour: found an unknown key, allowed is one of event, cpu, timestamp_ns, seq, process_pid, process_tgid"},
      {"NearKey", kExecHead + R"("proces_pid":1,"process_tgid":1})",
       "proces_pid: found an unknown key, allowed is one of event, cpu, timestamp_ns, seq, process_pid, process_tgid; "
       R"(did you mean "process_pid"?)"},
      {"KeyOfAnotherEvent", kExecHead + R"("process_pid":1,"process_tgid":1,"ruid":1})",
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
      {"TextForNumber", kExecHead + R"("process_pid":"1","process_tgid":1})", R"(process_pid: found "1")" + kInt},
      {"TrueForNumber", kExecHead + R"("process_pid":true,"process_tgid":1})", "process_pid: found true" + kInt},
      {"NullForNumber", kExecHead + R"("process_pid":null,"process_tgid":1})", "process_pid: found null" + kInt},
      {"ListForNumber", kExecHead + R"("process_pid":[1],"process_tgid":1})", "process_pid: found a list" + kInt},
      {"Fraction", kExecHead + R"("process_pid":1.0,"process_tgid":1})", "process_pid: found 1.0" + kInt},
      {"TooLarge", kExecHead + R"("process_pid":2147483648,"process_tgid":1})", "process_pid: found 2147483648" + kInt},
      {"TooSmall", kExecHead + R"("process_pid":-2147483649,"process_tgid":1})",
       "process_pid: found -2147483649" + kInt},
      {"NegativeCpu", R"({"event":"exec","cpu":-1,"timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1})",
       "cpu: found -1" + kUnsigned},
      {"LargeCpu", R"({"event":"exec","cpu":4294967296,"timestamp_ns":0,"seq":0,"process_pid":1,"process_tgid":1})",
       "cpu: found 4294967296" + kUnsigned},
      {"LargeTime",
       R"({"event":"exec","cpu":0,"timestamp_ns":18446744073709551616,"seq":0,"process_pid":1,"process_tgid":1})",
       "timestamp_ns: found 1.8446744073709552e+19, allowed is a whole number from 0 to 18446744073709551615"},
      {"FirstOfTwo", kExecHead + R"("process_pid":"1","process_tgid":"1"})", R"(process_pid: found "1")" + kInt},
      {"NoComm", kCommHead + "}", "comm: found nothing" + kNameAllowed},
      {"LongComm", kCommHead + R"(,"comm":"0123456789abcdef"})", R"(comm: found "0123456789abcdef")" + kNameAllowed},
      {"LongCharacters", kCommHead + R"(,"comm":"éééééééé"})", R"(comm: found "éééééééé")" + kNameAllowed},
      {"NulInComm", kCommHead + R"(,"comm":"a\u0000b"})", R"(comm: found "a\x00b")" + kNameAllowed},
      {"CommIsNoText", kCommHead + R"(,"comm":1})", "comm: found 1" + kNameAllowed},
      {"CommIsNoTextBesideHex", kCommHead + R"(,"comm":1,"comm_hex":"61000000000000000000000000000000"})",
       "comm: found 1" + kNameAllowed},
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

std::vector<FaultRow> ParsedEndingRows() {
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
  const auto datagram = ParseJsonLine(GetParam().line);
  ASSERT_TRUE(std::holds_alternative<std::string>(datagram)) << ToHex(std::get<Bytes>(datagram));
  EXPECT_EQ(std::get<std::string>(datagram), GetParam().fault);
}

INSTANTIATE_TEST_SUITE_P(Json, JsonFaultTest, testing::ValuesIn(JsonRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Keys, JsonFaultTest, testing::ValuesIn(KeyRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Values, JsonFaultTest, testing::ValuesIn(ValueRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Endings, JsonFaultTest, testing::ValuesIn(ParsedEndingRows()), kRowName);

std::string LineAgain(const std::string& line) {
  const auto datagram = ParseJsonLine(line);
  if (const auto* const fault = std::get_if<std::string>(&datagram)) {
    return *fault;
  }
  return FormatJsonLine(DecodeAll(std::get<Bytes>(datagram)).at(0));
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
