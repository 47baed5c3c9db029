// Which events are shown, and what between them. No /proc is there: only events tell who is who.
#include "cmd/event_printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace procevent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

CommBody Renaming(std::int32_t pid, std::string_view name) {
  CommBody body{.task = {pid, pid}};
  std::ranges::copy(name, body.comm.begin());
  return body;
}

const ForkBody kFork{{2'000'000'000, 2'000'000'000}, {2'000'000'001, 2'000'000'001}};

class EventPrinterTest : public testing::Test {
 protected:
  void Order(const WatchOrder& order) {
    printer_.emplace(
        order, [](const CommBody& comm) { return comm.task.pid == 77; }, ProcessTableOptions{.proc = "/nowhere"});
  }

  // What is printed of it; of the columns only words with single blanks between them, and no time.
  std::vector<std::string> Print(const Event::Body& body, std::uint32_t sequence,
                                 std::uint64_t time_ns = 1'000'000'000) {
    return PrintMessage({.outcome = Outcome::kEvent,
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

TEST_F(EventPrinterTest, KnowsWhoItIsByTheEvents) {
  Order({});
  EXPECT_THAT(Print(Renaming(2'000'000'000, "parent"), 1), ElementsAre("comm 2000000000 - -> parent parent -"));
  EXPECT_THAT(Print(kFork, 2), ElementsAre("fork 2000000000 -> 2000000001 parent -"));
  EXPECT_THAT(Print(Renaming(2'000'000'001, "child"), 3), ElementsAre("comm 2000000001 parent -> child child -"));
  EXPECT_THAT(Print(ExitBody{{2'000'000'001, 2'000'000'001}, 256, 17, {1, 1}}, 4, 1'250'000'000),
              ElementsAre("exit 2000000001 status 1 0.250 child -"));
}

TEST_F(EventPrinterTest, ThreadsAreTheirProcesss) {
  Order({});
  Print(Renaming(2'000'000'000, "parent"), 1);
  Print(kFork, 2);
  EXPECT_THAT(Print(ForkBody{{1, 1}, {2'000'000'002, 2'000'000'001}}, 3),
              ElementsAre("fork 2000000001 -> thread 2000000002 parent -"));
  EXPECT_THAT(Print(ExitBody{{2'000'000'001, 2'000'000'001}, 0, 17, {1, 1}}, 4),
              ElementsAre("exit 2000000001 first thread: status 0 parent -"));
  EXPECT_THAT(Print(ExitBody{{2'000'000'002, 2'000'000'001}, 0, 17, {1, 1}}, 5, 1'500'000'000),
              ElementsAre("exit 2000000001 status 0 0.500 parent -"));
}

TEST_F(EventPrinterTest, LossesStandWhereTheyWere) {
  Order({});
  EXPECT_THAT(Print(SidBody{{1, 2'000'000'000}}, 10), ElementsAre(testing::StartsWith("sid")));
  EXPECT_THAT(Print(SidBody{{1, 2'000'000'000}}, 164),
              ElementsAre("-- 153 events lost on CPU 0 --", testing::StartsWith("sid")));
  EXPECT_THAT(Print(SidBody{{1, 2'000'000'000}}, 165), ElementsAre(testing::StartsWith("sid")));
}

TEST_F(EventPrinterTest, AfterALossNamesAreInDoubt) {
  Order({});
  Print(Renaming(2'000'000'000, "parent"), 1);
  EXPECT_THAT(Print(SidBody{{2'000'000'000, 2'000'000'000}}, 3),
              ElementsAre("-- 1 event lost on CPU 0 --", "sid 2000000000 new session - -"));
}

TEST_F(EventPrinterTest, WhatCameBeforeIsNotShownTwice) {
  Order({});
  EXPECT_THAT(Print(kFork, 5), ElementsAre(testing::_));
  EXPECT_THAT(Print(kFork, 5), IsEmpty());
}

TEST_F(EventPrinterTest, ShowsTheTypesThatWereAskedFor) {
  EventTypes types{};
  types.at(static_cast<std::size_t>(EventKind::kSid)) = true;
  Order({.types = types});
  EXPECT_THAT(Print(Renaming(2'000'000'000, "parent"), 1), IsEmpty());
  EXPECT_THAT(Print(SidBody{{2'000'000'000, 2'000'000'000}}, 2), ElementsAre("sid 2000000000 new session parent -"))
      << "what is not shown counts, too";
  EXPECT_THAT(Print(Renaming(2'000'000'000, "other"), 5), ElementsAre("-- 2 events lost on CPU 0 --"));
}

TEST_F(EventPrinterTest, AcksAreForWhoAsksForThem) {
  Order({});
  EXPECT_THAT(Print(AckBody{}, 1), IsEmpty());
  EventTypes types{};
  types.at(static_cast<std::size_t>(EventKind::kAck)) = true;
  Order({.types = types});
  EXPECT_THAT(Print(AckBody{}, 1), ElementsAre("ack - a subscription is acknowledged - -"));
}

TEST_F(EventPrinterTest, ShowsTheCommandsThatWereAskedFor) {
  Order({.command = "p*[st]"});
  EXPECT_THAT(Print(SidBody{{2'000'000'000, 2'000'000'000}}, 1), IsEmpty()) << "unknown";
  EXPECT_THAT(Print(Renaming(2'000'000'000, "parent"), 2), ElementsAre(testing::_));
  EXPECT_THAT(Print(SidBody{{2'000'000'000, 2'000'000'000}}, 3), ElementsAre(testing::_));
  EXPECT_THAT(Print(Renaming(2'000'000'000, "pari"), 4), ElementsAre(testing::_)) << "that is how it was called";
  EXPECT_THAT(Print(SidBody{{2'000'000'000, 2'000'000'000}}, 5), IsEmpty());
}

TEST_F(EventPrinterTest, ItsOwnEchoIsNotShown) {
  Order({});
  EXPECT_THAT(Print(Renaming(77, "watch"), 1), IsEmpty());
  EXPECT_THAT(Print(Renaming(77, "watch"), 4), ElementsAre("-- 2 events lost on CPU 0 --")) << "but it tells of losses";
}

TEST_F(EventPrinterTest, PrintsJson) {
  Order({.json = true});
  std::string out;
  EXPECT_FALSE(printer_->Begin(out)) << "nobody is to be seen";
  EXPECT_EQ(out, "");
  Print(Renaming(2'000'000'000, "a\x01"), 1);
  const std::string head = R"({"event":"sid","cpu":0,"timestamp_ns":1000000000,"seq":)";
  const std::string body = R"(,"process_pid":2000000000,"process_tgid":2000000000)";
  EXPECT_THAT(Print(SidBody{{2'000'000'000, 2'000'000'000}}, 2),
              ElementsAre(head + "2" + body + R"(,"command":"a\\x01"})"));
  EXPECT_THAT(Print(SidBody{{2'000'000'000, 2'000'000'000}}, 4),
              ElementsAre(R"({"lost":1,"cpu":0})", head + "4" + body + "}"));
  EXPECT_THAT(PrintMessage({.outcome = Outcome::kOverrun}), ElementsAre(R"({"error":"overrun"})"));
}

TEST_F(EventPrinterTest, TellsWhatIsNoEvent) {
  Order({});
  EXPECT_THAT(PrintMessage({.outcome = Outcome::kOverrun}), ElementsAre(R"(-- no event: {"error":"overrun"} --)"));
  EXPECT_THAT(PrintMessage({.outcome = Outcome::kControl}), IsEmpty());
}

}  // namespace
}  // namespace procevent
