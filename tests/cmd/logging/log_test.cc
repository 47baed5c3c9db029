#include "cmd/logging/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/fatal_error.h"
#include "core/base/file_descriptor.h"
#include "core/base/text.h"
#include "tests/cmd/logging/log_matchers.h"

namespace procevent {

namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using std::chrono::system_clock;
using testing::AllOf;

constexpr system_clock::time_point kNoon{milliseconds(1'795'262'400'007)};

struct Row {
  const char* name;
  std::string text;
  std::string quoted;
};

class LogLineTest : public testing::TestWithParam<Row> {};

TEST_P(LogLineTest, QuotesTheTextInBothFormats) {
  EXPECT_EQ(FormatLogLine(LogFormat::kLogfmt, kNoon, {LogLevel::kInfo, GetParam().text}),
            "ts=2026-11-21T12:00:00.007Z level=info msg=" + GetParam().quoted + "\n");
  EXPECT_EQ(FormatLogLine(LogFormat::kJson, kNoon, {LogLevel::kWarning, GetParam().text}),
            R"({"ts":"2026-11-21T12:00:00.007Z","level":"warning","msg":)" + GetParam().quoted + "}\n");
}

TEST_P(LogLineTest, QuotesTextFieldsInBothFormats) {
  const std::vector<LogField> fields{{"addr", GetParam().text}, {"lost", std::uint64_t{153}}};
  EXPECT_EQ(FormatLogLine(LogFormat::kLogfmt, kNoon, {LogLevel::kInfo, "a", fields}),
            "ts=2026-11-21T12:00:00.007Z level=info msg=\"a\" addr=" + GetParam().quoted + " lost=153\n");
  EXPECT_EQ(
      FormatLogLine(LogFormat::kJson, kNoon, {LogLevel::kInfo, "a", fields}),
      R"({"ts":"2026-11-21T12:00:00.007Z","level":"info","msg":"a","addr":)" + GetParam().quoted + ",\"lost\":153}\n");
}

INSTANTIATE_TEST_SUITE_P(
    Rows, LogLineTest,
    testing::Values(Row{"Plain", "serving metrics", R"("serving metrics")"}, Row{"Empty", "", R"("")"},
                    Row{"QuoteAndBackslash", R"(a "b" \c)", R"("a \"b\" \\c")"},
                    Row{"LineEnds", "a\nb\r\n", R"("a\nb\u000d\n")"}, Row{"Tab", "a\tb", R"("a\u0009b")"},
                    Row{"Nul", "a\0b"s, R"("a\u0000b")"}, Row{"Escape", "\x1b[2J", R"("\u001b[2J")"},
                    Row{"Delete", "\x7f", R"("\u007f")"}, Row{"C1Control", "\xC2\x85", R"("\u0085")"},
                    Row{"LineSeparator", "\xE2\x80\xA8", R"("\u2028")"}, Row{"Utf8", "grüße €😀", R"("grüße €😀")"},
                    Row{"InvalidUtf8", "a\xFF\xC3", R"("a\ufffd\ufffd")"}),
    [](const auto& row) { return row.param.name; });

TEST(LogLineTest, NamesEveryLevel) {
  EXPECT_NE(FormatLogLine(LogFormat::kLogfmt, kNoon, {LogLevel::kDebug, ""}).find("level=debug "), std::string::npos);
  EXPECT_NE(FormatLogLine(LogFormat::kLogfmt, kNoon, {LogLevel::kError, ""}).find("level=error "), std::string::npos);
}

TEST(LogLineTest, FormatsTimesBeforeTheEpoch) {
  EXPECT_EQ(FormatLogLine(LogFormat::kLogfmt, system_clock::time_point(milliseconds(-1)), {LogLevel::kInfo, ""}),
            "ts=1969-12-31T23:59:59.999Z level=info msg=\"\"\n");
}

TEST(LogLineTest, FormatsTheLargestNumber) {
  EXPECT_EQ(FormatLogLine(LogFormat::kLogfmt, kNoon, {LogLevel::kInfo, "a", {{"n", ~std::uint64_t{0}}}}),
            "ts=2026-11-21T12:00:00.007Z level=info msg=\"a\" n=18446744073709551615\n");
}

TEST(LogLineTest, FormatsFlagsWithoutQuotes) {
  const LogMessage message{LogLevel::kInfo, "a", {Flag("loop", true), Flag("ok", false), Text("word", "true")}};
  EXPECT_EQ(FormatLogLine(LogFormat::kLogfmt, kNoon, message),
            "ts=2026-11-21T12:00:00.007Z level=info msg=\"a\" loop=true ok=false word=\"true\"\n");
  EXPECT_EQ(FormatLogLine(LogFormat::kJson, kNoon, message),
            R"({"ts":"2026-11-21T12:00:00.007Z","level":"info","msg":"a","loop":true,"ok":false,"word":"true"})"
            "\n");
}

TEST(ErrorMessageTest, HasErrnoInTextAndAsField) {
  EXPECT_THAT(MakeErrorMessage(LogLevel::kWarning, {"bind the connector socket", EPERM, "add CAP_NET_ADMIN"}),
              AllOf(HasLevel(LogLevel::kWarning),
                    SaysText("cannot bind the connector socket: Operation not permitted; add CAP_NET_ADMIN"),
                    HasFields({Text("err", "Operation not permitted")})));
}

TEST(ErrorMessageTest, LeavesOutAnUnknownErrno) {
  const LogMessage message = MakeErrorMessage(LogLevel::kError, Error{"subscribe", 0});
  EXPECT_EQ(message.text, "cannot subscribe");
  EXPECT_THAT(message.fields, testing::IsEmpty());
}

// Parses a quoted text as a JSON reader does. Bytes after the closing quote stay in `rest`.
std::string Unquote(std::string_view& rest) {
  std::string text;
  for (rest.remove_prefix(1); rest.front() != '"'; rest.remove_prefix(1)) {
    if (rest.front() != '\\') {
      text += rest.front();
      continue;
    }
    rest.remove_prefix(1);
    if (rest.front() == 'n') {
      text += '\n';
    } else if (rest.front() == 'u') {
      text += "<" + std::string(rest.substr(1, 4)) + ">";
      rest.remove_prefix(4);
    } else {
      text += rest.front();
    }
  }
  rest.remove_prefix(1);
  return text;
}

// The slow reference implementation of the text that Unquote returns.
std::string ExpectedText(std::string_view message) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  while (!message.empty()) {
    const std::size_t length = Utf8Length(message);
    const bool kept = message.front() == '\n' || (length > 0 && IsPrintable(message, length));
    if (kept) {
      text += message.substr(0, length);
    } else {
      const char32_t point = length == 0 ? 0xFFFD : CodePoint(message, length);
      // JSON escapes a code point beyond 16 bits as two surrogates.
      const std::u32string units =
          point <= 0xFFFF ? std::u32string{point}
                          : std::u32string{0xD800 + ((point - 0x10000) >> 10U), 0xDC00 + ((point - 0x10000) & 0x3FFU)};
      for (const char32_t unit : units) {
        text +=
            {'<', kDigits[unit >> 12U], kDigits[unit >> 8U & 15U], kDigits[unit >> 4U & 15U], kDigits[unit & 15U], '>'};
      }
    }
    message.remove_prefix(length == 0 ? 1 : length);
  }
  return text;
}

TEST(LogLineTest, AnyTextCanBeParsedBack) {
  constexpr std::string_view kBefore = R"({"ts":"2026-11-21T12:00:00.007Z","level":"info","msg":)";
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string message(random() % 30, '\0');
    for (char& c : message) {
      c = random() % 3 == 0 ? "\"\\\n\xE2\x80\xA8\xC2\x85"[random() % 8] : static_cast<char>(random());
    }
    const std::string line = FormatLogLine(LogFormat::kJson, kNoon, {LogLevel::kInfo, message});
    ASSERT_TRUE(line.starts_with(kBefore)) << line;
    std::string_view rest = std::string_view(line).substr(kBefore.size());
    ASSERT_EQ(Unquote(rest), ExpectedText(message)) << line;
    ASSERT_EQ(rest, "}\n");
    ASSERT_EQ(line.find('\n'), line.size() - 1);
  }
}

const std::vector<std::string> kLongTexts{std::string(5000, 'x'), std::string(5000, '\0'), std::string(5000, '"')};

TEST(LogLineTest, CutsALongText) {
  for (const std::string& text : kLongTexts) {
    const std::string line = FormatLogLine(LogFormat::kJson, kNoon, {LogLevel::kWarning, text});
    EXPECT_LE(line.size(), kMaxLineBytes);
    EXPECT_TRUE(line.ends_with("...\"}\n"));
  }
}

TEST(LogLineTest, CutsLongFieldsAndKeepsTheText) {
  for (const std::string& text : kLongTexts) {
    const std::vector<LogField> fields(kMaxLogFields, {"unsubscribed_ms", text});
    const std::string line = FormatLogLine(LogFormat::kJson, kNoon, {LogLevel::kWarning, "events lost" + text, fields});
    EXPECT_LE(line.size(), kMaxLineBytes);
    EXPECT_THAT(line, testing::HasSubstr("\"msg\":\"events lost"));
    EXPECT_TRUE(line.ends_with("...\"}\n"));
  }
}

// A line with one field has room for the keys of a whole configuration, and one with two for 16 addresses.
TEST(LogLineTest, KeepsALongFieldWhereOthersAreFew) {
  for (const auto& [count, bytes] : {std::pair(1, 1700), std::pair(2, 850), std::pair(6, 256)}) {
    const std::string text(static_cast<std::size_t>(bytes), 'x');
    const std::vector<LogField> fields(static_cast<std::size_t>(count), Text("keys", text));
    const std::string line = FormatLogLine(LogFormat::kJson, kNoon, {LogLevel::kWarning, std::string(80, 'y'), fields});
    EXPECT_LE(line.size(), kMaxLineBytes);
    EXPECT_TRUE(line.ends_with(text + "\"}\n")) << count;
    EXPECT_EQ(line.find("..."), std::string::npos) << count;
  }
}

using testing::EndsWith;
using testing::HasSubstr;

class LogTest : public testing::Test {
 protected:
  LogTest() {
    std::array<int, 2> pipe_fds{-1, -1};
    EXPECT_EQ(::pipe(pipe_fds.data()), 0);  // the write end is in blocking mode
    reader_.Reset(pipe_fds[0]);
    writer_.Reset(pipe_fds[1]);
    EXPECT_EQ(::fcntl(reader_.get(), F_SETFL, O_NONBLOCK), 0);
  }

  [[nodiscard]] std::string ReadAll() const {
    std::string text;
    std::array<char, 4096> part{};
    for (ssize_t got = 0; (got = ::read(reader_.get(), part.data(), part.size())) > 0;) {
      text.append(part.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

  // Fills the pipe until not even one byte fits.
  void Fill() const {
    ASSERT_EQ(::fcntl(writer_.get(), F_SETFL, O_NONBLOCK), 0);
    for (std::string part(4096, '.'); !part.empty(); part.resize(part.size() / 2)) {
      while (::write(writer_.get(), part.data(), part.size()) > 0) {
      }
    }
    ASSERT_EQ(::fcntl(writer_.get(), F_SETFL, 0), 0);
  }

  OwnedFd reader_;
  OwnedFd writer_;
};

TEST_F(LogTest, WritesALineImmediately) {
  const Log log(LogOptions{}, writer_.get());
  log.Write({LogLevel::kInfo, "hello", {{"cpu", std::uint64_t{1}}}});
  EXPECT_THAT(ReadAll(), testing::MatchesRegex("ts=....-..-..T..:..:..\\....Z level=info msg=\"hello\" cpu=1\n"));
}

TEST_F(LogTest, InterpretsNoFormatPattern) {
  const Log log(LogOptions{}, writer_.get());
  log.Write({LogLevel::kInfo, "{} {0} %v %s"});
  EXPECT_THAT(ReadAll(), EndsWith("msg=\"{} {0} %v %s\"\n"));
}

TEST_F(LogTest, WritesNothingBelowItsLevel) {
  const Log log({LogLevel::kWarning, LogFormat::kJson}, writer_.get());
  log.Write({LogLevel::kDebug, "a"});
  log.Write({LogLevel::kInfo, "b"});
  EXPECT_EQ(ReadAll(), "");
  log.Write({LogLevel::kWarning, "c"});
  EXPECT_THAT(ReadAll(), EndsWith("\"level\":\"warning\",\"msg\":\"c\"}\n"));
  log.Write({LogLevel::kError, "d"});
  EXPECT_THAT(ReadAll(), EndsWith("\"level\":\"error\",\"msg\":\"d\"}\n"));
}

TEST_F(LogTest, WritesEverythingAtDebug) {
  const Log log({LogLevel::kDebug, LogFormat::kLogfmt}, writer_.get());
  log.Write({LogLevel::kDebug, "a"});
  EXPECT_THAT(ReadAll(), HasSubstr("level=debug msg=\"a\""));
}

TEST_F(LogTest, DropsLinesThatWouldBlockAndReportsTheirNumber) {
  const Log log(LogOptions{}, writer_.get());
  Fill();
  for (int i = 0; i < 3; ++i) {
    log.Write({LogLevel::kInfo, "lost"});  // a blocking write would hang here
  }
  EXPECT_THAT(ReadAll(), testing::Not(HasSubstr("lost")));
  log.Write({LogLevel::kInfo, "written"});
  EXPECT_THAT(ReadAll(), testing::MatchesRegex(".* level=warning msg=\"log lines dropped[^\"]*\" dropped=3\n"
                                               ".* level=info msg=\"written\"\n"));
  log.Write({LogLevel::kInfo, "next"});
  EXPECT_THAT(ReadAll(), testing::Not(HasSubstr("dropped")));
}

using testing::StartsWith;

TEST(FatalMessageTest, NamesTheRemedyForBadAlloc) {
  const auto remedy = SaysText(
      "cannot continue: not enough memory; with the defaults 64 MiB are enough: raise ulimit -v and -d (systemd: "
      "LimitAS, LimitDATA), or lower processes.limit");
  EXPECT_THAT(MakeFatalMessage(std::bad_alloc()), AllOf(HasLevel(LogLevel::kError), remedy));
  EXPECT_THAT(MakeFatalMessage(std::bad_array_new_length()), remedy);
}

TEST(FatalMessageTest, HasTheErrnoAsFieldWhereThereIsOne) {
  const FatalError fatal({"create an eventfd", EMFILE, "raise the limit of open files (ulimit -n)"});
  EXPECT_THAT(MakeFatalMessage(fatal),
              AllOf(HasLevel(LogLevel::kError), SaysText("cannot create an eventfd: Too many open files; raise "),
                    HasFields({Text("err", "Too many open files")})));
  EXPECT_EQ(MakeFatalMessage(fatal).text, fatal.what());
  EXPECT_THAT(MakeFatalMessage(std::runtime_error("cannot listen; stop the other program")),
              AllOf(HasLevel(LogLevel::kError), SaysText("cannot listen; stop the other program"), HasFields({})));
}

}  // namespace

}  // namespace procevent
