// A process that does something peculiar, exactly so many times, for the tests of the census:
//   workload NAME SCENE [ARGUMENT...]
// It calls itself NAME first ("-": it keeps the name of its file). What it learned from the kernel it prints as lines
// of "KEY NUMBER"; those that wait print "ready" and go on when a line comes in. Anything that does not go as planned
// ends it with 99.
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
  int (*play)(Arguments arguments);
};

constexpr Scenario kScenarios[]{
    {"exit", procevent::workload::Exit},
    {"exec_from_thread", procevent::workload::ExecFromThread},
    {"leader_gone", procevent::workload::LeaderGone},
    {"exit_race", procevent::workload::ExitRace},
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
    procevent::workload::Fail("usage: workload NAME SCENE [ARGUMENT...]");
  }
  const std::string_view name = argv[1];
  if (name != "-" && prctl(PR_SET_NAME, argv[1]) != 0) {
    procevent::workload::Fail("prctl");
  }
  const auto* const scene = std::ranges::find(kScenarios, std::string_view(argv[2]), &Scenario::name);
  if (scene == std::end(kScenarios)) {
    procevent::workload::Fail("no such scene");
  }
  return scene->play(Arguments(argv + 3, static_cast<std::size_t>(argc - 3)));
}
