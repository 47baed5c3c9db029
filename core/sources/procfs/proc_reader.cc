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
#include "core/base/text.h"

namespace procevent {
namespace {

constexpr std::size_t kTextBytes = 2048;  // enough for stat and for the needed lines of status

// A process of another user that always exists, as kKthreadd. A security policy may hide process 1 from every process.
constexpr std::int32_t kInit = 1;

// Error for processes of other users that cannot be read, from the errno of opening /proc/1/stat.
Error MakeHiddenError(int code) {
  constexpr std::string_view kRead = "read the processes of other users in /proc";
  if (code == EMFILE || code == ENFILE) {
    return {kRead, code, "raise the limit of open files (ulimit -n); process names are unknown until then"};
  }
  if (code != ENOENT && code != EPERM && code != EACCES) {
    return {kRead, {code, "for /proc/1"}, "process names are unknown until then"};
  }
  return {kRead, "/proc is mounted with hidepid",
          "mount it without hidepid, run the exporter in the group of its gid= option, or "
          "start it with CAP_SYS_PTRACE; process names are unknown until then"};
}

bool Exists(std::int32_t tgid) { return ::kill(tgid, 0) == 0 || errno != ESRCH; }

}  // namespace

ProcPidReader::ProcPidReader(const char* path)
    : directory_(::opendir(path)),
      open_errno_(directory_ ? 0 : errno),
      nanos_per_tick_(kNanosPerSecond / static_cast<std::uint64_t>(std::max(::sysconf(_SC_CLK_TCK), 1L))) {}

Status ProcPidReader::CheckVisibility() const {
  if (!directory_) {
    return Error{"open /proc", open_errno_, "mount /proc; process names are unknown until then"};
  }
  ProcSnapshot other;
  if (ReadWithoutCredentials(kInit, other) == ReadStatus::kRead ||
      ReadWithoutCredentials(kKthreadd, other) == ReadStatus::kRead) {
    return Success{};
  }
  if (::faccessat(::dirfd(directory_.get()), "self", F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
    return Error{"find processes in /proc", errno, "mount /proc; process names are unknown until then"};
  }
  const OwnedFd fd(::openat(::dirfd(directory_.get()), "1/stat", O_RDONLY | O_CLOEXEC));
  return MakeHiddenError(fd.valid() ? 0 : errno);
}

template <typename Parse>
ProcPidReader::ReadStatus ProcPidReader::Read(std::int32_t tgid, std::string_view file, const Parse& parse) const {
  if (!directory_) {
    return ReadStatus::kHidden;
  }
  std::array<char, 32> path{};
  char* end = std::to_chars(path.data(), path.data() + path.size(), tgid).ptr;
  *end++ = '/';
  std::ranges::copy(file, end);
  std::array<char, kTextBytes> buffer{};
  const OwnedFd fd(::openat(::dirfd(directory_.get()), path.data(), O_RDONLY | O_CLOEXEC));
  const ssize_t bytes = fd.valid() ? ::read(fd.get(), buffer.data(), buffer.size()) : -1;
  if (bytes < 0) {
    const bool vanished = errno == ENOENT || errno == ESRCH;
    return vanished && !Exists(tgid) ? ReadStatus::kGone : ReadStatus::kHidden;
  }
  const std::string_view text(buffer.data(), static_cast<std::size_t>(bytes));
  return parse(text) ? ReadStatus::kRead : ReadStatus::kHidden;
}

ProcPidReader::ReadStatus ProcPidReader::ReadWithoutCredentials(std::int32_t tgid, ProcSnapshot& snapshot) const {
  std::uint64_t ticks = 0;
  snapshot = {};
  ReadStatus status = Read(tgid, "stat", [&](std::string_view text) { return ParseProcStat(text, snapshot, ticks); });
  if (status == ReadStatus::kRead) {
    status = Read(tgid, "statm", [&](std::string_view text) { return ParseProcStatm(text, snapshot); });
  }
  if (status != ReadStatus::kRead) {
    return status;
  }
  // /proc counts start times since boot, including suspend. Event timestamps exclude suspend.
  snapshot.tgid = tgid;
  snapshot.taken_ns = MonotonicNanos();
  const std::uint64_t suspended_ns = ClockNanos(CLOCK_BOOTTIME) - snapshot.taken_ns;
  const std::uint64_t since_boot = ticks * nanos_per_tick_;
  snapshot.start_ns = since_boot > suspended_ns ? since_boot - suspended_ns : 0;
  return ReadStatus::kRead;
}

// The ID of a thread also has a directory, although the list does not show it. Its Tgid differs.
ProcPidReader::ReadStatus ProcPidReader::ReadSnapshot(std::int32_t tgid, ProcSnapshot& snapshot) const {
  ReadStatus status = ReadWithoutCredentials(tgid, snapshot);
  if (status == ReadStatus::kRead) {
    status = Read(tgid, "status", [&](std::string_view text) { return ParseProcStatus(text, snapshot); });
  }
  if (status != ReadStatus::kRead) {
    return status;
  }
  snapshot.taken_ns = MonotonicNanos();
  return snapshot.tgid == tgid ? ReadStatus::kRead : ReadStatus::kGone;
}

std::size_t ProcPidReader::ListNext(std::span<std::int32_t> tgids) {
  std::size_t count = 0;
  while (directory_ && count < tgids.size()) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this thread's alone
    const dirent* const entry = ::readdir(directory_.get());
    if (entry == nullptr) {
      break;
    }
    if (const auto tgid = ParseInteger<std::int32_t>(entry->d_name); tgid.value_or(0) > 0) {
      tgids[count++] = *tgid;
    }
  }
  if (directory_ && count == 0) {
    ::rewinddir(directory_.get());
  }
  return count;
}

}  // namespace procevent
