// Names of real programs after exec and prctl. No event may be attributed to a wrong name.
#include <sched.h>
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "process_tracker_fixture.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

// While it exists, a process and its later children have one CPU for 5 ms of 35, and are preempted at any point.
class CpuStarvation {
 public:
  explicit CpuStarvation(pid_t pid) {
    cpu_set_t cpus;
    EXPECT_EQ(::sched_getaffinity(0, sizeof cpus, &cpus), 0);
    std::size_t last = CPU_SETSIZE - 1;
    for (; last > 0 && !CPU_ISSET(last, &cpus); --last) {
    }
    CPU_ZERO(&cpus);
    CPU_SET(last, &cpus);
    busy_thread_ = std::jthread([cpus](const std::stop_token& stop) {
      EXPECT_EQ(::sched_setaffinity(0, sizeof cpus, &cpus), 0);
      while (!stop.stop_requested()) {
        const auto busy_until = std::chrono::steady_clock::now() + 30ms;
        while (std::chrono::steady_clock::now() < busy_until) {
        }
        std::this_thread::sleep_for(5ms);
      }
    });
    const sched_param none{};
    EXPECT_EQ(::sched_setaffinity(pid, sizeof cpus, &cpus), 0);
    EXPECT_EQ(::sched_setscheduler(pid, SCHED_IDLE, &none), 0);
  }

 private:
  std::jthread busy_thread_;
};

class NameResolverLiveTest : public ProcessTrackerFixture {
 protected:
  void SetUp() override {
    ProcessTrackerFixture::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) {
      Start();
    }
  }

  // The execs of 300 runs of a shell that executes `sleep`. Both programs have unique names.
  struct ExecCounts {
    std::uint64_t shells = 0;
    std::uint64_t sleeps = 0;
    std::uint64_t unattributed = 0;
  };
  ExecCounts RunShells(const std::string& at_once, const std::string& pause, const std::string& seconds,
                       bool starved = false) {
    const std::string runner = Name("run");
    const std::string shell = Name("shell");
    const std::string sleep = Name("sleep");
    const std::string shell_path = CopyOf("/bin/sh", shell);
    const std::string command = "exec " + CopyOf("/bin/sleep", sleep) + " " + seconds;
    const Snapshot before = TakeSnapshot();
    const auto workload = StartWorkload({runner, "run_programs", "300", at_once, pause, shell_path, "-c", command});
    std::optional<CpuStarvation> starvation;
    if (starved) {
      // Until the workload has its name.
      Await([&](const Snapshot& it) { return CountsOf(it, runner)[CountKind::kForks] > 0; });
      starvation.emplace(workload->pid());
    }
    EXPECT_EQ(workload->Wait(), 0);
    EXPECT_EQ(workload->reported("succeeded"), 300U);
    const auto grown = [&](const Snapshot& it, std::string_view name) {
      return CountsOf(it, name)[CountKind::kExecs] - CountsOf(before, name)[CountKind::kExecs];
    };
    const Snapshot after = Await(
        [&](const Snapshot& it) { return grown(it, shell) + grown(it, sleep) + grown(it, kUnattributedName) >= 600; });
    EXPECT_EQ(CountsOf(after, runner)[CountKind::kForks], 300U);
    EXPECT_EQ(grown(after, runner), 1U);  // the workload itself
    EXPECT_EQ(grown(after, OwnName()), 0U);
    EXPECT_EQ(CountsOf(after, "workload")[CountKind::kExecs], 0U);  // its name before the first rename
    const ExecCounts execs{grown(after, shell), grown(after, sleep), grown(after, kUnattributedName)};
    std::cout << "by name: " << execs.shells << " shells, " << execs.sleeps
              << " sleeps; unattributed on this machine: " << execs.unattributed << "\n";
    return execs;
  }

  static std::string OwnName() {
    std::ifstream file("/proc/self/comm");
    std::string name;
    std::getline(file, name);
    return name;
  }

  static std::uint64_t ResidentBytes() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    file >> size >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
};

TEST_F(NameResolverLiveTest, NamesALivingProgramByProc) {
  const std::string name = Name("named");
  WorkloadProcess workload(CopyOf(WorkloadProgram(), name), {"-", "wait", "2", "5", "57"}, directory_);
  workload.AwaitReady();
  Await([&](const Snapshot& it) { return CountsOf(it, name)[CountKind::kExecs] > 0; });
  workload.Continue();
  EXPECT_EQ(workload.Wait(), 57 << 8);
  const Snapshot snapshot = AwaitExits(name, 6);
  const Counts counts = CountsOf(snapshot, name);
  EXPECT_EQ(counts[CountKind::kExecs], 1U);
  EXPECT_EQ(counts[CountKind::kForks], 5U);
  EXPECT_EQ(counts[CountKind::kThreadsStarted], 2U);
  EXPECT_EQ(counts[CountKind::kThreadsEnded], 2U);
  EXPECT_EQ(ExitCount(snapshot, name, 0), 5U);
  EXPECT_EQ(ExitCount(snapshot, name, 57), 1U);
}

// While a process waits for its vfork child, its /proc snapshot is not trusted.
TEST_F(NameResolverLiveTest, NamesAProgramAfterItsVforkChildExited) {
  const std::string name = Name("held");
  const std::string program = CopyOf(WorkloadProgram(), name);
  for (std::uint64_t run = 1; run <= 5; ++run) {
    EXPECT_EQ(WorkloadProcess(program, {"-", "held", "100", "56"}, directory_).Wait(), 56 << 8);
    const Snapshot snapshot = AwaitExits(name, 2 * run);
    EXPECT_EQ(CountsOf(snapshot, name)[CountKind::kExecs], run);
    EXPECT_EQ(ExitCount(snapshot, name, 56), run);
  }
}

TEST_F(NameResolverLiveTest, DoesNotTakeAThreadsNameForTheProcess) {
  const std::string first = Name("main");
  const std::string thread = Name("side");
  const std::string last = Name("later");
  EXPECT_EQ(StartWorkload({first, "rename_thread", thread, last, "58"})->Wait(), 58 << 8);
  const Snapshot snapshot = AwaitExits(last, 2);
  EXPECT_EQ(RowOf(snapshot, thread), nullptr);
  EXPECT_EQ(CountsOf(snapshot, first)[CountKind::kForks], 1U);
  EXPECT_EQ(CountsOf(snapshot, first)[CountKind::kThreadsStarted], 1U);
  EXPECT_EQ(CountsOf(snapshot, last)[CountKind::kForks], 1U);
  EXPECT_EQ(ExitCount(snapshot, first, 0), 1U);
  EXPECT_EQ(ExitCount(snapshot, last, 0), 1U);
  EXPECT_EQ(ExitCount(snapshot, last, 58), 1U);
}

TEST_F(NameResolverLiveTest, AttributesNoExecToAWrongNameWhenIdle) {
  const ExecCounts execs = RunShells("1", "5", "0");
  EXPECT_LE(execs.shells, 300U);
  EXPECT_LE(execs.sleeps, 300U);
  EXPECT_GE(execs.shells + execs.sleeps + execs.unattributed, 600U);
}

TEST_F(NameResolverLiveTest, AttributesNoExecToAWrongNameUnderLoad) {
  const ExecCounts execs = RunShells("8", "0", "0");
  EXPECT_LE(execs.shells, 300U);
  EXPECT_LE(execs.sleeps, 300U);
  EXPECT_GE(execs.shells + execs.sleeps + execs.unattributed, 600U);
}

// Every sleep lives long enough to be named. A shell counted as a sleep would be one too many.
TEST_F(NameResolverLiveTest, CountsNoShellAsItsSleep) {
  const ExecCounts execs = RunShells("16", "0", "0.2");
  EXPECT_LE(execs.shells, 300U);
  EXPECT_EQ(execs.sleeps, 300U);
  EXPECT_GE(execs.shells + execs.unattributed, 300U);
}

// In the middle of an exec a process already has its new name, and may be preempted there for long.
TEST_F(NameResolverLiveTest, CountsNoShellAsItsSleepWithoutCpuTime) {
  const ExecCounts execs = RunShells("16", "0", "0.2", true);
  EXPECT_LE(execs.shells, 300U);
  EXPECT_LE(execs.sleeps, 300U);
  EXPECT_GE(execs.shells + execs.sleeps + execs.unattributed, 600U);
}

TEST_F(NameResolverLiveTest, BoundsRowsAndMemoryForAHundredThousandNames) {
  const Snapshot before = TakeSnapshot();
  const std::uint64_t resident = ResidentBytes();
  RunWorkload({Name("names"), "rename_often", "100000", "50"});
  const Snapshot after = Await([&](const Snapshot& it) {
    return it.numbers.events_of(EventKind::kComm) - before.numbers.events_of(EventKind::kComm) >= 100'000;
  });
  const std::uint64_t events = after.numbers.events_of(EventKind::kComm) - before.numbers.events_of(EventKind::kComm);
  EXPECT_EQ(after.numbers.total_lost(), 0U);
  EXPECT_EQ(after.numbers.groups.rows_in_use, counting_options_.group_limit);
  EXPECT_GE(after.numbers.groups.overflowed, 2000 - counting_options_.group_limit);
  EXPECT_LE(after.numbers.groups.rows.size(), counting_options_.group_limit + kReservedGroups);
  EXPECT_EQ(CountsOf(after, "pe~0")[CountKind::kForks], 1U);
  EXPECT_EQ(CountsOf(after, "pe~0")[CountKind::kSucceeded], 1U);
  std::uint64_t forks = CountsOf(after, kOverflowName)[CountKind::kForks];
  for (int i = 0; i < 100'000; i += 50) {
    forks += CountsOf(after, "pe~" + std::to_string(i))[CountKind::kForks];
  }
  EXPECT_GE(forks, 2000U);
  EXPECT_LE(ResidentBytes() - std::min(resident, ResidentBytes()), 48U << 20U);
  EXPECT_LE((after.reader_cpu_ns - before.reader_cpu_ns) / events, 50'000U);
  std::cout << "CPU of the reader: " << (after.reader_cpu_ns - before.reader_cpu_ns) / events
            << " ns a rename; memory: " << (ResidentBytes() - std::min(resident, ResidentBytes())) / 1024
            << " KiB more\n";
}

}  // namespace
}  // namespace procevent
