// An exec that fails beyond the point of no return has renamed the process. No event may be counted under that name.
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>

#include "process_tracker_fixture.h"

namespace procevent {
namespace {

class FailedExecTest : public ProcessTrackerFixture {
 protected:
  static constexpr std::uint64_t kRuns = 32;

  // Runs programs whose next exec fails, and expects no event under the name of that exec.
  void ExpectNoEventOfTheFailedExec(const std::string& descriptors, const ReaderOptions& options) {
    const std::filesystem::path program = WorkloadProgram().parent_path() / "failed_exec";
    const std::string good = Name("good");
    const std::string bad = Name("bad");
    Start({}, options);
    const Snapshot before = TakeSnapshot();
    WorkloadProcess runs(CopyOf(program, Name("fail")),
                         {std::to_string(kRuns), descriptors, CopyOf(program, good), directory_ / bad}, directory_);
    ASSERT_EQ(runs.Wait(), 0);
    const auto grown = [&before](const Snapshot& it, std::string_view name) {
      return CountsOf(it, name)[CountKind::kExecs] - CountsOf(before, name)[CountKind::kExecs];
    };
    const Snapshot after = Await(
        [&](const Snapshot& it) { return grown(it, good) + grown(it, bad) + grown(it, kUnattributedName) >= kRuns; });
    std::cout << "execs by name: " << grown(after, good) << " right, " << grown(after, bad)
              << " of the failed exec, unattributed on this machine: " << grown(after, kUnattributedName) << "\n";
    EXPECT_EQ(RowOf(after, bad), nullptr);
  }
};

TEST_F(FailedExecTest, NamesNothingWhileItExitsSlowly) { ExpectNoEventOfTheFailedExec("19800", {}); }

TEST_F(FailedExecTest, NamesNothingWhileItExitsSlowlyAndEventsAreDrainedOften) {
  ExpectNoEventOfTheFailedExec("19800", {.drain_interval = std::chrono::milliseconds(1)});
}

TEST_F(FailedExecTest, NamesNothingWhileItExitsFast) {
  ExpectNoEventOfTheFailedExec("10", {.drain_interval = std::chrono::milliseconds(1)});
}

}  // namespace
}  // namespace procevent
