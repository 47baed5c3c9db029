#include "cmd/cli/output.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <string>

#include "core/base/system.h"

namespace procevent {

Status WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return Error{"write to the standard output", errno, "redirect it to where there is room"};
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return Success{};
}

int PrintWithExitCode(int code, std::string_view text) {
  if (const Status written = WriteAll(STDOUT_FILENO, text); !written) {
    PrintError("procevent_exporter: " + Describe(written.error()));
    return 1;
  }
  return code;
}

// Where this cannot be written either, the exit code is all that is left.
void PrintError(std::string_view line) { static_cast<void>(WriteAll(STDERR_FILENO, std::string(line) + '\n')); }

LineOutput::LineOutput(int interrupt_fd) : interrupt_fd_(interrupt_fd) {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
}

bool LineOutput::Flush() {
  // A pipe that can be written to at all takes as much without making anybody wait.
  const std::size_t most = interrupt_fd_ < 0 ? text_.size() : std::size_t{PIPE_BUF};
  for (std::string_view rest = text_; open() && !rest.empty(); rest.remove_prefix(std::min(most, rest.size()))) {
    if (interrupt_fd_ >= 0 && !AwaitRoom()) {
      state_ = State::kClosed;
      break;
    }
    const Status written = WriteAll(STDOUT_FILENO, rest.substr(0, most));
    if (!written && written.error().code == EPIPE) {
      state_ = State::kClosed;  // who has seen enough is no fault
    } else if (!written) {
      state_ = State::kFailed;
      PrintError("procevent_exporter: " + Describe(written.error()));
    }
  }
  text_.clear();
  return open();
}

// False: the interrupt came first, or the end.
bool LineOutput::AwaitRoom() const {
  while (true) {
    const std::uint64_t now = MonotonicNanos();
    std::array<pollfd, 2> wanted{pollfd{STDOUT_FILENO, POLLOUT, 0}, pollfd{interrupt_fd_, POLLIN, 0}};
    ::poll(wanted.data(), wanted.size(), MillisUntil(give_up_ns_, now));
    if (wanted[0].revents != 0 || wanted[1].revents != 0 || now >= give_up_ns_) {
      return wanted[0].revents != 0;
    }
  }
}

bool LineOutput::FlushWhenLarge() {
  constexpr std::size_t kLarge = 64U << 10U;
  return text_.size() < kLarge ? open() : Flush();
}

void ReserveStandardDescriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) < 0) {
      // It is given the lowest number that is free, and is open the other way round, without CLOEXEC as they are.
      static_cast<void>(::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY));
    }
  }
}

}  // namespace procevent
