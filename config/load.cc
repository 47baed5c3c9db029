#include "config/load.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>

#include "config/schema/validator.h"
#include "config/yaml/yaml_node.h"
#include "core/base/file_descriptor.h"
#include "core/base/input_error.h"
#include "core/base/text.h"

namespace procevent {

namespace {

constexpr std::size_t kMaxFileBytes = 1U << 20U;
constexpr std::size_t kMaxNameBytes = 256;
constexpr std::size_t kMaxErrors = 100;

std::string_view FileKind(mode_t mode) {
  if (S_ISDIR(mode)) {
    return "it is a directory";
  }
  if (S_ISFIFO(mode)) {
    return "it is a FIFO";
  }
  return S_ISSOCK(mode) ? "it is a socket" : "it is a device";
}

Error CannotOpen(int code) {
  switch (code) {
    case EACCES:
    case EPERM:
      return {"open the file", code,
              "make it readable (chmod, chown) for the exporter's user, which has no privileges after start-up"};
    case ENOENT:
    case ENOTDIR:
      return {"open the file", code, "give the path of an existing file"};
    default:
      return {"open the file", code, "give a readable file"};
  }
}

Error CannotRead(Cause cause, std::string_view remedy) { return {"read the file", cause, remedy}; }

Result<std::string> ReadWholeFile(const std::string& path) {
  // O_NONBLOCK: opening a FIFO without a writer would block forever.
  const OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) {
    return CannotOpen(errno);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return CannotOpen(errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return CannotRead(FileKind(status.st_mode), "give a regular file");
  }
  std::string text(kMaxFileBytes + 1, '\0');  // one byte more, to detect a file that is too large
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(fd.get(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return CannotRead(errno, "give a readable file");
    }
    if (count == 0) {
      break;
    }
    size += static_cast<std::size_t>(count);
  }
  if (size > kMaxFileBytes) {
    return CannotRead("it is larger than 1MiB", "give a smaller file");
  }
  text.resize(size);
  return text;
}

}  // namespace

LoadedConfig LoadConfig(std::string_view text, std::string_view file_name) {
  const std::string file = EscapeUnprintable(file_name, kMaxNameBytes);
  YamlDocument document = ParseYaml(text, file);
  InputErrors errors = std::move(document.errors);
  EffectiveConfig effective;
  if (document.complete) {
    std::ranges::move(CheckTree(document.root, file, effective), std::back_inserter(errors));
  }
  if (errors.empty()) {
    return effective;
  }
  std::ranges::stable_sort(errors, {}, &InputError::position);
  if (errors.size() > kMaxErrors) {
    const std::string more = std::to_string(errors.size() - kMaxErrors);
    errors.resize(kMaxErrors);
    errors.push_back({file, {}, {}, "at least " + more + " more errors; correct the errors above first", {}, true});
  }
  return errors;
}

LoadedConfig LoadConfigFile(const std::string& path) {
  const Result<std::string> text = ReadWholeFile(path);
  if (!text) {
    return InputErrors{{EscapeUnprintable(path, kMaxNameBytes), {}, {}, Describe(text.error()), {}}};
  }
  return LoadConfig(text.value(), path);
}

}  // namespace procevent
