// A process that does something peculiar, exactly so many times, for the tests of the census:
//   actor NAME SCENE [ARGUMENT...]
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

using procevent::actor::Arguments;

struct Scene {
  std::string_view name;
  int (*play)(Arguments arguments);
};

constexpr Scene kScenes[]{
    {"exit", procevent::actor::Exit},
    {"exec_from_thread", procevent::actor::ExecFromThread},
    {"leader_gone", procevent::actor::LeaderGone},
    {"exit_race", procevent::actor::ExitRace},
    {"autoreaped", procevent::actor::Autoreaped},
    {"kernel_thread", procevent::actor::KernelThread},
    {"clone_parent", procevent::actor::CloneParent},
    {"rename_thread", procevent::actor::RenameThread},
    {"run_programs", procevent::actor::RunPrograms},
    {"storm", procevent::actor::Storm},
    {"rename_often", procevent::actor::RenameOften},
    {"credentials", procevent::actor::Credentials},
    {"trace", procevent::actor::Trace},
    {"wait", procevent::actor::Wait},
    {"churn", procevent::actor::Churn},
    {"keep", procevent::actor::Keep},
    {"held", procevent::actor::Held},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    procevent::actor::Fail("usage: actor NAME SCENE [ARGUMENT...]");
  }
  const std::string_view name = argv[1];
  if (name != "-" && prctl(PR_SET_NAME, argv[1]) != 0) {
    procevent::actor::Fail("prctl");
  }
  const auto* const scene = std::ranges::find(kScenes, std::string_view(argv[2]), &Scene::name);
  if (scene == std::end(kScenes)) {
    procevent::actor::Fail("no such scene");
  }
  return scene->play(Arguments(argv + 3, static_cast<std::size_t>(argc - 3)));
}
