#include "cmd/open_files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <string>

namespace procevent {
namespace {

struct Row {
  const char* name;
  rlim_t soft;
  rlim_t hard;
  rlim_t raised;
  bool warns;
  bool too_few = false;
};

class OpenFilesTest : public testing::TestWithParam<Row> {};

// In a process of its own: a hard limit does not come back.
TEST_P(OpenFilesTest, AreRaisedAsFarAsTheyMayBe) {
  const auto scenario = [row = GetParam()] {
    rlimit limit{row.soft, row.hard};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
      std::_Exit(1);
    }
    const auto warning = RaiseOpenFiles();
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur != row.raised || limit.rlim_max != row.hard) {
      std::_Exit(2);
    }
    const std::string told = "only " + std::to_string(row.raised) + " files may be open, " +
                             (row.too_few ? "too few to serve; " : "so that many clients ");
    if (TooFewOpenFiles() != row.too_few) {
      std::_Exit(4);
    }
    const bool as_told = !warning || (warning->starts_with(told) && warning->find("(ulimit -n)") != std::string::npos);
    std::_Exit(warning.has_value() == row.warns && as_told ? 0 : 3);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(Rows, OpenFilesTest,
                         testing::Values(Row{"TooFew", 6, 15, 15, true, true},
                                         Row{"JustEnoughToStart", 6, 16, 16, true}, Row{"Few", 64, 64, 64, true},
                                         Row{"JustTooFew", 100, 399, 399, true}, Row{"Enough", 100, 400, 400, false},
                                         Row{"Raised", 100, 1000, 1000, false},
                                         Row{"EnoughAlready", 900, 900, 900, false}),
                         [](const auto& row) { return row.param.name; });

// How far a hard limit allows it is this machine's to say.
TEST(OpenFilesBoundTest, AreNotRaisedWithoutBound) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max <= 4096) {
    GTEST_SKIP() << "the hard limit of open files is not over 4096";
  }
  const auto raised_from = [limit](rlim_t soft) {
    rlimit now{soft, limit.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &now);
    RaiseOpenFiles();
    ::getrlimit(RLIMIT_NOFILE, &now);
    return now.rlim_cur;
  };
  const auto scenario = [&] { std::_Exit(raised_from(256) == 4096 && raised_from(4097) == 4097 ? 0 : 1); };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace procevent
