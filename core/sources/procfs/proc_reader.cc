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

ProcPidReader::ProcPidReader(const char* path)
    : directory_(::opendir(path)),
      open_errno_(directory_ ? 0 : errno),
      nanos_per_tick_(kNanosPerSecond / static_cast<std::uint64_t>(std::max(::sysconf(_SC_CLK_TCK), 1L))) {}

Status ProcPidReader::CheckVisibility() const {
  if (!directory_) {
    return Error{"open /proc", open_errno_, "mount it; without it programs stay without names"};
  }
  ProcSnapshot other;
  if (ReadWithoutCredentials(kInit, other) == ReadStatus::kRead ||
      ReadWithoutCredentials(kKthreadd, other) == ReadStatus::kRead) {
    return Success{};
  }
  if (::faccessat(::dirfd(directory_.get()), "self", F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
    return Error{"find processes in /proc", errno, "mount it; without it programs stay without names"};
  }
  const OwnedFd fd(::openat(::dirfd(directory_.get()), "1/stat", O_RDONLY | O_CLOEXEC));
  return WhyUnseen(fd.valid() ? 0 : errno);
}

ProcPidReader::ReadStatus ProcPidReader::ReadWithoutCredentials(std::int32_t tgid, ProcSnapshot& sighting) const {
  std::array<char, kTextBytes> buffer{};
  std::string_view text;
  std::uint64_t ticks = 0;
  sighting = {};
  if (const ReadStatus look = Read(tgid, "stat", buffer, text); look != ReadStatus::kRead) {
    return look;
  }
  if (!ParseProcStat(text, sighting, ticks)) {
    return ReadStatus::kHidden;
  }
  if (const ReadStatus look = Read(tgid, "statm", buffer, text); look != ReadStatus::kRead) {
    return look;
  }
  if (!ParseProcStatm(text, sighting)) {
    return ReadStatus::kHidden;
  }
  // Starts are told in the time since boot, which goes on while the machine sleeps; events in time that does not.
  sighting.tgid = tgid;
  sighting.taken_ns = MonotonicNanos();
  const std::uint64_t asleep = ClockNanos(CLOCK_BOOTTIME) - sighting.taken_ns;
  const std::uint64_t since_boot = ticks * nanos_per_tick_;
  sighting.start_ns = since_boot > asleep ? since_boot - asleep : 0;
  return ReadStatus::kRead;
}

// A thread's number leads to a folder, too, though the list does not show it.
ProcPidReader::ReadStatus ProcPidReader::ReadSnapshot(std::int32_t tgid, ProcSnapshot& sighting) const {
  std::array<char, kTextBytes> buffer{};
  std::string_view text;
  if (const ReadStatus look = ReadWithoutCredentials(tgid, sighting); look != ReadStatus::kRead) {
    return look;
  }
  if (const ReadStatus look = Read(tgid, "status", buffer, text); look != ReadStatus::kRead) {
    return look;
  }
  if (!ParseProcStatus(text, sighting)) {
    return ReadStatus::kHidden;
  }
  sighting.taken_ns = MonotonicNanos();
  return sighting.tgid == tgid ? ReadStatus::kRead : ReadStatus::kGone;
}

std::size_t ProcPidReader::ListNext(std::span<std::int32_t> tgids) {
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

ProcPidReader::ReadStatus ProcPidReader::Read(std::int32_t tgid, std::string_view file, std::span<char> buffer,
                                              std::string_view& text) const {
  if (!directory_) {
    return ReadStatus::kHidden;
  }
  std::array<char, 32> path{};
  char* end = std::to_chars(path.data(), path.data() + path.size(), tgid).ptr;
  *end++ = '/';
  std::ranges::copy(file, end);
  const OwnedFd fd(::openat(::dirfd(directory_.get()), path.data(), O_RDONLY | O_CLOEXEC));
  const ssize_t bytes = fd.valid() ? ::read(fd.get(), buffer.data(), buffer.size()) : -1;
  if (bytes < 0) {
    const bool vanished = errno == ENOENT || errno == ESRCH;
    return vanished && !Exists(tgid) ? ReadStatus::kGone : ReadStatus::kHidden;
  }
  text = {buffer.data(), static_cast<std::size_t>(bytes)};
  return ReadStatus::kRead;
}

}  // namespace procevent
