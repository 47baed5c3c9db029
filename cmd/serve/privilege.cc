#include "cmd/serve/privilege.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "core/sources/procfs/proc_reader.h"

namespace procevent {

namespace {

constexpr rlim_t kLeast = 16;  // 12 of our own, an address, a scrape, and the service manager's socket

}  // namespace

bool IsOpenFilesLimitTooLow() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < kLeast;
}

std::optional<std::string> RaiseOpenFilesLimit() {
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

namespace {

constexpr std::string_view kRemedy = "a security policy forbids it: allow it, or start with fewer capabilities";

using CapabilityData = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

std::uint32_t WordOf(std::uint64_t set, std::size_t index) { return static_cast<std::uint32_t>(set >> (32U * index)); }

}  // namespace

Capabilities RestrictCapabilities(std::uint64_t wanted, const Capabilities& had) {
  return {.effective = wanted & had.permitted, .permitted = wanted & had.permitted, .inheritable = 0};
}

Result<Capabilities> GetThreadCapabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  CapabilityData words{};
  if (::syscall(SYS_capget, &header, words.data()) != 0) {
    return Error{"read the capabilities", errno, kRemedy};
  }
  Capabilities own;
  for (std::size_t i = words.size(); i-- > 0;) {
    own.effective = own.effective << 32U | words.at(i).effective;
    own.permitted = own.permitted << 32U | words.at(i).permitted;
    own.inheritable = own.inheritable << 32U | words.at(i).inheritable;
  }
  return own;
}

Status SetThreadCapabilities(const Capabilities& wanted) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  CapabilityData words{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    words.at(i) = {WordOf(wanted.effective, i), WordOf(wanted.permitted, i), WordOf(wanted.inheritable, i)};
  }
  if (::syscall(SYS_capset, &header, words.data()) != 0) {
    return Error{"drop capabilities", errno, kRemedy};
  }
  return Success{};
}

Status SetNoNewPrivs() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Error{"set no_new_privs", errno, "an exec could gain privilege, though there is none here"};
  }
  return Success{};
}

void ClearCapabilityBounds() {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  // Beyond the last that the kernel knows it says EINVAL; without CAP_SETPCAP it refuses each.
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
}

namespace {

constexpr std::uint64_t kNetAdmin = CapabilityBit(CAP_NET_ADMIN);
constexpr std::uint64_t kTracer = CapabilityBit(CAP_SYS_PTRACE);
constexpr std::uint64_t kListening = CapabilityBit(CAP_NET_BIND_SERVICE);

// Of the calling thread's capabilities the kernel heeds only these, as long as this lives.
class ScopedCapability {
 public:
  ScopedCapability(const Capabilities& own, std::uint64_t capabilities) : own_(own) {
    Capabilities fewer = own;
    fewer.effective &= capabilities;
    held_ = SetThreadCapabilities(fewer).ok();
  }
  ScopedCapability(const ScopedCapability&) = delete;
  ScopedCapability& operator=(const ScopedCapability&) = delete;
  ~ScopedCapability() {
    static_cast<void>(SetThreadCapabilities(own_));
  }  // no more than is permitted: nothing forbids it

  [[nodiscard]] bool held() const { return held_; }

 private:
  Capabilities own_;
  bool held_ = false;
};

std::vector<std::int32_t> List(ProcPidReader& pids) {
  constexpr std::size_t kMost = 64;
  std::vector<std::int32_t> listed(kMost);
  listed.resize(pids.ListNext(listed));
  return listed;
}

bool Sees(const ProcPidReader& pids, std::int32_t tgid) {
  ProcSnapshot sighting;
  return pids.ReadWithoutCredentials(tgid, sighting) == ProcPidReader::ReadStatus::kRead;
}

}  // namespace

ReaderCapabilities DetectReaderCapabilities(const char* proc) {
  constexpr ReaderCapabilities kPlain{.capabilities = kNetAdmin};
  constexpr ReaderCapabilities kAsTracer{.capabilities = kNetAdmin | kTracer, .sees_only_as_tracer = true};
  const auto own = GetThreadCapabilities();
  if (!own || (own.value().effective & kTracer) == 0) {
    return kPlain;
  }
  ProcPidReader pids(proc);
  std::vector<std::int32_t> hidden = List(pids);
  {
    const ScopedCapability plain(own.value(), kNetAdmin);
    if (!plain.held() || pids.CheckVisibility()) {
      return kPlain;
    }
    std::erase_if(hidden, [&pids](std::int32_t tgid) { return Sees(pids, tgid); });
  }
  // Who has ended meanwhile is hidden from everybody.
  const ScopedCapability tracer(own.value(), kNetAdmin | kTracer);
  const bool helps = std::ranges::any_of(hidden, [&pids](std::int32_t tgid) { return Sees(pids, tgid); });
  return helps ? kAsTracer : kPlain;
}

PrivilegeDropper::PrivilegeDropper(LogFunction log, const ReaderCapabilities& needs)
    : log_(std::move(log)), reader_(needs.capabilities) {
  if (const Status forbidden = SetNoNewPrivs(); !forbidden) {
    log_(MakeErrorMessage(LogLevel::kWarning, forbidden.error()));
  }
  ClearCapabilityBounds();
  if (needs.sees_only_as_tracer) {
    log_({LogLevel::kInfo,
          "the reader keeps CAP_SYS_PTRACE to read process names: /proc is mounted with hidepid; mount /proc without "
          "hidepid to make the capability unnecessary"});
  }
  Keep(reader_ | kListening);
}

void PrivilegeDropper::KeepForListening() { Keep(kListening); }

void PrivilegeDropper::Keep(std::uint64_t wanted) {
  const auto own = GetThreadCapabilities();
  const Status kept = own ? SetThreadCapabilities(RestrictCapabilities(wanted, own.value())) : Status(own.error());
  if (!kept && !failed_.exchange(true)) {
    log_(MakeErrorMessage(LogLevel::kWarning, kept.error()));
  }
}

}  // namespace procevent
