// Lists the processes in /proc and reads snapshots of them.
#pragma once

#include <dirent.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/file_descriptor.h"
#include "core/base/result.h"
#include "core/protocol/event.h"
#include "core/protocol/proc_snapshot.h"
#include "core/sources/procfs/proc_stats.h"

namespace procevent {

// Reads /proc/PID. No call allocates. One thread at a time, because ListNext keeps a position.
class ProcPidReader {
 public:
  explicit ProcPidReader(const char* path = "/proc");

  // Checks that processes of other users are readable, which hidepid prevents. The error has a remedy.
  [[nodiscard]] Status CheckVisibility() const;

  enum class ReadStatus : std::uint8_t {
    kRead,
    kGone,    // the process does not exist
    kHidden,  // the process exists, or may exist, but cannot be read
  };
  [[nodiscard]] ReadStatus ReadSnapshot(std::int32_t tgid, ProcSnapshot& snapshot) const;
  // Everything except euid and egid. Cheaper than ReadSnapshot.
  [[nodiscard]] ReadStatus ReadWithoutCredentials(std::int32_t tgid, ProcSnapshot& snapshot) const;

  // Fills `tgids` with the next processes of the list. Returns 0 at its end; the following call starts over.
  [[nodiscard]] std::size_t ListNext(std::span<std::int32_t> tgids);

 private:
  struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };

  // Reads the first 2 KiB of a file of the process, and passes them to `parse`. A text that it rejects is kHidden.
  template <typename Parse>
  [[nodiscard]] ReadStatus Read(std::int32_t tgid, std::string_view file, const Parse& parse) const;

  std::unique_ptr<DIR, CloseDirectory> directory_;
  int open_errno_ = 0;
  std::uint64_t nanos_per_tick_;
};

// All readers of /proc that the reader thread needs.
struct ProcFs {
  explicit ProcFs(const std::string& path = "/proc") : stat((path + "/stat").c_str()), pids(path.c_str()) {}

  ProcStatReader stat;
  ProcPidReader pids;
};

}  // namespace procevent
