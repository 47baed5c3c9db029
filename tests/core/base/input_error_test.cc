#include "core/base/input_error.h"

#include <gtest/gtest.h>

namespace procevent {
namespace {

TEST(InputErrorTest, DescribesAllParts) {
  EXPECT_EQ(Describe(InputError{"f.yml", {12, 5}, "log.level", InvalidValue("loud"), "debug or info"}),
            R"(f.yml:12:5: log.level: invalid value "loud": expected debug or info)");
  EXPECT_EQ(Describe(InputError{"f.yml", {}, {}, "cannot open the file", {}}), "f.yml: cannot open the file");
  EXPECT_EQ(Describe(InputError{{}, {}, "--log.level", "missing value", "debug or info"}),
            "--log.level: missing value: expected debug or info");
  EXPECT_EQ(Describe(InputError{.file = "f.json", .position = {.line = 7}, .problem = "line too long"}),
            "f.json:7: line too long");
}

}  // namespace
}  // namespace procevent
