#include "core/sources/procfs/proc_reader.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "core/base/system.h"

namespace procevent {
namespace {

constexpr std::size_t kTextBytes = 2048;  // stat and what matters of status fit well

// Processes of others that are always there. A security policy may keep the first from everybody.
constexpr std::int32_t kInit = 1;
constexpr std::int32_t kKthreadd = 2;

Error WhyUnseen(int code) {
  constexpr std::string_view kSee = "see the processes of others in /proc";
  if (code == EMFILE || code == ENFILE) {
    return {kSee, code, "raise the limit of open files (ulimit -n); until then programs stay without names"};
  }
  if (code != ENOENT && code != EPERM && code != EACCES) {
    return {kSee, code, "until it can be read programs stay without names"};
  }
  return {kSee, 0,
          "it is mounted with hidepid: mount it without, or give the exporter the group of its gid= option; until "
          "then programs stay without names"};
}

bool Exists(std::int32_t tgid) { return ::kill(tgid, 0) == 0 || errno != ESRCH; }

}  // namespace

ProcPids::ProcPids(const char* path)
    : directory_(::opendir(path)),
      open_errno_(directory_ ? 0 : errno),
      nanos_per_tick_(kNanosPerSecond / static_cast<std::uint64_t>(std::max(::sysconf(_SC_CLK_TCK), 1L))) {}

Status ProcPids::Check() const {
  if (!directory_) {
    return Error{"open /proc", open_errno_, "mount it; without it programs stay without names"};
  }
  Sighting other;
  if (SeeName(kInit, other) == Look::kSeen || SeeName(kKthreadd, other) == Look::kSeen) {
    return Success{};
  }
  if (::faccessat(::dirfd(directory_.get()), "self", F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
    return Error{"find processes in /proc", errno, "mount it; without it programs stay without names"};
  }
  const OwnedFd fd(::openat(::dirfd(directory_.get()), "1/stat", O_RDONLY | O_CLOEXEC));
  return WhyUnseen(fd.valid() ? 0 : errno);
}

ProcPids::Look ProcPids::SeeName(std::int32_t tgid, Sighting& sighting) const {
  std::array<char, kTextBytes> buffer{};
  std::string_view text;
  std::uint64_t ticks = 0;
  sighting = {};
  if (const Look look = Read(tgid, "stat", buffer, text); look != Look::kSeen) {
    return look;
  }
  if (!ParseProcStat(text, sighting, ticks)) {
    return Look::kHidden;
  }
  if (const Look look = Read(tgid, "statm", buffer, text); look != Look::kSeen) {
    return look;
  }
  if (!ParseProcStatm(text, sighting)) {
    return Look::kHidden;
  }
  // Starts are told in the time since boot, which goes on while the machine sleeps; events in time that does not.
  sighting.tgid = tgid;
  sighting.taken_ns = MonotonicNanos();
  const std::uint64_t asleep = NanosOf(CLOCK_BOOTTIME) - sighting.taken_ns;
  const std::uint64_t since_boot = ticks * nanos_per_tick_;
  sighting.start_ns = since_boot > asleep ? since_boot - asleep : 0;
  return Look::kSeen;
}

// A thread's number leads to a folder, too, though the list does not show it.
ProcPids::Look ProcPids::See(std::int32_t tgid, Sighting& sighting) const {
  std::array<char, kTextBytes> buffer{};
  std::string_view text;
  if (const Look look = SeeName(tgid, sighting); look != Look::kSeen) {
    return look;
  }
  if (const Look look = Read(tgid, "status", buffer, text); look != Look::kSeen) {
    return look;
  }
  if (!ParseProcStatus(text, sighting)) {
    return Look::kHidden;
  }
  sighting.taken_ns = MonotonicNanos();
  return sighting.tgid == tgid ? Look::kSeen : Look::kGone;
}

std::size_t ProcPids::List(std::span<std::int32_t> tgids) {
  std::size_t count = 0;
  while (directory_ && count < tgids.size()) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this thread's alone
    const dirent* const entry = ::readdir(directory_.get());
    if (entry == nullptr) {
      break;
    }
    const std::string_view name = entry->d_name;
    std::int32_t tgid = 0;
    if (const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), tgid);
        error == std::errc() && end == name.data() + name.size() && tgid > 0) {
      tgids[count++] = tgid;
    }
  }
  if (directory_ && count == 0) {
    ::rewinddir(directory_.get());
  }
  return count;
}

ProcPids::Look ProcPids::Read(std::int32_t tgid, std::string_view file, std::span<char> buffer,
                              std::string_view& text) const {
  if (!directory_) {
    return Look::kHidden;
  }
  std::array<char, 32> path{};
  char* end = std::to_chars(path.data(), path.data() + path.size(), tgid).ptr;
  *end++ = '/';
  std::ranges::copy(file, end);
  const OwnedFd fd(::openat(::dirfd(directory_.get()), path.data(), O_RDONLY | O_CLOEXEC));
  const ssize_t bytes = fd.valid() ? ::read(fd.get(), buffer.data(), buffer.size()) : -1;
  if (bytes < 0) {
    const bool vanished = errno == ENOENT || errno == ESRCH;
    return vanished && !Exists(tgid) ? Look::kGone : Look::kHidden;
  }
  text = {buffer.data(), static_cast<std::size_t>(bytes)};
  return Look::kSeen;
}

}  // namespace procevent
