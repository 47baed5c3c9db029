// Parses any bytes as files of /proc, and as the process name in valid ones. Checks that the parsers terminate, that
// their results are consistent, and that a name cannot change the other fields.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/protocol/proc_snapshot.h"
#include "require.h"

namespace procevent {
namespace {

void CheckAnyText(std::string_view text) {
  ProcSnapshot stat;
  std::uint64_t ticks = 0;
  if (ParseProcStat(text, stat, ticks)) {
    Require(text.find('(' + std::string(stat.name.view())) != std::string_view::npos, "the name follows a parenthesis");
    Require(text.find('(') < text.rfind(')'), "the name is between parentheses");
    Require(stat.dead == (stat.threads == 0), "a process is dead if it has no thread");
  } else {
    Require(stat.name == CommName() && stat.threads == 0 && ticks == 0, "a rejected text sets nothing");
  }
  Require(stat.euid == kUnknownId && stat.egid == kUnknownId && stat.start_ns == 0,
          "stat sets no ids and no start time");

  ProcSnapshot statm;
  Require(ParseProcStatm(text, statm) || !statm.may_be_in_exec, "a rejected text sets nothing");

  ProcSnapshot status;
  if (ParseProcStatus(text, status)) {
    Require(text.find("\nUid:") != std::string_view::npos && text.find("\nGid:") != std::string_view::npos,
            "ids are read from their keys");
    Require(text.find("\nTgid:") != std::string_view::npos, "the tgid is read from its key");
  } else {
    Require(status.euid == kUnknownId || status.egid == kUnknownId || status.tgid == 0 ||
                text.find("\nTgid:") == std::string_view::npos,
            "a rejected status lacks a field");
  }
}

void CheckNameInStat(const std::string& name) {
  const std::string text = "1 (" + name + ") S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 10 0 0 0\n";
  ProcSnapshot snapshot;
  std::uint64_t ticks = 0;
  Require(ParseProcStat(text, snapshot, ticks), "a valid stat is accepted");
  Require(snapshot.name == CommName(name), "the name is read unchanged");
  Require(snapshot.threads == 9 && ticks == 10 && !snapshot.dead && !snapshot.leader_gone,
          "a name changes no other field");
}

// The kernel escapes newlines and backslashes in /proc/PID/status.
std::string EscapeLikeKernel(std::string_view name) {
  std::string escaped;
  for (const char byte : name) {
    escaped += byte == '\n' ? "\\n" : byte == '\\' ? "\\\\" : std::string(1, byte);
  }
  return escaped;
}

void CheckNameInStatus(std::string_view name) {
  const std::string text = "Name:\t" + EscapeLikeKernel(name) +
                           "\nUmask:\t0022\nTgid:\t9\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nFDSize:\t64\n";
  ProcSnapshot snapshot;
  Require(ParseProcStatus(text, snapshot), "a valid status is accepted");
  Require(snapshot.euid == 2 && snapshot.egid == 6, "a name changes no id");
  Require(snapshot.tgid == 9, "a name does not change the tgid");
}

}  // namespace
}  // namespace procevent

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  procevent::CheckAnyText(bytes);
  procevent::CheckNameInStat(bytes);
  procevent::CheckNameInStatus(bytes);
  return 0;
}
