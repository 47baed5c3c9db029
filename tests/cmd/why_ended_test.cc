#include "cmd/why_ended.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

namespace procevent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST(WhyEndedTest, IsWhatTheFaultSays) {
  const std::runtime_error fault("cannot listen; stop the other program");
  EXPECT_STREQ(WhyEnded(fault), "cannot listen; stop the other program");
}

TEST(WhyEndedTest, OfWantOfMemoryNamesTheRemedy) {
  const auto remedy = AllOf(StartsWith("not enough memory; "), HasSubstr("64 MiB"), HasSubstr("ulimit -v"),
                            HasSubstr("processes.limit"));
  EXPECT_THAT(WhyEnded(std::bad_alloc()), remedy);
  EXPECT_THAT(WhyEnded(std::bad_array_new_length()), remedy);
}

}  // namespace
}  // namespace procevent
