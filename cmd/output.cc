#include "cmd/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>

#include "core/base/owned_fd.h"

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

int PrintAndExitWith(int code, std::string_view text) {
  if (const Status written = WriteAll(STDOUT_FILENO, text); !written) {
    // Where this line cannot be written either, the exit code is all that is left.
    static_cast<void>(WriteAll(STDERR_FILENO, "procevent_exporter: " + Describe(written.error()) + '\n'));
    return 1;
  }
  return code;
}

void OpenStandardDescriptors() {
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDWR);  // the lowest that is free; it stays open, without CLOEXEC as they are
  } while (fd >= 0 && fd <= STDERR_FILENO);
  const OwnedFd one_too_many(fd);
}

}  // namespace procevent
