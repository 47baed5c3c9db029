#include "cmd/watch/event_printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/wire.h"

// The text of each event line, byte for byte.
namespace procevent {
namespace {

struct Row {
  std::string name;
  Event event;
  ProcessDetails details;
  std::string line;  // after the time
};

Event EventWith(const Event::Body& body) { return {.body = body}; }

CommBody CommOf(const Task& task, std::string_view name) {
  CommBody body{.task = task};
  std::ranges::copy(name, body.comm.begin());
  return body;
}

ProcessDetails Bash() {
  return {.command = CommName("bash"), .previous_command = {}, .user = "root", .ended = false, .lifetime_ns = {}};
}

ProcessDetails Ended(std::uint64_t lifetime_ns) {
  ProcessDetails details = Bash();
  details.ended = true;
  details.lifetime_ns = lifetime_ns;
  return details;
}

ProcessDetails RenamedFrom(std::string_view name) {
  ProcessDetails details = Bash();
  details.previous_command = CommName(name);
  return details;
}

std::string Line(std::string_view event, std::string_view pid, std::string_view what, std::string_view seconds = "",
                 std::string_view command = "bash", std::string_view user = "root") {
  const auto pad_right = [](std::string_view text, std::size_t width) {
    return std::string(text) + std::string(width - std::min(width, text.size()), ' ');
  };
  const auto pad_left = [](std::string_view text, std::size_t width) {
    return std::string(width - std::min(width, text.size()), ' ') + std::string(text);
  };
  return ' ' + pad_right(event, 9) + pad_left(pid, 7) + ' ' + pad_right(what, 30) + ' ' + pad_left(seconds, 9) + ' ' +
         pad_right(command, 15) + ' ' + std::string(user) + '\n';
}

std::vector<Row> Rows() {
  constexpr std::uint64_t kMilli = 1'000'000;
  const std::vector<std::byte> payload(5);
  return {
      {"Fork", EventWith(ForkBody{{12, 12}, {13, 13}}), Bash(), Line("fork", "12", "-> 13")},
      {"ForkByThread", EventWith(ForkBody{{14, 12}, {13, 13}}), Bash(), Line("fork", "12", "thread 14: -> 13")},
      {"Thread", EventWith(ForkBody{{1, 1}, {13, 12}}), Bash(), Line("fork", "12", "-> thread 13")},
      {"Exec", EventWith(ExecBody{{12, 12}}), Bash(), Line("exec", "12", "executes")},
      {"ExecByThread", EventWith(ExecBody{{13, 12}}), Bash(), Line("exec", "12", "thread 13: executes")},
      {"Exit", EventWith(ExitBody{{12, 12}, 0, 17, {1, 1}}), Ended(1234 * kMilli),
       Line("exit", "12", "status 0", "1.234")},
      {"ExitAfterTenSeconds", EventWith(ExitBody{{12, 12}, 0x300, 17, {1, 1}}), Ended(12'345 * kMilli),
       Line("exit", "12", "status 3", "12.35")},
      {"Killed", EventWith(ExitBody{{12, 12}, 9, 17, {1, 1}}), Ended(0),
       Line("exit", "12", "killed by SIGKILL", "0.000")},
      {"Dumped", EventWith(ExitBody{{12, 12}, 0x8b, 17, {1, 1}}), Ended(kMilli),
       Line("exit", "12", "killed by SIGSEGV, core dumped", "0.001")},
      {"ExitOfUnknownProcess",
       EventWith(ExitBody{{12, 12}, 0, 17, {1, 1}}),
       {.command = {}, .previous_command = {}, .user = "", .ended = true, .lifetime_ns = {}},
       Line("exit", "12", "status 0", "", "-", "-")},
      {"ExitOfThread", EventWith(ExitBody{{13, 12}, 0, 17, {1, 1}}), Bash(), Line("exit", "12", "thread 13: status 0")},
      {"ExitOfLastThread", EventWith(ExitBody{{13, 12}, 0, 17, {1, 1}}), Ended(kMilli),
       Line("exit", "12", "status 0", "0.001")},
      {"ExitOfMainThreadBeforeOthers", EventWith(ExitBody{{12, 12}, 0, 17, {1, 1}}), Bash(),
       Line("exit", "12", "first thread: status 0")},
      {"Uid", EventWith(UidBody{{12, 12}, 1000, 1000}), Bash(), Line("uid", "12", "user 1000")},
      {"EffectiveUid", EventWith(UidBody{{12, 12}, 1000, 0}), Bash(), Line("uid", "12", "user 1000, effective 0")},
      {"Gid", EventWith(GidBody{{13, 12}, 0, 5}), Bash(), Line("gid", "12", "thread 13: group 0, effective 5")},
      {"Sid", EventWith(SidBody{{12, 12}}), Bash(), Line("sid", "12", "new session")},
      {"Attached", EventWith(PtraceBody{{12, 12}, {21, 20}}), Bash(), Line("ptrace", "12", "traced by 20")},
      {"Detached", EventWith(PtraceBody{{12, 12}, {0, 0}}), Bash(), Line("ptrace", "12", "no longer traced")},
      {"Comm", EventWith(CommOf({12, 12}, "bash")), RenamedFrom("sh"), Line("comm", "12", "sh -> bash")},
      {"CommOfUnknownProcess", EventWith(CommOf({12, 12}, "bash")), Bash(), Line("comm", "12", "- -> bash")},
      {"CommOfThread", EventWith(CommOf({13, 12}, "worker")), Bash(), Line("comm", "12", "thread 13: -> worker")},
      {"HostileComm", EventWith(CommOf({12, 12}, "\x1b[2J\n\xff")), RenamedFrom("\x9b\r"),
       Line("comm", "12", R"(\x9b\x0d -> \x1b[2J\x0a\xff)")},
      {"HostileCommand",
       EventWith(SidBody{{12, 12}}),
       {.command = CommName("\x1b]0;x\x07"), .previous_command = {}, .user = "u", .ended = false, .lifetime_ns = {}},
       Line("sid", "12", "new session", "", R"(\x1b]0;x\x07)", "u")},
      {"CommandThatIsWideWhenEscaped",
       EventWith(SidBody{{12, 12}}),
       {.command = CommName("\x01\x02\x03\x04\x05"),
        .previous_command = {},
        .user = "u",
        .ended = false,
        .lifetime_ns = {}},
       Line("sid", "12", "new session", "", R"(\x01\x02\x03\x04\x05)", "u")},
      {"Coredump", EventWith(CoredumpBody{{12, 12}, {1, 1}}), Bash(), Line("coredump", "12", "dumps core")},
      {"Ack", EventWith(AckBody{0}), {}, Line("ack", "-", "a subscription is acknowledged", "", "-", "-")},
      {"AckWithError", EventWith(AckBody{22}), {}, Line("ack", "-", "a subscription fails: errno 22", "", "-", "-")},
      {"Unknown",
       {.what = 1024, .body = UnknownBody{payload}},
       {},
       Line("unknown", "-", "type 1024, 5 bytes", "", "-", "-")},
      {"Wide",
       EventWith(ForkBody{{4194303, 2147483647}, {2147483646, 2147483646}}),
       {.command = CommName("123456789abcdef"),
        .previous_command = {},
        .user = "a.long.user",
        .ended = false,
        .lifetime_ns = {}},
       Line("fork", "2147483647", "thread 4194303: -> 2147483646", "", "123456789abcdef", "a.long.user")},
  };
}

class EventLineTest : public testing::TestWithParam<Row> {};
TEST_P(EventLineTest, FormatsEvent) {
  EXPECT_EQ(FormatEventLine("11:05:14.123", GetParam().event, GetParam().details), "11:05:14.123" + GetParam().line);
}
INSTANTIATE_TEST_SUITE_P(Events, EventLineTest, testing::ValuesIn(Rows()),
                         [](const auto& row) { return row.param.name; });

TEST(EventLineTest, AlignsWithHeader) {
  EXPECT_EQ(FormatEventHeader() +
                FormatEventLine("11:05:14.123", EventWith(ExitBody{{12, 12}, 0, 17, {1, 1}}), Ended(1'234'000'000)),
            "Time         Event        PID What                             Seconds Command         User\n"
            "11:05:14.123 exit          12 status 0                           1.234 bash            root\n");
}

TEST(EventLineTest, FormatsLoss) {
  EXPECT_EQ(FormatLossLine(153, 1), "-- 153 events lost on CPU 1 --\n");
  EXPECT_EQ(FormatLossLine(1, 0), "-- 1 event lost on CPU 0 --\n");
}

using testing::ElementsAre;
using testing::IsEmpty;

CommBody CommEvent(std::int32_t pid, std::string_view name) {
  CommBody body{.task = {pid, pid}};
  std::ranges::copy(name, body.comm.begin());
  return body;
}

const ForkBody kFork{{2'000'000'000, 2'000'000'000}, {2'000'000'001, 2'000'000'001}};

// Tests which events are printed, and what is printed between them. /proc is absent, so all names come from events.
class EventPrinterTest : public testing::Test {
 protected:
  void Start(const WatchOptions& options) {
    printer_.emplace(
        options, [](const CommBody& comm) { return comm.task.pid == 77; },
        WatchedStream{.processes = {.proc = "/no/such/proc"}});
  }

  // Returns the printed lines, without the time and with single spaces between the columns.
  std::vector<std::string> Print(const Event::Body& body, std::uint32_t sequence,
                                 std::uint64_t time_ns = 1'000'000'000) {
    return PrintMessage({.outcome = DecodeOutcome::kEvent,
                         .event = {.sequence = sequence, .what = 1, .cpu = 0, .timestamp_ns = time_ns, .body = body}});
  }
  std::vector<std::string> PrintMessage(const Message& message) {
    std::string out;
    printer_->Print(message, 0, out);
    std::vector<std::string> lines;
    for (std::size_t end = 0; (end = out.find('\n')) != std::string::npos; out.erase(0, end + 1)) {
      const std::string words = std::regex_replace(out.substr(0, end), std::regex(" +"), " ");
      lines.push_back(std::regex_replace(words, std::regex("^[0-9:.]{12} "), ""));
    }
    return lines;
  }

  std::optional<EventPrinter> printer_;
};

TEST_F(EventPrinterTest, LearnsNamesFromEvents) {
  Start({});
  EXPECT_THAT(Print(CommEvent(2'000'000'000, "parent"), 1), ElementsAre("comm 2000000000 - -> parent parent -"));
  EXPECT_THAT(Print(kFork, 2), ElementsAre("fork 2000000000 -> 2000000001 parent -"));
  EXPECT_THAT(Print(CommEvent(2'000'000'001, "child"), 3), ElementsAre("comm 2000000001 parent -> child child -"));
  EXPECT_THAT(Print(ExitBody{{2'000'000'001, 2'000'000'001}, 256, 17, {1, 1}}, 4, 1'250'000'000),
              ElementsAre("exit 2000000001 status 1 0.250 child -"));
}

TEST_F(EventPrinterTest, AttributesThreadsToTheirProcess) {
  Start({});
  Print(CommEvent(2'000'000'000, "parent"), 1);
  Print(kFork, 2);
  EXPECT_THAT(Print(ForkBody{{1, 1}, {2'000'000'002, 2'000'000'001}}, 3),
              ElementsAre("fork 2000000001 -> thread 2000000002 parent -"));
  EXPECT_THAT(Print(ExitBody{{2'000'000'001, 2'000'000'001}, 0, 17, {1, 1}}, 4),
              ElementsAre("exit 2000000001 first thread: status 0 parent -"));
  EXPECT_THAT(Print(ExitBody{{2'000'000'002, 2'000'000'001}, 0, 17, {1, 1}}, 5, 1'500'000'000),
              ElementsAre("exit 2000000001 status 0 0.500 parent -"));
}

TEST_F(EventPrinterTest, PrintsLossesInPlace) {
  Start({});
  EXPECT_THAT(Print(SidBody{{1, 2'000'000'000}}, 10), ElementsAre(testing::StartsWith("sid")));
  EXPECT_THAT(Print(SidBody{{1, 2'000'000'000}}, 164),
              ElementsAre("-- 153 events lost on CPU 0 --", testing::StartsWith("sid")));
  EXPECT_THAT(Print(SidBody{{1, 2'000'000'000}}, 165), ElementsAre(testing::StartsWith("sid")));
}

TEST_F(EventPrinterTest, ForgetsNamesAfterLoss) {
  Start({});
  Print(CommEvent(2'000'000'000, "parent"), 1);
  EXPECT_THAT(Print(SidBody{{2'000'000'000, 2'000'000'000}}, 3),
              ElementsAre("-- 1 event lost on CPU 0 --", "sid 2000000000 new session - -"));
}

TEST_F(EventPrinterTest, IgnoresDuplicates) {
  Start({});
  EXPECT_THAT(Print(kFork, 5), ElementsAre(testing::_));
  EXPECT_THAT(Print(kFork, 5), IsEmpty());
}

TEST_F(EventPrinterTest, FiltersByType) {
  EventTypes types{};
  types.at(static_cast<std::size_t>(EventKind::kSid)) = true;
  Start({.types = types});
  EXPECT_THAT(Print(CommEvent(2'000'000'000, "parent"), 1), IsEmpty());
  EXPECT_THAT(Print(SidBody{{2'000'000'000, 2'000'000'000}}, 2), ElementsAre("sid 2000000000 new session parent -"))
      << "filtered events still update the names";
  EXPECT_THAT(Print(CommEvent(2'000'000'000, "other"), 5), ElementsAre("-- 2 events lost on CPU 0 --"));
}

TEST_F(EventPrinterTest, PrintsAcksOnlyOnRequest) {
  Start({});
  EXPECT_THAT(Print(AckBody{}, 1), IsEmpty());
  EventTypes types{};
  types.at(static_cast<std::size_t>(EventKind::kAck)) = true;
  Start({.types = types});
  EXPECT_THAT(Print(AckBody{}, 1), ElementsAre("ack - a subscription is acknowledged - -"));
}

TEST_F(EventPrinterTest, FiltersByCommand) {
  Start({.command = "p*[st]"});
  EXPECT_THAT(Print(SidBody{{2'000'000'000, 2'000'000'000}}, 1), IsEmpty()) << "the command is unknown";
  EXPECT_THAT(Print(CommEvent(2'000'000'000, "parent"), 2), ElementsAre(testing::_));
  EXPECT_THAT(Print(SidBody{{2'000'000'000, 2'000'000'000}}, 3), ElementsAre(testing::_));
  EXPECT_THAT(Print(CommEvent(2'000'000'000, "pari"), 4), ElementsAre(testing::_)) << "the previous command matches";
  EXPECT_THAT(Print(SidBody{{2'000'000'000, 2'000'000'000}}, 5), IsEmpty());
}

TEST_F(EventPrinterTest, HidesCanaryEvents) {
  Start({});
  EXPECT_THAT(Print(CommEvent(77, "watch"), 1), IsEmpty());
  EXPECT_THAT(Print(CommEvent(77, "watch"), 4), ElementsAre("-- 2 events lost on CPU 0 --"))
      << "a hidden event still reveals a loss";
}

TEST_F(EventPrinterTest, PrintsJson) {
  Start({.json = true});
  std::string out;
  EXPECT_FALSE(printer_->Begin(out)) << "there is no /proc";
  EXPECT_EQ(out, "");
  Print(CommEvent(2'000'000'000, "a\x01"), 1);
  const std::string head = R"({"event":"sid","cpu":0,"timestamp_ns":1000000000,"seq":)";
  const std::string body = R"(,"process_pid":2000000000,"process_tgid":2000000000)";
  EXPECT_THAT(Print(SidBody{{2'000'000'000, 2'000'000'000}}, 2),
              ElementsAre(head + "2" + body + R"(,"command":"a\\x01"})"));
  EXPECT_THAT(Print(SidBody{{2'000'000'000, 2'000'000'000}}, 4),
              ElementsAre(R"({"lost":1,"cpu":0})", head + "4" + body + "}"));
  EXPECT_THAT(PrintMessage({.outcome = DecodeOutcome::kOverrun}), ElementsAre(R"({"error":"overrun"})"));
}

TEST_F(EventPrinterTest, PrintsMessagesThatAreNoEvent) {
  Start({});
  EXPECT_THAT(PrintMessage({.outcome = DecodeOutcome::kOverrun}),
              ElementsAre(R"(-- not an event: {"error":"overrun"} --)"));
  EXPECT_THAT(PrintMessage({.outcome = DecodeOutcome::kControl}), IsEmpty());
}

}  // namespace

}  // namespace procevent
