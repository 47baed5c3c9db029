#include "cmd/doctor.h"

#include <array>
#include <cstddef>
#include <string_view>

#include "cmd/output.h"
#include "cmd/probes.h"
#include "cmd/quote.h"

namespace procevent {
namespace {

// Indexed by Check::State. What failed is to be seen at once.
constexpr std::array<std::string_view, 3> kWords{"ok     ", "warning", "FAILED "};
constexpr std::array<std::string_view, 3> kStates{"ok", "warning", "failed"};

std::string Quoted(std::string_view text) {
  constexpr std::size_t kMostBytes = 4096;
  return Quote(text, kMostBytes);
}

}  // namespace

std::string AsLines(const std::vector<Check>& checks) {
  std::string lines;
  for (const Check& check : checks) {
    lines += std::string(kWords.at(static_cast<std::size_t>(check.state))) + ' ' + std::string(check.name) + ": " +
             check.finding + (check.remedy.empty() ? "" : "; " + check.remedy) + '\n';
  }
  return lines;
}

std::string AsJson(const std::vector<Check>& checks) {
  std::string list;
  for (const Check& check : checks) {
    list += (list.empty() ? "" : ",") + (R"({"name":)" + Quoted(check.name)) + R"(,"state":)" +
            Quoted(kStates.at(static_cast<std::size_t>(check.state))) + R"(,"finding":)" + Quoted(check.finding) +
            R"(,"remedy":)" + Quoted(check.remedy) + '}';
  }
  return R"({"ok":)" + std::string(AllHolds(checks) ? "true" : "false") + R"(,"checks":[)" + list + "]}\n";
}

int Doctor(const Config& config, DoctorForm form) {
  const std::vector<Check> checks = ChecksOf(ProbeMachine(config));
  return PrintAndExitWith(AllHolds(checks) ? 0 : 1, form == DoctorForm::kJson ? AsJson(checks) : AsLines(checks));
}

}  // namespace procevent
