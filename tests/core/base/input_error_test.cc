#include "core/base/input_error.h"

#include <gtest/gtest.h>

namespace procevent {
namespace {

TEST(InputErrorTest, DescribesAllParts) {
  EXPECT_EQ(Describe({"f.yml", {12, 5}, "log.level", InvalidValue("loud"), "debug or info"}),
            R"(f.yml:12:5: log.level: invalid value "loud": expected debug or info)");
  EXPECT_EQ(Describe({"f.yml", {}, {}, "cannot open the file", {}}), "f.yml: cannot open the file");
  EXPECT_EQ(Describe({{}, {}, "--log.level", "missing value", "debug or info"}),
            "--log.level: missing value: expected debug or info");
}

}  // namespace
}  // namespace procevent
