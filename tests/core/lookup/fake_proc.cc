#include "tests/core/lookup/fake_proc.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace procevent {

FakeProc::FakeProc() {
  const bool in_memory = ::access("/dev/shm", W_OK) == 0;  // thousands of files per second are too much for a disk
  std::string name = (in_memory ? "/dev/shm/" : testing::TempDir()) + "procevent_proc_XXXXXX";
  EXPECT_NE(::mkdtemp(name.data()), nullptr);
  path_ = name;
  std::filesystem::create_symlink("2", path_ / "self");
  Write(1, {.name = "init"});
}

FakeProc::~FakeProc() { std::filesystem::remove_all(path_); }

void FakeProc::Write(std::int32_t pid, const ProcEntry& entry) const {
  const std::string number = std::to_string(pid);
  const std::uint64_t suspended_ns = ClockNanos(CLOCK_BOOTTIME) - MonotonicNanos();
  const std::uint64_t tick = kNanosPerSecond / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  std::filesystem::create_directories(path_ / number);
  std::ofstream(path_ / number / "stat") << number << " (" << entry.name << ") " << entry.state << ' ' << entry.parent
                                         << " 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 " << entry.threads << " 0 "
                                         << (entry.start_ns + suspended_ns) / tick << " 0 0\n";
  std::ofstream(path_ / number / "statm") << "2178 1027 800 253 0 318 0\n";
  std::ofstream(path_ / number / "status") << "Name:\t" << entry.name << "\nTgid:\t" << number << "\nUid:\t7\t"
                                           << entry.user << "\t8\t9\nGid:\t1\t2\t3\t4\n";
}

void FakeProc::Remove(std::int32_t pid) const { std::filesystem::remove_all(path_ / std::to_string(pid)); }

CommBody MakeComm(Task task, std::string_view name) {
  CommBody body{task, {}};
  std::ranges::copy(name, body.comm.begin());
  return body;
}

}  // namespace procevent
