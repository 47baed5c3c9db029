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
namespace {

std::string_view FindRemedy(int code) {
  switch (code) {
    case EBADF:
      return "it is closed: open or redirect it";
    case ENOSPC:
    case EDQUOT:
      return "free disk space, or redirect it to another disk";
    default:
      return "redirect it to a file";
  }
}

}  // namespace

Status WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      const int code = errno;
      return Error{"write to the standard output", code, FindRemedy(code)};
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return Success{};
}

int PrintWithExitCode(int code, std::string_view text) {
  if (const Status written = WriteAll(STDOUT_FILENO, text); !written) {
    PrintError(Describe(written.error()));
    return 1;
  }
  return code;
}

void PrintError(std::string_view message) { PrintLineError("procevent_exporter: " + std::string(message)); }

// If this fails too, the exit code alone reports the error.
void PrintLineError(std::string_view error) { static_cast<void>(WriteAll(STDERR_FILENO, std::string(error) + '\n')); }

LineOutput::LineOutput(int interrupt_fd) : interrupt_fd_(interrupt_fd) {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
}

bool LineOutput::Flush() {
  // A pipe that is writable at all takes PIPE_BUF bytes without blocking.
  const std::size_t max_bytes = interrupt_fd_ < 0 ? text_.size() : std::size_t{PIPE_BUF};
  for (std::string_view rest = text_; open() && !rest.empty(); rest.remove_prefix(std::min(max_bytes, rest.size()))) {
    if (interrupt_fd_ >= 0 && !WaitUntilWritable()) {
      state_ = State::kClosed;
      break;
    }
    const Status written = WriteAll(STDOUT_FILENO, rest.substr(0, max_bytes));
    if (!written && written.error().cause.code == EPIPE) {
      state_ = State::kClosed;  // the reading end, for example `head`, has ended: no error
    } else if (!written) {
      state_ = State::kFailed;
      PrintError(Describe(written.error()));
    }
  }
  text_.clear();
  return open();
}

// Returns false if the interrupt or the deadline came first.
bool LineOutput::WaitUntilWritable() const {
  while (true) {
    const std::uint64_t now = MonotonicNanos();
    std::array<pollfd, 2> entries{pollfd{STDOUT_FILENO, POLLOUT, 0}, pollfd{interrupt_fd_, POLLIN, 0}};
    ::poll(entries.data(), entries.size(), MillisUntil(deadline_ns_, now));
    if (entries[0].revents != 0 || entries[1].revents != 0 || now >= deadline_ns_) {
      return entries[0].revents != 0;
    }
  }
}

bool LineOutput::FlushWhenLarge() {
  constexpr std::size_t kBlockBytes = 64U << 10U;
  return text_.size() < kBlockBytes ? open() : Flush();
}

void ReserveStandardDescriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) < 0) {
      // open() returns the lowest free number, which is `fd`. The access mode is the opposite one, so that using it
      // still fails. No O_CLOEXEC, as for standard descriptors.
      static_cast<void>(::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY));
    }
  }
}

}  // namespace procevent
