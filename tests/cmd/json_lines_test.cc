// What each message looks like as a line, byte by byte; and that each line comes back as it was.
#include "cmd/json_lines.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cmd/json_datagram.h"
#include "core/protocol/wire.h"
#include "tests/core/protocol/test_events.h"

namespace procevent {
namespace {

using namespace std::string_view_literals;

struct Row {
  std::string name;
  Message message;
  std::string line;
};

Message Of(const Event& event) { return {.outcome = Outcome::kEvent, .event = event}; }

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

std::vector<Row> EndingRows() {
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
      {"Noop", {.outcome = Outcome::kControl, .control = Control::kNoop}, R"({"control":"noop"})"},
      {"Done", {.outcome = Outcome::kControl, .control = Control::kDone}, R"({"control":"done"})"},
      {"Acknowledgement", {.outcome = Outcome::kAcknowledgement}, R"({"control":"ack"})"},
      {"NetlinkHeader", {.outcome = Outcome::kTruncatedNetlinkHeader}, R"({"error":"truncated","layer":"netlink"})"},
      {"ConnectorHeader",
       {.outcome = Outcome::kTruncatedConnectorHeader},
       R"({"error":"truncated","layer":"connector"})"},
      {"EventHeader", {.outcome = Outcome::kTruncatedEventHeader}, R"({"error":"truncated","layer":"header"})"},
      {"EventBody", {.outcome = Outcome::kTruncatedEventBody}, R"({"error":"truncated","layer":"body"})"},
      {"WrongConnector", {.outcome = Outcome::kForeignConnector}, R"({"error":"wrong_connector"})"},
      {"Overrun", {.outcome = Outcome::kOverrun}, R"({"error":"overrun"})"},
      {"Kernel", {.outcome = Outcome::kKernelError, .kernel_errno = 111}, R"({"error":"kernel","errno":111})"},
      {"KernelsLowest",
       {.outcome = Outcome::kKernelError, .kernel_errno = INT32_MIN},
       R"({"error":"kernel","errno":-2147483648})"},
      {"ReservedType", {.outcome = Outcome::kReservedType}, R"({"error":"reserved_type"})"},
      {"WrongLength", {.outcome = Outcome::kWrongLength}, R"({"error":"wrong_length"})"},
  };
}

class JsonLinesTest : public testing::TestWithParam<Row> {};

TEST_P(JsonLinesTest, IsThisLine) { EXPECT_EQ(JsonLineOf(GetParam().message), GetParam().line); }

TEST_P(JsonLinesTest, ComesBack) {
  const auto datagram = DatagramOf(GetParam().line);
  ASSERT_TRUE(std::holds_alternative<Bytes>(datagram)) << std::get<std::string>(datagram);
  const std::vector<Message> messages = DecodeAll(std::get<Bytes>(datagram));
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(JsonLineOf(messages[0]), GetParam().line);
}

constexpr auto kName = [](const auto& row) { return row.param.name; };
INSTANTIATE_TEST_SUITE_P(Events, JsonLinesTest, testing::ValuesIn(EventRows()), kName);
INSTANTIATE_TEST_SUITE_P(Endings, JsonLinesTest, testing::ValuesIn(EndingRows()), kName);
INSTANTIATE_TEST_SUITE_P(Names, JsonLinesTest, testing::ValuesIn(NameRows()), kName);
INSTANTIATE_TEST_SUITE_P(Others, JsonLinesTest, testing::ValuesIn(OtherRows()), kName);

// What is encoded is what the kernel would have sent.
TEST(JsonLinesTest, EncodesWhatTheEncoderWrites) {
  for (const NamedEvent& row : OneOfEachKind()) {
    Event event = row.event;
    event.acknowledged = event.kind() == EventKind::kAck ? event.acknowledged : 0;  // a line has it of an ACK alone
    event.what = event.kind() == EventKind::kExit ? wire::kWhatExit : event.what;   // there is one word for both
    const auto datagram = DatagramOf(JsonLineOf(Of(row.event)));
    ASSERT_TRUE(std::holds_alternative<Bytes>(datagram)) << row.name;
    EXPECT_EQ(ToHex(std::get<Bytes>(datagram)), ToHex(EncodeEvent(event))) << row.name;
  }
}

}  // namespace
}  // namespace procevent
