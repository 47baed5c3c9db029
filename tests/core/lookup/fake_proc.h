// Temporary directory in the format of /proc, and builders of events about the processes in it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/system.h"
#include "core/protocol/event.h"

namespace procevent {

// First of the PIDs that no real process can have: the kernel's limit is 1 << 22.
inline constexpr std::int32_t kFirstFakePid = 1 << 23;

// Creates the directory, with process 1, and removes it on destruction.
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
  void Write(std::int32_t pid, const ProcEntry& entry) const;
  void Remove(std::int32_t pid) const;
  [[nodiscard]] std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline Task MainThread(std::int32_t pid) { return {pid, pid}; }

inline Event EventAt(std::uint64_t when_ns, const Event::Body& body) {
  return {.sequence = 0, .acknowledged = 0, .what = 0, .cpu = 0, .timestamp_ns = when_ns, .body = body};
}

inline Event EventNow(const Event::Body& body) { return EventAt(MonotonicNanos(), body); }

inline ExitBody MakeExit(Task task) { return {.task = task, .wait_status = 0, .parent_signal = 17, .parent = {}}; }
CommBody MakeComm(Task task, std::string_view name);

}  // namespace procevent
