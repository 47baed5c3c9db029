// Text for the standard output and error, whole or with the reason why not. Used by cmd outside of the log.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace procevent {

Status WriteAll(int fd, std::string_view text);

// Prints to the standard output: `code`, or 1 and a line on the standard error if that fails.
int PrintWithExitCode(int code, std::string_view text);

// A line for the standard error.
void PrintError(std::string_view line);

// Many lines for the standard output, written in blocks.
class LineOutput {
 public:
  // Ignores SIGPIPE from here on. Where `interrupt_fd` is given, and can be read from, nobody is waited for who does
  // not take what is written.
  explicit LineOutput(int interrupt_fd = -1);

  // What is not yet written: to be appended to.
  std::string& text() { return text_; }

  // False: nobody reads it any more, or it cannot be written, and that was told. Nothing more is written then.
  bool Flush();
  bool FlushWhenLarge();
  // When the clock of the machine's uptime says so, nobody is waited for any more, as after an interrupt.
  void SetDeadline(std::uint64_t monotonic_ns) { give_up_ns_ = monotonic_ns; }
  [[nodiscard]] bool open() const { return state_ == State::kOpen; }
  [[nodiscard]] bool failed() const { return state_ == State::kFailed; }

 private:
  enum class State : std::uint8_t { kOpen, kClosed, kFailed };

  [[nodiscard]] bool AwaitRoom() const;

  int interrupt_fd_;
  std::uint64_t give_up_ns_ = std::numeric_limits<std::uint64_t>::max();
  std::string text_;
  State state_ = State::kOpen;
};

// One that is closed stays closed for who reads or writes it, but no socket of ours can be given its number.
void ReserveStandardDescriptors();

}  // namespace procevent
