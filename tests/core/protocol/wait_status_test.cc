#include "core/protocol/wait_status.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <string_view>
#include <vector>

namespace procevent {
namespace {

struct Row {
  std::string_view name;
  std::uint32_t wait_status;
  WaitStatus expected;
};

TEST(WaitStatusTest, Table) {
  const std::vector<Row> rows{
      {"true", 0x0000, {}},
      {"false", 0x0100, {.status = 1}},
      {"command not found", 0x7f00, {.status = 127}},
      {"the highest status", 0xff00, {.status = 255}},
      {"bits above the status mean nothing", 0xffff0200, {.status = 2}},
      {"SIGHUP", 0x0001, {.signal = 1}},
      {"SIGKILL", 0x0009, {.signal = 9}},
      {"SIGTERM", 0x000f, {.signal = 15}},
      {"SIGSEGV, core dumped", 0x008b, {.signal = 11, .core_dumped = true}},
      {"SIGABRT, no core", 0x0006, {.signal = 6}},
      {"the last real-time signal", 0x0040, {.signal = 64}},
      {"a signal hides the status", 0x0509, {.signal = 9}},
      {"no core without a signal", 0x0380, {.status = 3}},
      {"stopped cannot be", 0x137f, {.signal = 127}},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(DecodeWaitStatus(row.wait_status), row.expected) << row.name;
  }
}

// The C library's macros say the same of every status that can be.
TEST(WaitStatusTest, AgreesWithTheCLibrary) {
  for (std::uint32_t raw = 0; raw <= 0xffff; ++raw) {
    const auto status = static_cast<int>(raw);
    const WaitStatus ours = DecodeWaitStatus(raw);
    if (WIFEXITED(status)) {
      ASSERT_EQ(ours, (WaitStatus{.status = static_cast<std::uint8_t>(WEXITSTATUS(status))})) << raw;
    } else if (WIFSIGNALED(status)) {
      const auto signal = static_cast<std::uint8_t>(WTERMSIG(status));
      ASSERT_EQ(ours, (WaitStatus{.signal = signal, .core_dumped = WCOREDUMP(status) != 0})) << raw;
    }
  }
}

}  // namespace
}  // namespace procevent
