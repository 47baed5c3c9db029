#include "cmd/privilege.h"

#include <linux/capability.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "cmd/capabilities.h"
#include "core/source/proc_pids.h"

namespace procevent {
namespace {

constexpr std::uint64_t kNetAdmin = CapabilityBit(CAP_NET_ADMIN);
constexpr std::uint64_t kTracer = CapabilityBit(CAP_SYS_PTRACE);
constexpr std::uint64_t kListening = CapabilityBit(CAP_NET_BIND_SERVICE);

// Of the calling thread's capabilities the kernel heeds only these, as long as this lives.
class Heeding {
 public:
  Heeding(const Capabilities& own, std::uint64_t capabilities) : own_(own) {
    Capabilities fewer = own;
    fewer.effective &= capabilities;
    held_ = SetOwnCapabilities(fewer).ok();
  }
  Heeding(const Heeding&) = delete;
  Heeding& operator=(const Heeding&) = delete;
  ~Heeding() { static_cast<void>(SetOwnCapabilities(own_)); }  // no more than is permitted: nothing forbids it

  [[nodiscard]] bool held() const { return held_; }

 private:
  Capabilities own_;
  bool held_ = false;
};

std::vector<std::int32_t> List(ProcPids& pids) {
  constexpr std::size_t kMost = 64;
  std::vector<std::int32_t> listed(kMost);
  listed.resize(pids.List(listed));
  return listed;
}

bool Sees(const ProcPids& pids, std::int32_t tgid) {
  Sighting sighting;
  return pids.SeeName(tgid, sighting) == ProcPids::Look::kSeen;
}

}  // namespace

ReaderNeeds FindReaderNeeds(const char* proc) {
  constexpr ReaderNeeds kPlain{.capabilities = kNetAdmin};
  constexpr ReaderNeeds kAsTracer{.capabilities = kNetAdmin | kTracer, .sees_only_as_tracer = true};
  const auto own = OwnCapabilities();
  if (!own || (own.value().effective & kTracer) == 0) {
    return kPlain;
  }
  ProcPids pids(proc);
  std::vector<std::int32_t> hidden = List(pids);
  {
    const Heeding plain(own.value(), kNetAdmin);
    if (!plain.held() || pids.Check()) {
      return kPlain;
    }
    std::erase_if(hidden, [&pids](std::int32_t tgid) { return Sees(pids, tgid); });
  }
  // Who has ended meanwhile is hidden from everybody.
  const Heeding tracer(own.value(), kNetAdmin | kTracer);
  const bool helps = std::ranges::any_of(hidden, [&pids](std::int32_t tgid) { return Sees(pids, tgid); });
  return helps ? kAsTracer : kPlain;
}

Privilege::Privilege(Say say, const ReaderNeeds& needs) : say_(std::move(say)), reader_(needs.capabilities) {
  if (const Status forbidden = ForbidGain(); !forbidden) {
    say_(LogLevel::kWarning, Describe(forbidden.error()));
  }
  EmptyBounds();
  if (needs.sees_only_as_tracer) {
    say_(LogLevel::kInfo,
         "/proc is mounted with hidepid, so the reader keeps CAP_SYS_PTRACE: without it programs would stay without "
         "names; mount /proc without hidepid to spare that");
  }
  Keep(reader_ | kListening);
}

void Privilege::KeepForListening() { Keep(kListening); }

void Privilege::Keep(std::uint64_t wanted) {
  const auto own = OwnCapabilities();
  const Status kept = own ? SetOwnCapabilities(Only(wanted, own.value())) : Status(own.error());
  if (!kept && !failed_.exchange(true)) {
    say_(LogLevel::kWarning, Describe(kept.error()));
  }
}

}  // namespace procevent
