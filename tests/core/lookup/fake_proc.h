// A folder that looks like /proc, and events about the processes in it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/system.h"
#include "core/protocol/event.h"

namespace procevent {

// Numbers that no process of this machine can have: the kernel ends at 1 << 22.
inline constexpr std::int32_t kFakePids = 1 << 23;

class FakeProc {
 public:
  FakeProc();
  ~FakeProc();
  FakeProc(const FakeProc&) = delete;
  FakeProc& operator=(const FakeProc&) = delete;

  struct ProcEntry {
    std::string_view name;
    std::uint64_t start_ns = 0;
    std::uint32_t user = 0;
    std::int32_t parent = 0;
    char state = 'S';
    unsigned threads = 1;
  };
  void Show(std::int32_t pid, const ProcEntry& shown) const;
  void Hide(std::int32_t pid) const;
  [[nodiscard]] std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline Task First(std::int32_t pid) { return {pid, pid}; }

inline Event At(std::uint64_t when_ns, const Event::Body& body) {
  return {.sequence = 0, .acknowledged = 0, .what = 0, .cpu = 0, .timestamp_ns = when_ns, .body = body};
}

// What happens now.
inline Event Now(const Event::Body& body) { return At(MonotonicNanos(), body); }

inline ExitBody Ended(Task task) { return {.task = task, .wait_status = 0, .parent_signal = 17, .parent = {}}; }
CommBody Renamed(Task task, std::string_view name);

}  // namespace procevent
