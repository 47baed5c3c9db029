// Runs one scenario of process activity, with exactly known numbers, for the live tests of the process tracker:
//   workload NAME SCENARIO [ARGUMENT...]
// It sets its command name to NAME first ("-": it keeps the name of its file). It prints results as lines of
// "KEY NUMBER". A scenario that waits prints "ready", and continues when it receives a line. On any error it exits
// with 99.
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include "workload_scenarios.h"

namespace {

using procevent::workload::Arguments;

struct Scenario {
  std::string_view name;
  int (*run)(Arguments arguments);
};

constexpr Scenario kScenarios[]{
    {"exit", procevent::workload::Exit},
    {"exec_from_thread", procevent::workload::ExecFromThread},
    {"leader_gone", procevent::workload::LeaderGone},
    {"exit_race", procevent::workload::ExitRace},
    {"exit_status", procevent::workload::ExitStatus},
    {"autoreaped", procevent::workload::Autoreaped},
    {"kernel_thread", procevent::workload::KernelThread},
    {"clone_parent", procevent::workload::CloneParent},
    {"rename_thread", procevent::workload::RenameThread},
    {"run_programs", procevent::workload::RunPrograms},
    {"storm", procevent::workload::Storm},
    {"rename_often", procevent::workload::RenameOften},
    {"credentials", procevent::workload::Credentials},
    {"trace", procevent::workload::Trace},
    {"wait", procevent::workload::Wait},
    {"churn", procevent::workload::Churn},
    {"keep", procevent::workload::Keep},
    {"held", procevent::workload::Held},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    procevent::workload::Fail("usage: workload NAME SCENARIO [ARGUMENT...]");
  }
  const std::string_view name = argv[1];
  if (name != "-" && prctl(PR_SET_NAME, argv[1]) != 0) {
    procevent::workload::Fail("prctl");
  }
  const auto* const scenario = std::ranges::find(kScenarios, std::string_view(argv[2]), &Scenario::name);
  if (scenario == std::end(kScenarios)) {
    procevent::workload::Fail("unknown scenario");
  }
  return scenario->run(Arguments(argv + 3, static_cast<std::size_t>(argc - 3)));
}
