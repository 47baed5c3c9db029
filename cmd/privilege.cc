#include "cmd/privilege.h"

#include <linux/capability.h>

#include <utility>

#include "cmd/capabilities.h"
#include "core/source/proc_pids.h"

namespace procevent {
namespace {

constexpr std::uint64_t kNetAdmin = CapabilityBit(CAP_NET_ADMIN);
constexpr std::uint64_t kTracer = CapabilityBit(CAP_SYS_PTRACE);
constexpr std::uint64_t kListening = CapabilityBit(CAP_NET_BIND_SERVICE);

// What `look` says while only `capabilities` are heeded; true if that cannot be tried.
template <typename Look>
bool TryWith(std::uint64_t capabilities, const Capabilities& own, const Look& look) {
  Capabilities fewer = own;
  fewer.effective &= capabilities;
  if (!SetOwnCapabilities(fewer)) {
    return true;
  }
  const bool outcome = look();
  return SetOwnCapabilities(own) ? outcome : true;
}

}  // namespace

ReaderNeeds FindReaderNeeds(const char* proc) {
  const auto own = OwnCapabilities();
  const ProcPids pids(proc);
  const auto sees = [&pids] { return pids.Check().ok(); };
  if (!own || TryWith(kNetAdmin, own.value(), sees) || !TryWith(kNetAdmin | kTracer, own.value(), sees)) {
    return {.capabilities = kNetAdmin};
  }
  return {.capabilities = kNetAdmin | kTracer, .sees_only_as_tracer = true};
}

Privilege::Privilege(Say say) : say_(std::move(say)) {
  if (const Status forbidden = ForbidGain(); !forbidden) {
    say_(LogLevel::kWarning, Describe(forbidden.error()));
  }
  EmptyBounds();
  const ReaderNeeds needs = FindReaderNeeds();
  reader_ = needs.capabilities;
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
