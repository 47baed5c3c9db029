#include "core/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace procevent {
namespace {

TEST(ErrorTest, DescribesOperationCauseAndRemedy) {
  EXPECT_EQ(Describe({"bind the connector socket", EPERM, "run as root"}),
            "cannot bind the connector socket: Operation not permitted; run as root");
}

TEST(ErrorTest, OmitsMissingCauseOrRemedy) {
  EXPECT_EQ(Describe({"subscribe to process events", 0, "run with --pid host"}),
            "cannot subscribe to process events: run with --pid host");
  EXPECT_EQ(Describe({"open a file", ENOENT, ""}), "cannot open a file: No such file or directory");
}

TEST(ResultTest, HoldsValueOrError) {
  const Result<std::string> good(std::string("value"));
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good.value(), "value");
  const Result<std::string> bad(Error{"read a file", EIO, ""});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(), (Error{"read a file", EIO, ""}));
}

TEST(ResultTest, MovesValueOut) {
  Result<std::string> result(std::string(100, 'x'));
  const std::string taken = std::move(result).value();
  EXPECT_EQ(taken.size(), 100U);
}

}  // namespace
}  // namespace procevent
