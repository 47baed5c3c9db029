// FOLDED: open_files.h, capabilities.h, privilege.h
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cmd/logging/log.h"
#include "core/base/result.h"

namespace procevent {

// The limit of open files: what many clients at once take, as far as it may be had. For Serve, at the start, and for
// doctor.

// Raises the soft limit towards the hard one. A line that names the remedy, if that leaves too few.
std::optional<std::string> RaiseOpenFilesLimit();

// With the limit as it is the exporter does not start, or cannot answer.
bool IsOpenFilesLimitTooLow();

// What a thread may do beyond others: capabilities, as sets of bits. Each thread has its own sets; a new thread begins
// with its maker's. Used by Privilege and by doctor.

struct Capabilities {
  std::uint64_t effective = 0;    // what the kernel heeds
  std::uint64_t permitted = 0;    // what may become effective
  std::uint64_t inheritable = 0;  // what an exec may keep
  bool operator==(const Capabilities&) const = default;
};

constexpr std::uint64_t CapabilityBit(int capability) { return std::uint64_t{1} << static_cast<unsigned>(capability); }

// Those of `wanted` that are permitted, all of them effective; nothing is left to inherit.
Capabilities RestrictCapabilities(std::uint64_t wanted, const Capabilities& had);

// The calling thread's.
Result<Capabilities> GetThreadCapabilities();
Status SetThreadCapabilities(const Capabilities& wanted);

// For the calling thread and those that it makes. No exec gains anything from here on: no_new_privs.
Status SetNoNewPrivs();
// The same, wherever an exec is made nevertheless: empties the ambient set, and the bounding set where that is
// permitted.
void ClearCapabilityBounds();

// What each thread of the exporter may do: the reader opens sockets with a large buffer, the main thread binds ports
// while it starts, and nobody else needs anything. Made by Serve before any thread is; the threads call it first.

// The reader's: CAP_NET_ADMIN. Where /proc hides the processes of others (hidepid) and CAP_SYS_PTRACE would show them,
// that too. To be found out by a thread that still has both.
struct ReaderCapabilities {
  std::uint64_t capabilities = 0;
  bool sees_only_as_tracer = false;
};
ReaderCapabilities DetectReaderCapabilities(const char* proc = "/proc");

class PrivilegeDropper {
 public:
  // From here on nothing in this process can gain privilege, and the caller has what the threads and the start need.
  // What fails here or below is a warning, the same one once: the exporter works with too much privilege, too.
  explicit PrivilegeDropper(LogFunction log, const ReaderCapabilities& needs = DetectReaderCapabilities());

  // The calling thread keeps this and never has more again.
  void KeepForReader() { Keep(reader_); }
  void KeepForListening();
  void DropAll() { Keep(0); }

 private:
  void Keep(std::uint64_t wanted);

  LogFunction log_;  // called by any thread
  std::uint64_t reader_ = 0;
  std::atomic<bool> failed_{false};
};

}  // namespace procevent
