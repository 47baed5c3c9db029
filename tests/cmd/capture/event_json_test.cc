#include "cmd/capture/event_json.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/wire.h"
#include "tests/core/protocol/test_events.h"

// The JSON line of each message, byte for byte, and its way back.
namespace procevent {
namespace {

using namespace std::string_view_literals;

struct Row {
  std::string name;
  Message message;
  std::string line;
};

Message MessageOf(const Event& event) { return {.outcome = DecodeOutcome::kEvent, .event = event}; }

Message MessageOfKind(EventKind kind) {
  return MessageOf(OneOfEachKind().at(static_cast<std::size_t>(kind) + (kind > EventKind::kExit ? 1 : 0)).event);
}

Message ExitWith(std::uint32_t wait_status) {
  return MessageOf({.what = wire::kWhatExit, .body = ExitBody{{1, 1}, wait_status, 17, {2, 2}}});
}

Message CommWith(std::string_view bytes) {
  CommBody body{.task = {1, 1}};
  std::ranges::copy(bytes, body.comm.begin());
  return MessageOf({.what = wire::kWhatComm, .body = body});
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
      {"Ack", MessageOfKind(EventKind::kAck), Line("ack", R"("ack":168496141,"err":22)")},
      {"Fork", MessageOfKind(EventKind::kFork),
       Line("fork", R"("parent_pid":101,"parent_tgid":102,"child_pid":103,"child_tgid":104)")},
      {"Exec", MessageOfKind(EventKind::kExec), Line("exec", R"("process_pid":201,"process_tgid":202)")},
      {"Exit", MessageOfKind(EventKind::kExit),
       Line("exit", R"("process_pid":301,"process_tgid":302,"exit_code":139,"exit_signal":17,"parent_pid":303,)"
                    R"("parent_tgid":304,"signal":11,"core_dumped":true)")},
      {"NonzeroExit", MessageOf(OneOfEachKind()[4].event),
       Line("exit", R"("process_pid":305,"process_tgid":306,"exit_code":256,"exit_signal":18,"parent_pid":307,)"
                    R"("parent_tgid":308,"status":1)")},
      {"Uid", MessageOfKind(EventKind::kUid),
       Line("uid", R"("process_pid":401,"process_tgid":402,"ruid":403,"euid":404)")},
      {"Gid", MessageOfKind(EventKind::kGid),
       Line("gid", R"("process_pid":501,"process_tgid":502,"rgid":503,"egid":504)")},
      {"Sid", MessageOfKind(EventKind::kSid), Line("sid", R"("process_pid":601,"process_tgid":602)")},
      {"Ptrace", MessageOfKind(EventKind::kPtrace),
       Line("ptrace", R"("process_pid":701,"process_tgid":702,"tracer_pid":703,"tracer_tgid":704)")},
      {"Comm", MessageOfKind(EventKind::kComm),
       Line("comm", R"("process_pid":801,"process_tgid":802,"comm":"a name")")},
      {"Coredump", MessageOfKind(EventKind::kCoredump),
       Line("coredump", R"("process_pid":901,"process_tgid":902,"parent_pid":903,"parent_tgid":904)")},
      {"Unknown", MessageOfKind(EventKind::kUnknown),
       Line("unknown", R"("what":1024,"payload":"f0f1f2f3f4f5f6f7e0e1e2e3e4e5e6e7d0d1d2d3d4d5d6d7")")},
      {"UnknownAndEmpty", MessageOf({.what = 0x400, .body = UnknownBody{}}),
       R"({"event":"unknown","cpu":0,"timestamp_ns":0,"seq":0,"what":1024,"payload":""})"},
      {"Bounds",
       MessageOf({.sequence = UINT32_MAX,
                  .what = wire::kWhatFork,
                  .cpu = kNoCpu,
                  .timestamp_ns = UINT64_MAX,
                  .body = ForkBody{{-1, INT32_MIN}, {INT32_MAX, 0}}}),
       R"({"event":"fork","cpu":4294967295,"timestamp_ns":18446744073709551615,"seq":4294967295,"parent_pid":-1,)"
       R"("parent_tgid":-2147483648,"child_pid":2147483647,"child_tgid":0})"},
  };
}

std::vector<Row> FormattedExitRows() {
  return {
      {"Success", ExitWith(0), Exit(0, R"("status":0)")},
      {"Status", ExitWith(0xff00), Exit(0xff00, R"("status":255)")},
      {"Killed", ExitWith(9), Exit(9, R"("signal":9,"core_dumped":false)")},
      {"Dumped", ExitWith(0x86), Exit(0x86, R"("signal":6,"core_dumped":true)")},
      {"UndefinedBits", ExitWith(0xffff0102), Exit(0xffff0102, R"("signal":2,"core_dumped":false)")},
  };
}

std::vector<Row> NameRows() {
  return {
      {"Plain", CommWith("bash"), Comm("bash")},
      {"Empty", CommWith(""), Comm("")},
      {"FifteenBytes", CommWith("kworker/0:1-eve"), Comm("kworker/0:1-eve")},
      {"MultibyteCharacters", CommWith("é€🐧"), Comm("é€🐧")},
      {"Quotes", CommWith("a\"b\\c"), Comm(R"(a\"b\\c)")},
      {"Escapes", CommWith("a\\x0a"), Comm(R"(a\\x0a)")},
      {"NoUtf8", CommWith("a\xff"), Comm(R"(a\\xff)", "61ff0000000000000000000000000000")},
      {"CutCharacter", CommWith("123456789abcd\xe2\x82"),
       Comm(R"(123456789abcd\\xe2\\x82)", "31323334353637383961626364e28200")},
      {"Control", CommWith("a\nb"), Comm(R"(a\\x0ab)", "610a6200000000000000000000000000")},
      {"FormatCharacter", CommWith("a\u202eb"), Comm(R"(a\\xe2\\x80\\xaeb)", "61e280ae620000000000000000000000")},
      {"BytesAfterNul", CommWith("ab\0cd"sv), Comm("ab", "61620063640000000000000000000000")},
      {"LastByteAfterNul", CommWith("ab\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"sv),
       Comm("ab", "61620000000000000000000000000001")},
      {"NoNul", CommWith("0123456789abcdef"), Comm("0123456789abcde", "30313233343536373839616263646566")},
  };
}

std::vector<Row> NonEventRows() {
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
      {"KernelLowestErrno",
       {.outcome = DecodeOutcome::kKernelError, .kernel_errno = INT32_MIN},
       R"({"error":"kernel","errno":-2147483648})"},
      {"ReservedType", {.outcome = DecodeOutcome::kReservedType}, R"({"error":"reserved_type"})"},
      {"WrongLength", {.outcome = DecodeOutcome::kWrongLength}, R"({"error":"wrong_length"})"},
  };
}

class JsonLineTest : public testing::TestWithParam<Row> {};

TEST_P(JsonLineTest, FormatsMessage) { EXPECT_EQ(FormatJsonLine(GetParam().message), GetParam().line); }

TEST_P(JsonLineTest, ParsesToTheSameMessage) {
  const auto datagram = ParseJsonLine(GetParam().line);
  ASSERT_TRUE(datagram) << Describe(datagram.error());
  const std::vector<Message> messages = DecodeAll(datagram.value());
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(FormatJsonLine(messages[0]), GetParam().line);
}

constexpr auto kRowName = [](const auto& row) { return row.param.name; };
INSTANTIATE_TEST_SUITE_P(Events, JsonLineTest, testing::ValuesIn(EventRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Exits, JsonLineTest, testing::ValuesIn(FormattedExitRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Names, JsonLineTest, testing::ValuesIn(NameRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(NonEvents, JsonLineTest, testing::ValuesIn(NonEventRows()), kRowName);

// A parsed line gives the bytes that the kernel would have sent.
TEST(JsonLineTest, ParsesToTheBytesOfTheEncoder) {
  for (const NamedEvent& row : OneOfEachKind()) {
    Event event = row.event;
    event.acknowledged = event.kind() == EventKind::kAck ? event.acknowledged : 0;  // only the line of an ACK has it
    event.what =
        event.kind() == EventKind::kExit ? wire::kWhatExit : event.what;  // the lines of both exit types are equal
    const auto datagram = ParseJsonLine(FormatJsonLine(MessageOf(row.event)));
    ASSERT_TRUE(datagram.ok()) << row.name;
    EXPECT_EQ(ToHex(datagram.value()), ToHex(EncodeEvent(event))) << row.name;
  }
}

}  // namespace

}  // namespace procevent
