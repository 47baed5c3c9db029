// Any bytes as a text of /proc, and any bytes as a name in a true one: the parsers come to their end, say only what
// holds together, and no name changes what else is told.
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
    Require(text.find('(' + std::string(stat.name.view())) != std::string_view::npos, "the name follows a bracket");
    Require(text.find('(') < text.rfind(')'), "a name stands between brackets");
    Require(stat.dead == (stat.threads == 0), "dead is who has no thread");
  } else {
    Require(stat.name == CommName() && stat.threads == 0 && ticks == 0, "what is refused tells nothing");
  }
  Require(stat.euid == kUnknownId && stat.egid == kUnknownId && stat.start_ns == 0, "stat tells no ids");

  ProcSnapshot statm;
  Require(ParseProcStatm(text, statm) || !statm.exec_in_progress, "what is refused tells nothing");

  ProcSnapshot status;
  if (ParseProcStatus(text, status)) {
    Require(text.find("\nUid:") != std::string_view::npos && text.find("\nGid:") != std::string_view::npos,
            "ids have their keys");
    Require(text.find("\nTgid:") != std::string_view::npos, "so has the tgid");
  } else {
    Require(status.euid == kUnknownId || status.egid == kUnknownId || status.tgid == 0 ||
                text.find("\nTgid:") == std::string_view::npos,
            "what is not there is not known");
  }
}

void CheckNameInStat(const std::string& name) {
  const std::string text = "1 (" + name + ") S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 10 0 0 0\n";
  ProcSnapshot sighting;
  std::uint64_t ticks = 0;
  Require(ParseProcStat(text, sighting, ticks), "a true stat is understood");
  Require(sighting.name == CommName(name), "its name is what stands in it");
  Require(sighting.threads == 9 && ticks == 10 && !sighting.dead && !sighting.leader_gone,
          "a name changes nothing else");
}

// As the kernel writes it there: newlines and backslashes escaped.
std::string Escaped(std::string_view name) {
  std::string escaped;
  for (const char byte : name) {
    escaped += byte == '\n' ? "\\n" : byte == '\\' ? "\\\\" : std::string(1, byte);
  }
  return escaped;
}

void CheckNameInStatus(std::string_view name) {
  const std::string text =
      "Name:\t" + Escaped(name) + "\nUmask:\t0022\nTgid:\t9\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nFDSize:\t64\n";
  ProcSnapshot sighting;
  Require(ParseProcStatus(text, sighting), "a true status is understood");
  Require(sighting.euid == 2 && sighting.egid == 6, "a name changes no id");
  Require(sighting.tgid == 9, "nor the tgid");
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
