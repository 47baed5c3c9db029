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
#include "config/yaml/config_error.h"
#include "config/yaml/yaml_node.h"
#include "core/base/file_descriptor.h"

namespace procevent {

namespace {

constexpr std::size_t kMostBytes = 1U << 20U;

ReadFileResult Refused(std::string found, std::string allowed) { return {{}, std::move(found), std::move(allowed)}; }

std::string Kind(mode_t mode) {
  if (S_ISDIR(mode)) {
    return "a directory";
  }
  if (S_ISFIFO(mode)) {
    return "a FIFO";
  }
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

ReadFileResult CannotOpen(int code) {
  const std::string found = "no way to open it (" + std::generic_category().message(code) + ")";
  switch (code) {
    case EACCES:
    case EPERM:
      return Refused(found,
                     "a file that the user it runs as may read, without the privileges given up at the start: chmod or "
                     "chown it");
    case ENOENT:
    case ENOTDIR:
      return Refused(found, "the path of an existing file");
    default:
      return Refused(found, "a readable file");
  }
}

}  // namespace

ReadFileResult ReadWholeFile(const std::string& path) {
  // O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever.
  const OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) {
    return CannotOpen(errno);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return CannotOpen(errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return Refused(Kind(status.st_mode), "a regular file");
  }
  std::string text(kMostBytes + 1, '\0');  // one byte more tells a file that is too large
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Refused("no way to read it (" + std::generic_category().message(errno) + ")", "a readable file");
    }
    if (got == 0) {
      break;
    }
    size += static_cast<std::size_t>(got);
  }
  if (size > kMostBytes) {
    return Refused("more than 1MiB", "a file of at most 1MiB");
  }
  text.resize(size);
  return {std::move(text), {}, {}};
}

namespace {

constexpr std::size_t kMostNameBytes = 256;
constexpr std::size_t kMostFaults = 100;

}  // namespace

LoadedConfig LoadConfig(std::string_view text, std::string_view file_name) {
  const std::string file = EscapeUnprintable(file_name, kMostNameBytes);
  YamlDocument document = ParseYaml(text, file);
  std::vector<ConfigError> faults = std::move(document.faults);
  EffectiveConfig effective;
  if (document.whole) {
    for (ConfigError& fault : CheckTree(document.root, file, effective)) {
      faults.push_back(std::move(fault));
    }
  }
  if (faults.empty()) {
    return effective;
  }
  std::ranges::stable_sort(faults, {}, &ConfigError::place);
  if (faults.size() > kMostFaults) {
    const std::size_t more = faults.size() - kMostFaults;
    faults.resize(kMostFaults);
    faults.push_back({file, {}, {}, "at least " + std::to_string(more) + " faults more", "none"});
  }
  return faults;
}

LoadedConfig LoadConfigFile(const std::string& path) {
  const ReadFileResult read = ReadWholeFile(path);
  if (!read.found.empty()) {
    return std::vector<ConfigError>{{EscapeUnprintable(path, kMostNameBytes), {}, {}, read.found, read.allowed}};
  }
  return LoadConfig(read.text, path);
}

}  // namespace procevent
