#include "core/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace procevent {
namespace {

TEST(ErrorTest, DescribesOperationCauseAndRemedy) {
  EXPECT_EQ(Describe(Error{"bind the connector socket", EPERM, "run as root"}),
            "cannot bind the connector socket: Operation not permitted; run as root");
}

TEST(ErrorTest, OmitsMissingParts) {
  EXPECT_EQ(Describe(Error{"subscribe to process events", "not the host's PID namespace", "run with --pid host"}),
            "cannot subscribe to process events: not the host's PID namespace; run with --pid host");
  EXPECT_EQ(Describe(Error{"open a file", ENOENT}), "cannot open a file: No such file or directory");
  EXPECT_EQ(Describe(Error{"subscribe", 0}), "cannot subscribe");
}

TEST(ErrorTest, DescribesObjectErrnoTextAndDetails) {
  const Error error{"read", {EIO, "truncated packet"}, "copy it again", "/tmp/x.pcap", "12 of 40 bytes"};
  EXPECT_EQ(Describe(error),
            "cannot read /tmp/x.pcap: Input/output error: truncated packet (12 of 40 bytes); copy it again");
  EXPECT_EQ(DescribeFinding(error), "cannot read /tmp/x.pcap: Input/output error: truncated packet (12 of 40 bytes)");
  EXPECT_EQ(DescribeCauseAndRemedy(error), "Input/output error: truncated packet (12 of 40 bytes); copy it again");
}

TEST(ResultTest, HoldsValueOrError) {
  const Result<std::string> good(std::string("value"));
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good.value(), "value");
  const Result<std::string> bad(Error{"read a file", EIO});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(), (Error{"read a file", EIO}));
}

TEST(ResultTest, MovesValueOut) {
  Result<std::string> result(std::string(100, 'x'));
  const std::string taken = std::move(result).value();
  EXPECT_EQ(taken.size(), 100U);
}

}  // namespace
}  // namespace procevent
