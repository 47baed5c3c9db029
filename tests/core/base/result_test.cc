#include "core/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace procevent {
namespace {

TEST(ErrorTest, NamesOperationCauseAndRemedy) {
  EXPECT_EQ(Describe({"bind the connector socket", EPERM, "run as root"}),
            "cannot bind the connector socket: Operation not permitted; run as root");
}

TEST(ErrorTest, LeavesOutWhatThereIsNot) {
  EXPECT_EQ(Describe({"hear process events", 0, "run with --pid host"}),
            "cannot hear process events; run with --pid host");
  EXPECT_EQ(Describe({"open a file", ENOENT, ""}), "cannot open a file: No such file or directory");
}

TEST(ResultTest, HoldsAValueOrAnError) {
  const Result<std::string> good(std::string("value"));
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good.value(), "value");
  const Result<std::string> bad(Error{"try", EIO, ""});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(), (Error{"try", EIO, ""}));
}

TEST(ResultTest, GivesItsValueAway) {
  Result<std::string> result(std::string(100, 'x'));
  const std::string taken = std::move(result).value();
  EXPECT_EQ(taken.size(), 100U);
}

}  // namespace
}  // namespace procevent
