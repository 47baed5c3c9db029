#include "core/base/ascii.h"

#include <gtest/gtest.h>

#include <cctype>

namespace procevent {
namespace {

// In the locale that tests run in, "C", the library's functions mean ASCII.
TEST(AsciiTest, AgreesWithTheLibraryOnEveryByte) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    EXPECT_EQ(IsAlphanumeric(c), std::isalnum(byte) != 0) << byte;
    EXPECT_EQ(Small(c), static_cast<char>(std::tolower(byte))) << byte;
    EXPECT_EQ(Capital(c), static_cast<char>(std::toupper(byte))) << byte;
  }
}

}  // namespace
}  // namespace procevent
