#include "core/protocol/proc_snapshot.h"

#include <optional>

#include "core/base/text.h"

namespace procevent {
namespace {

// Finds column `index` (from 0) of a line like "Uid:\t1000\t1001\t1000\t1000".
template <typename Number>
std::optional<Number> NumberAfter(std::string_view text, std::string_view key, int index) {
  const std::size_t position = text.find(key);
  if (position == std::string_view::npos) {
    return std::nullopt;
  }
  text.remove_prefix(position + key.size());
  for (int i = 0; i < index; ++i) {
    TakeWord(text);
  }
  return ParseInteger<Number>(TakeWord(text));
}

// Flags of a task, from the kernel's include/linux/sched.h. They have not changed since Linux 2.6.
constexpr std::uint32_t kExiting = 0x4;             // PF_EXITING
constexpr std::uint32_t kEndedBySignal = 0x400;     // PF_SIGNALED, set before PF_EXITING
constexpr std::uint32_t kKernelThread = 0x200'000;  // PF_KTHREAD

// Whether a process without memory has a reliable name. An exec that fails beyond the point of no return leaves one
// thread, which a signal ends. A kernel thread has no memory. Memory of a leader that exited before its threads is
// gone.
bool HasNameWithoutMemory(std::uint32_t flags, std::uint32_t threads) {
  return (flags & kKernelThread) != 0 || (flags & (kExiting | kEndedBySignal)) == kExiting || threads != 1;
}

}  // namespace

// Format: "PID (NAME) STATE ...". The name may contain brackets and blanks, so it ends at the last bracket.
bool ParseProcStat(std::string_view text, ProcSnapshot& snapshot, std::uint64_t& start_ticks) {
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return false;
  }
  const std::string_view name = text.substr(open + 1, close - open - 1);
  text.remove_prefix(close + 1);
  const std::string_view state = TakeWord(text);
  constexpr int kFieldsToFlags = 4;  // proc(5): state is field 3, ppid 4, flags 9, num_threads 20, starttime 22
  constexpr int kFieldsToThreads = 10;
  const auto parent = ParseInteger<std::int32_t>(TakeWord(text));
  for (int i = 0; i < kFieldsToFlags; ++i) {
    TakeWord(text);
  }
  const auto flags = ParseInteger<std::uint32_t>(TakeWord(text));
  for (int i = 0; i < kFieldsToThreads; ++i) {
    TakeWord(text);
  }
  const auto threads = ParseInteger<std::uint32_t>(TakeWord(text));
  TakeWord(text);
  const auto ticks = ParseInteger<std::uint64_t>(TakeWord(text));
  if (!parent || !flags || !threads || !ticks || state.empty()) {
    return false;
  }
  // num_threads includes an exited leader until the whole process has been reaped.
  snapshot.leader_gone = state == "Z" || state == "X";
  snapshot.threads = *threads - (snapshot.leader_gone && *threads > 0 ? 1 : 0);
  snapshot.dead = snapshot.threads == 0;
  snapshot.may_be_in_exec = state == "t" || state == "D";
  snapshot.without_memory = !snapshot.dead && !HasNameWithoutMemory(*flags, *threads);
  snapshot.parent = *parent;
  snapshot.name = CommName(name);
  start_ticks = *ticks;
  return true;
}

// proc(5): total pages are field 1, code pages are field 4. The kernel sets the code range only after the whole new
// program is mapped, when nothing of the exec can fail any more. Without memory both fields are 0.
bool ParseProcStatm(std::string_view text, ProcSnapshot& snapshot) {
  const auto size = ParseInteger<std::uint64_t>(TakeWord(text));
  TakeWord(text);
  TakeWord(text);
  const auto code = ParseInteger<std::uint64_t>(TakeWord(text));
  if (!size || !code) {
    return false;
  }
  snapshot.may_be_in_exec = snapshot.may_be_in_exec || (*size > 0 && *code == 0);
  snapshot.without_memory = snapshot.without_memory && *size == 0;
  return true;
}

// The second column of Uid and Gid is the effective ID.
bool ParseProcStatus(std::string_view text, ProcSnapshot& snapshot) {
  const auto tgid = NumberAfter<std::int32_t>(text, "\nTgid:", 0);
  const auto euid = NumberAfter<std::uint32_t>(text, "\nUid:", 1);
  const auto egid = NumberAfter<std::uint32_t>(text, "\nGid:", 1);
  snapshot.tgid = tgid.value_or(0);
  snapshot.euid = euid.value_or(kUnknownId);
  snapshot.egid = egid.value_or(kUnknownId);
  return tgid && euid && egid;
}

}  // namespace procevent
