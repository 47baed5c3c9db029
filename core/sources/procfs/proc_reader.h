// FOLDED: proc_pids.h, proc.h
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

// /proc as the reader looks into it: which processes there are, and what it says of one. No call allocates.
// The reader's surveyor uses it.

class ProcPidReader {
 public:
  explicit ProcPidReader(const char* path = "/proc");

  // Whether the processes of others are to be seen here.
  [[nodiscard]] Status CheckVisibility() const;

  enum class ReadStatus : std::uint8_t {
    kRead,
    kGone,    // there is no such process
    kHidden,  // there is one, or there may be, and nothing is told of it
  };
  [[nodiscard]] ReadStatus ReadSnapshot(std::int32_t tgid, ProcSnapshot& sighting) const;
  // All but the users; cheaper.
  [[nodiscard]] ReadStatus ReadWithoutCredentials(std::int32_t tgid, ProcSnapshot& sighting) const;

  // The next processes of the list, as many as fit; none at its end, and then the list begins anew.
  [[nodiscard]] std::size_t ListNext(std::span<std::int32_t> tgids);

 private:
  struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };

  // The text of a file of the process, as much as fits; what became of it.
  [[nodiscard]] ReadStatus Read(std::int32_t tgid, std::string_view file, std::span<char> buffer,
                                std::string_view& text) const;

  std::unique_ptr<DIR, CloseDirectory> directory_;
  int open_errno_ = 0;
  std::uint64_t nanos_per_tick_;
};

// All that the reader asks of /proc.

struct ProcFs {
  explicit ProcFs(const std::string& path = "/proc") : stat((path + "/stat").c_str()), pids(path.c_str()) {}

  ProcStatReader stat;
  ProcPidReader pids;
};

}  // namespace procevent
