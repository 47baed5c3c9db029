// Writes text to the standard output and error, and reports failures.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace procevent {

// Writes all of `text`, and retries after EINTR.
Status WriteAll(int fd, std::string_view text);

// Prints to the standard output. Returns `code`, or prints an error and returns 1 if that fails.
int PrintWithExitCode(int code, std::string_view text);

// Prints `procevent_exporter: <message>` to the standard error. A failure is ignored.
void PrintError(std::string_view message);
// Prints an error of a line of an input as it is: it begins with the input and the number of the line.
void PrintLineError(std::string_view error);

// Buffers lines for the standard output and writes them in blocks.
class LineOutput {
 public:
  // Ignores SIGPIPE from here on. While `interrupt_fd` is readable, a write that would block is abandoned. -1: none.
  explicit LineOutput(int interrupt_fd = -1);

  // The text that is not yet written. Callers append to it.
  std::string& text() { return text_; }

  // Returns false if the reading end was closed, or after a failure, which was printed. Nothing is written after that.
  bool Flush();
  bool FlushWhenLarge();
  // From this time on, a write that would block is abandoned, as after an interrupt.
  void SetDeadline(std::uint64_t monotonic_ns) { deadline_ns_ = monotonic_ns; }
  [[nodiscard]] bool open() const { return state_ == State::kOpen; }
  [[nodiscard]] bool failed() const { return state_ == State::kFailed; }

 private:
  enum class State : std::uint8_t { kOpen, kClosed, kFailed };

  [[nodiscard]] bool WaitUntilWritable() const;

  int interrupt_fd_;
  std::uint64_t deadline_ns_ = std::numeric_limits<std::uint64_t>::max();
  std::string text_;
  State state_ = State::kOpen;
};

// Opens /dev/null for each closed standard descriptor, so that no socket gets its number. Reads from the standard input
// and writes to the others still fail.
void ReserveStandardDescriptors();

}  // namespace procevent
