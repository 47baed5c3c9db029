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

#include "cmd/cli/output.h"
#include "core/sources/procfs/proc_reader.h"

namespace procevent {

namespace {

// 12 descriptors of the exporter, one for an address, one for a scrape, and the service manager's socket.
constexpr rlim_t kMinOpenFiles = 16;

constexpr std::string_view kRemedy = "allow capget and capset in the security policy, or start with fewer capabilities";

using CapabilityData = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

// A set is two words, the lower one first.
std::uint32_t WordAt(std::uint64_t set, std::size_t index) {
  return static_cast<std::uint32_t>(index == 0 ? set : set >> 32U);
}

constexpr std::uint64_t kNetAdmin = CapabilityBit(CAP_NET_ADMIN);
constexpr std::uint64_t kPtrace = CapabilityBit(CAP_SYS_PTRACE);
constexpr std::uint64_t kBindService = CapabilityBit(CAP_NET_BIND_SERVICE);

// Restricts the effective capabilities of the calling thread to the given ones for its lifetime.
class ScopedCapability {
 public:
  ScopedCapability(const Capabilities& own, std::uint64_t capabilities) : own_(own) {
    Capabilities restricted = own;
    restricted.effective &= capabilities;
    active_ = SetThreadCapabilities(restricted).ok();
  }
  ScopedCapability(const ScopedCapability&) = delete;
  ScopedCapability& operator=(const ScopedCapability&) = delete;
  ~ScopedCapability() {
    static_cast<void>(SetThreadCapabilities(own_));  // fails only if the constructor's call failed, too
  }

  [[nodiscard]] bool active() const { return active_; }

 private:
  Capabilities own_;
  bool active_ = false;
};

std::vector<std::int32_t> ListPids(ProcPidReader& pids) {
  constexpr std::size_t kMaxPids = 64;
  std::vector<std::int32_t> listed(kMaxPids);
  listed.resize(pids.ListNext(listed));
  return listed;
}

bool CanRead(const ProcPidReader& pids, std::int32_t tgid) {
  ProcSnapshot snapshot;
  return pids.ReadWithoutCredentials(tgid, snapshot) == ProcPidReader::ReadStatus::kRead;
}

}  // namespace

std::optional<LowOpenFilesLimit> RaiseOpenFilesLimit() {
  constexpr rlim_t kMaxRaised = 4096;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return std::nullopt;
  }
  rlimit raised = limit;
  raised.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kMaxRaised));
  if (raised.rlim_cur != limit.rlim_cur && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
    limit = raised;
  }
  if (limit.rlim_cur >= LowOpenFilesLimit::kNeeded) {
    return std::nullopt;
  }
  return LowOpenFilesLimit{.limit = limit.rlim_cur, .too_low_to_serve = limit.rlim_cur < kMinOpenFiles};
}

LogMessage MakeLowLimitMessage(const LowOpenFilesLimit& low) {
  return {low.too_low_to_serve ? LogLevel::kError : LogLevel::kWarning,
          low.too_low_to_serve ? "limit of open files too low to serve; raise the limit of open files (ulimit -n)"
                               : "limit of open files low: many clients at once can delay scrapes; raise the limit of "
                                 "open files (ulimit -n)",
          {{"limit", low.limit}, {"needed", LowOpenFilesLimit::kNeeded}}};
}

Capabilities RestrictCapabilities(std::uint64_t wanted, const Capabilities& own) {
  return {.effective = wanted & own.permitted, .permitted = wanted & own.permitted, .inheritable = 0};
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
    words.at(i) = {WordAt(wanted.effective, i), WordAt(wanted.permitted, i), WordAt(wanted.inheritable, i)};
  }
  if (::syscall(SYS_capset, &header, words.data()) != 0) {
    return Error{"drop capabilities", errno, kRemedy};
  }
  return Success{};
}

Status SetNoNewPrivs() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Error{"set no_new_privs", errno, "allow prctl in the security policy"};
  }
  return Success{};
}

void ClearCapabilityBounds() {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  // PR_CAPBSET_READ fails beyond the last capability of the kernel. Without CAP_SETPCAP each drop fails.
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
}

ReaderCapabilities DetectReaderCapabilities(const char* proc) {
  constexpr ReaderCapabilities kWithoutPtrace{.capabilities = kNetAdmin};
  constexpr ReaderCapabilities kWithPtrace{.capabilities = kNetAdmin | kPtrace, .needs_ptrace = true};
  const auto own = GetThreadCapabilities();
  if (!own || (own.value().effective & kPtrace) == 0) {
    return kWithoutPtrace;
  }
  ProcPidReader pids(proc);
  std::vector<std::int32_t> hidden = ListPids(pids);
  {
    const ScopedCapability without_ptrace(own.value(), kNetAdmin);
    if (!without_ptrace.active() || pids.CheckVisibility()) {
      return kWithoutPtrace;
    }
    std::erase_if(hidden, [&pids](std::int32_t tgid) { return CanRead(pids, tgid); });
  }
  // A process that exited meanwhile cannot be read with any capability.
  const ScopedCapability with_ptrace(own.value(), kNetAdmin | kPtrace);
  const bool ptrace_helps = std::ranges::any_of(hidden, [&pids](std::int32_t tgid) { return CanRead(pids, tgid); });
  return ptrace_helps ? kWithPtrace : kWithoutPtrace;
}

PrivilegeDropper::PrivilegeDropper(LogFunction log, const ReaderCapabilities& needs)
    : log_(std::move(log)), reader_(needs.capabilities) {
  if (const Status set = SetNoNewPrivs(); !set) {
    log_(MakeErrorMessage(LogLevel::kWarning, set.error()));
  }
  ClearCapabilityBounds();
  if (needs.needs_ptrace) {
    log_({LogLevel::kInfo,
          "the reader keeps CAP_SYS_PTRACE to read process names: /proc is mounted with hidepid; mount /proc without "
          "hidepid to make the capability unnecessary"});
  }
  Keep(reader_ | kBindService);
}

void PrivilegeDropper::Keep(std::uint64_t wanted) {
  const auto own = GetThreadCapabilities();
  const Status restricted =
      own ? SetThreadCapabilities(RestrictCapabilities(wanted, own.value())) : Status(own.error());
  if (!restricted && !failed_.exchange(true)) {
    log_(MakeErrorMessage(LogLevel::kWarning, restricted.error()));
  }
}

void DropPrivilege() {
  PrivilegeDropper([](const LogMessage& message) { PrintError(message.text); }, ReaderCapabilities{}).DropAll();
}

}  // namespace procevent
