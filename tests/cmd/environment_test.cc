#include "cmd/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace procevent {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Field;

auto Is(const char* name, const char* value) {
  return AllOf(Field(&Variable::name, name), Field(&Variable::value, value));
}

TEST(EnvironmentTest, HasWhatMayBeOurs) {
  ::setenv("PROCEVENT_TEST_ONE", "a=b", 1);
  ::setenv("procevent_test_two", "", 1);
  ::setenv("NO_PROCEVENT_TEST", "x", 1);
  const std::vector<Variable> variables = ReadEnvironment();
  EXPECT_THAT(variables, Contains(Is("PROCEVENT_TEST_ONE", "a=b")));
  EXPECT_THAT(variables, Contains(Is("procevent_test_two", "")));
  EXPECT_THAT(variables, Not(Contains(Field(&Variable::name, "NO_PROCEVENT_TEST"))));
  ::unsetenv("PROCEVENT_TEST_ONE");
  ::unsetenv("procevent_test_two");
  ::unsetenv("NO_PROCEVENT_TEST");
}

}  // namespace
}  // namespace procevent
