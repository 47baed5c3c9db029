#include "core/protocol/proc_snapshot.h"

#include <optional>

#include "core/base/text.h"

namespace procevent {
namespace {

// The number in a line like "Uid:\t1000\t1001\t1000\t1000", counted from 0.
template <typename Number>
std::optional<Number> NumberAfter(std::string_view text, std::string_view key, int place) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  text.remove_prefix(at + key.size());
  for (int i = 0; i < place; ++i) {
    TakeWord(text);
  }
  return ParseInteger<Number>(TakeWord(text));
}

}  // namespace

// "PID (NAME) STATE ...": the name may hold anything, brackets and blanks too, so it ends at the last bracket.
bool ParseProcStat(std::string_view text, ProcSnapshot& sighting, std::uint64_t& start_ticks) {
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return false;
  }
  const std::string_view name = text.substr(open + 1, close - open - 1);
  text.remove_prefix(close + 1);
  const std::string_view state = TakeWord(text);
  constexpr int kFieldsToThreads = 15;  // proc(5): state is field 3, ppid 4, num_threads 20, starttime 22
  const auto parent = ParseInteger<std::int32_t>(TakeWord(text));
  for (int i = 0; i < kFieldsToThreads; ++i) {
    TakeWord(text);
  }
  const auto threads = ParseInteger<std::uint32_t>(TakeWord(text));
  TakeWord(text);
  const auto ticks = ParseInteger<std::uint64_t>(TakeWord(text));
  if (!parent || !threads || !ticks || state.empty()) {
    return false;
  }
  // A leader that has ended counts among the threads until the whole process has been waited for.
  sighting.leader_gone = state == "Z" || state == "X";
  sighting.threads = *threads - (sighting.leader_gone && *threads > 0 ? 1 : 0);
  sighting.dead = sighting.threads == 0;
  sighting.exec_in_progress = state == "t" || state == "D";
  sighting.parent = *parent;
  sighting.name = CommName(name);
  start_ticks = *ticks;
  return true;
}

// proc(5): the pages of the whole are field 1, those of code 4. The kernel says where the code is only when all of the
// new program is mapped; those without memory, kernel threads and the dead, have none of either.
bool ParseProcStatm(std::string_view text, ProcSnapshot& sighting) {
  const auto size = ParseInteger<std::uint64_t>(TakeWord(text));
  TakeWord(text);
  TakeWord(text);
  const auto code = ParseInteger<std::uint64_t>(TakeWord(text));
  if (!size || !code) {
    return false;
  }
  sighting.exec_in_progress = sighting.exec_in_progress || (*size > 0 && *code == 0);
  return true;
}

// Of users and groups the second is the effective one.
bool ParseProcStatus(std::string_view text, ProcSnapshot& sighting) {
  const auto tgid = NumberAfter<std::int32_t>(text, "\nTgid:", 0);
  const auto euid = NumberAfter<std::uint32_t>(text, "\nUid:", 1);
  const auto egid = NumberAfter<std::uint32_t>(text, "\nGid:", 1);
  sighting.tgid = tgid.value_or(0);
  sighting.euid = euid.value_or(kUnknownId);
  sighting.egid = egid.value_or(kUnknownId);
  return tgid && euid && egid;
}

}  // namespace procevent
