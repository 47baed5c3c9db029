#include "cmd/open_files.h"

#include <sys/resource.h>

#include <algorithm>

namespace procevent {

namespace {

constexpr rlim_t kLeast = 16;  // 12 of our own, an address, a scrape, and the service manager's socket

}  // namespace

bool TooFewOpenFiles() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < kLeast;
}

std::optional<std::string> RaiseOpenFiles() {
  constexpr rlim_t kPlenty = 4096;
  constexpr rlim_t kNeeded = 400;  // the connections that are served and those that queue, and some for ourselves
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return std::nullopt;
  }
  rlimit raised = limit;
  raised.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kPlenty));
  if (raised.rlim_cur != limit.rlim_cur && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
    limit = raised;
  }
  if (limit.rlim_cur >= kNeeded) {
    return std::nullopt;
  }
  return "only " + std::to_string(limit.rlim_cur) + " files may be open, " +
         (limit.rlim_cur < kLeast ? "too few to serve" : "so that many clients at once can hold up scrapes") +
         "; raise the limit of open files (ulimit -n) to " + std::to_string(kNeeded) + " or more";
}

}  // namespace procevent
