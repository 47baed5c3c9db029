#include "cmd/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

#include "core/base/owned_fd.h"

namespace procevent {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class LogTest : public testing::Test {
 protected:
  LogTest() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::pipe(ends.data()), 0);  // the end that is written to would block
    reader_.Reset(ends[0]);
    writer_.Reset(ends[1]);
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

  // Until not even one byte fits.
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

TEST_F(LogTest, WritesALineAtOnce) {
  const Log log(LogOptions{}, writer_.get());
  log.Say(LogLevel::kInfo, "hello");
  EXPECT_THAT(ReadAll(), testing::MatchesRegex("ts=....-..-..T..:..:..\\....Z level=info msg=\"hello\"\n"));
}

TEST_F(LogTest, TakesTextForNoPattern) {
  const Log log(LogOptions{}, writer_.get());
  log.Say(LogLevel::kInfo, "{} {0} %v %s");
  EXPECT_THAT(ReadAll(), EndsWith("msg=\"{} {0} %v %s\"\n"));
}

TEST_F(LogTest, SaysNothingBelowItsLevel) {
  const Log log({LogLevel::kWarning, LogFormat::kJson}, writer_.get());
  log.Say(LogLevel::kDebug, "a");
  log.Say(LogLevel::kInfo, "b");
  EXPECT_EQ(ReadAll(), "");
  log.Say(LogLevel::kWarning, "c");
  EXPECT_THAT(ReadAll(), EndsWith("\"level\":\"warning\",\"msg\":\"c\"}\n"));
  log.Say(LogLevel::kError, "d");
  EXPECT_THAT(ReadAll(), EndsWith("\"level\":\"error\",\"msg\":\"d\"}\n"));
}

TEST_F(LogTest, SaysAllAtDebug) {
  const Log log({LogLevel::kDebug, LogFormat::kLogfmt}, writer_.get());
  log.Say(LogLevel::kDebug, "a");
  EXPECT_THAT(ReadAll(), HasSubstr("level=debug msg=\"a\""));
}

TEST_F(LogTest, DropsWhatWouldBlockAndTellsHowMuch) {
  const Log log(LogOptions{}, writer_.get());
  Fill();
  for (int i = 0; i < 3; ++i) {
    log.Say(LogLevel::kInfo, "lost");  // would hang here
  }
  EXPECT_THAT(ReadAll(), testing::Not(HasSubstr("lost")));
  log.Say(LogLevel::kInfo, "heard");
  EXPECT_THAT(ReadAll(),
              testing::MatchesRegex(".* level=warning msg=\"lines that could not be written before this one: "
                                    "3\"\n.* level=info msg=\"heard\"\n"));
  log.Say(LogLevel::kInfo, "again");
  EXPECT_THAT(ReadAll(), testing::Not(HasSubstr("could not")));
}

}  // namespace
}  // namespace procevent
