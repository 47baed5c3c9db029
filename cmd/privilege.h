// What each thread of the exporter may do: the reader opens sockets with a large buffer, the main thread binds ports
// while it starts, and nobody else needs anything. Made by Serve before any thread is; the threads call it first.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "config/log_options.h"

namespace procevent {

// The reader's: CAP_NET_ADMIN. Where /proc hides the processes of others (hidepid) and CAP_SYS_PTRACE would show them,
// that too. To be found out by a thread that still has both.
struct ReaderNeeds {
  std::uint64_t capabilities = 0;
  bool sees_only_as_tracer = false;
};
ReaderNeeds FindReaderNeeds(const char* proc = "/proc");

class Privilege {
 public:
  using Say = std::function<void(LogLevel level, std::string_view text)>;

  // From here on nothing in this process can gain privilege, and the caller has what the threads and the start need.
  // What fails here or below is a warning, the same one once: the exporter works with too much privilege, too.
  explicit Privilege(Say say, const ReaderNeeds& needs = FindReaderNeeds());

  // The calling thread keeps this and never has more again.
  void KeepForReader() { Keep(reader_); }
  void KeepForListening();
  void KeepNothing() { Keep(0); }

 private:
  void Keep(std::uint64_t wanted);

  Say say_;  // any thread may call it
  std::uint64_t reader_ = 0;
  std::atomic<bool> failed_{false};
};

}  // namespace procevent
