#include "exporter/free_address.h"

#include <gtest/gtest.h>

#include <string>

namespace procevent {
namespace {

struct Row {
  std::string name;
  std::string cause;
  std::string line;
};

class CannotListenTest : public testing::TestWithParam<Row> {};

TEST_P(CannotListenTest, NamesTheRemedyOfWhatWasShort) {
  EXPECT_EQ(CannotListen(":1", GetParam().cause).what(), GetParam().line);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, CannotListenTest,
    testing::Values(Row{"AnAddress", "it is taken; choose another --web.listen-address",
                        "cannot listen on :1: it is taken; choose another --web.listen-address"},
                    Row{"Memory", "Not enough memory for worker thread ID array; choose another --web.listen-address",
                        "cannot listen on :1: Not enough memory for worker thread ID array; raise ulimit -v and -d "
                        "(systemd: LimitAS, LimitDATA)"},
                    Row{"MemoryAlone", "Cannot allocate memory",
                        "cannot listen on :1: Cannot allocate memory; raise ulimit -v and -d (systemd: LimitAS, "
                        "LimitDATA)"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace procevent
