// Drops capabilities per thread and raises the limit of open files.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cmd/logging/log.h"
#include "core/base/result.h"

namespace procevent {

// A limit of open files that is too low for many clients at once.
struct LowOpenFilesLimit {
  static constexpr std::uint64_t kNeeded = 400;  // served and queued connections, and the exporter's own descriptors

  std::uint64_t limit = 0;
  bool too_low_to_serve = false;  // the exporter could not answer, so it does not start
};

// Raises the soft limit of open files towards the hard one. Returns the limit if it is still low.
std::optional<LowOpenFilesLimit> RaiseOpenFilesLimit();

LogMessage MakeLowLimitMessage(const LowOpenFilesLimit& low);  // an error if it is too low to serve

// The capability sets of a thread, as bits. Each thread has its own sets, and a new thread starts with a copy of its
// creator's.
struct Capabilities {
  std::uint64_t effective = 0;    // checked by the kernel
  std::uint64_t permitted = 0;    // may become effective
  std::uint64_t inheritable = 0;  // may be kept by an exec
  bool operator==(const Capabilities&) const = default;
};

constexpr std::uint64_t CapabilityBit(int capability) { return std::uint64_t{1} << static_cast<unsigned>(capability); }

// Returns the permitted ones of `wanted`, all of them effective and none inheritable.
Capabilities RestrictCapabilities(std::uint64_t wanted, const Capabilities& own);

// Of the calling thread.
Result<Capabilities> GetThreadCapabilities();
Status SetThreadCapabilities(const Capabilities& wanted);

// Sets no_new_privs for the calling thread and the threads that it starts later: no exec gains privilege.
Status SetNoNewPrivs();
// Empties the ambient set, and the bounding set where that is permitted. An exec that happens nevertheless starts with
// fewer capabilities.
void ClearCapabilityBounds();

// The capabilities that the reader thread needs: CAP_NET_ADMIN for a socket with a large buffer. Also CAP_SYS_PTRACE,
// where /proc hides the processes of others (hidepid) and this capability shows them.
struct ReaderCapabilities {
  std::uint64_t capabilities = 0;
  bool needs_ptrace = false;
};
// The calling thread must still have both capabilities.
ReaderCapabilities DetectReaderCapabilities(const char* proc = "/proc");

// Reduces each thread of the exporter to the capabilities that it needs. The reader opens sockets, the main thread
// binds ports and starts the reader, and no other thread needs any. Made before the first thread is started. Each
// thread calls KeepForReader or DropAll before anything else, the main thread DropAll once the reader is started.
class PrivilegeDropper {
 public:
  // From here on nothing in this process can gain privilege. The calling thread keeps the capabilities that the reader
  // and the start-up need. A failure is logged once as a warning: the exporter also works with too much privilege.
  explicit PrivilegeDropper(LogFunction log, const ReaderCapabilities& needs = DetectReaderCapabilities());

  // The calling thread keeps these capabilities and can never regain others.
  void KeepForReader() { Keep(reader_); }
  void DropAll() { Keep(0); }

 private:
  void Keep(std::uint64_t wanted);

  LogFunction log_;  // called by any thread
  std::uint64_t reader_ = 0;
  std::atomic<bool> failed_{false};
};

// For a command that needs no privilege from here on. The calling thread must be the only one.
void DropPrivilege();

}  // namespace procevent
