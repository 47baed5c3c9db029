// The names of real programs: by exec, by prctl, and never a wrong one.
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

// Meanwhile a process, and what it starts from now on, has one CPU for 5 ms of 35, and is stopped wherever it is.
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
    greedy_ = std::jthread([cpus](const std::stop_token& stop) {
      EXPECT_EQ(::sched_setaffinity(0, sizeof cpus, &cpus), 0);
      while (!stop.stop_requested()) {
        const auto full = std::chrono::steady_clock::now() + 30ms;
        while (std::chrono::steady_clock::now() < full) {
        }
        std::this_thread::sleep_for(5ms);
      }
    });
    const sched_param none{};
    EXPECT_EQ(::sched_setaffinity(pid, sizeof cpus, &cpus), 0);
    EXPECT_EQ(::sched_setscheduler(pid, SCHED_IDLE, &none), 0);
  }

 private:
  std::jthread greedy_;
};

class NameResolverLiveTest : public ProcessTrackerFixture {
 protected:
  void SetUp() override {
    ProcessTrackerFixture::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) {
      Start();
    }
  }

  // 300 runs of a shell that becomes `sleep`; both have names of their own here.
  struct Runs {
    std::uint64_t shells = 0;
    std::uint64_t sleeps = 0;
    std::uint64_t unattributed = 0;
  };
  Runs RunShells(const std::string& at_once, const std::string& pause, const std::string& seconds,
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
      Await([&](const Snapshot& it) { return CountsOf(it, runner)[CountKind::kForks] > 0; });  // it has its name
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
    EXPECT_EQ(grown(after, Own()), 0U);
    EXPECT_EQ(CountsOf(after, "workload")[CountKind::kExecs], 0U);  // the name it had for a moment
    const Runs runs{grown(after, shell), grown(after, sleep), grown(after, kUnattributedName)};
    std::cout << "by name: " << runs.shells << " shells, " << runs.sleeps
              << " sleeps; unattributed on this machine: " << runs.unattributed << "\n";
    return runs;
  }

  static std::string Own() {
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

TEST_F(NameResolverLiveTest, AProgramThatLivesIsNamedByProc) {
  const std::string name = Name("named");
  WorkloadProcess workload(CopyOf(WorkloadProgram(), name), {"-", "wait", "2", "5", "57"}, directory_);
  workload.AwaitReady();
  Await([&](const Snapshot& it) { return CountsOf(it, name)[CountKind::kExecs] > 0; });
  workload.Continue();
  EXPECT_EQ(workload.Wait(), 57 << 8);
  const Snapshot snapshot = AwaitExits(name, 6);
  const Counts tally = CountsOf(snapshot, name);
  EXPECT_EQ(tally[CountKind::kExecs], 1U);
  EXPECT_EQ(tally[CountKind::kForks], 5U);
  EXPECT_EQ(tally[CountKind::kThreadsStarted], 2U);
  EXPECT_EQ(tally[CountKind::kThreadsEnded], 2U);
  EXPECT_EQ(ExitCount(snapshot, name, 0), 5U);
  EXPECT_EQ(ExitCount(snapshot, name, 57), 1U);
}

// While it waits for its vfork nothing that /proc says of it is believed.
TEST_F(NameResolverLiveTest, WhoWasHeldAtFirstIsNamedSoonAfter) {
  const std::string name = Name("held");
  const std::string program = CopyOf(WorkloadProgram(), name);
  for (std::uint64_t run = 1; run <= 5; ++run) {
    EXPECT_EQ(WorkloadProcess(program, {"-", "held", "100", "56"}, directory_).Wait(), 56 << 8);
    const Snapshot snapshot = AwaitExits(name, 2 * run);
    EXPECT_EQ(CountsOf(snapshot, name)[CountKind::kExecs], run);
    EXPECT_EQ(ExitCount(snapshot, name, 56), run);
  }
}

TEST_F(NameResolverLiveTest, AThreadsNameIsNotItsProcesss) {
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

TEST_F(NameResolverLiveTest, NoExecIsBookedUnderAWrongNameAtRest) {
  const Runs runs = RunShells("1", "5", "0");
  EXPECT_LE(runs.shells, 300U);
  EXPECT_LE(runs.sleeps, 300U);
  EXPECT_GE(runs.shells + runs.sleeps + runs.unattributed, 600U);
}

TEST_F(NameResolverLiveTest, NoExecIsBookedUnderAWrongNameInARush) {
  const Runs runs = RunShells("8", "0", "0");
  EXPECT_LE(runs.shells, 300U);
  EXPECT_LE(runs.sleeps, 300U);
  EXPECT_GE(runs.shells + runs.sleeps + runs.unattributed, 600U);
}

// Every sleep lives long enough to be named; a shell that is taken for one is one too many.
TEST_F(NameResolverLiveTest, NoShellIsTakenForTheSleepItBecomes) {
  const Runs runs = RunShells("16", "0", "0.2");
  EXPECT_LE(runs.shells, 300U);
  EXPECT_EQ(runs.sleeps, 300U);
  EXPECT_GE(runs.shells + runs.unattributed, 300U);
}

// In the middle of an exec a program has its new name already, and may be kept there for long.
TEST_F(NameResolverLiveTest, NoShellIsTakenForTheSleepItBecomesWithoutACpu) {
  const Runs runs = RunShells("16", "0", "0.2", true);
  EXPECT_LE(runs.shells, 300U);
  EXPECT_LE(runs.sleeps, 300U);
  EXPECT_GE(runs.shells + runs.sleeps + runs.unattributed, 600U);
}

TEST_F(NameResolverLiveTest, AHundredThousandNamesAreBounded) {
  const Snapshot before = TakeSnapshot();
  const std::uint64_t resident = ResidentBytes();
  RunWorkload({Name("names"), "rename_often", "100000", "50"});
  const Snapshot after = Await([&](const Snapshot& it) {
    return it.ledger.events_of(EventKind::kComm) - before.ledger.events_of(EventKind::kComm) >= 100'000;
  });
  const std::uint64_t events = after.ledger.events_of(EventKind::kComm) - before.ledger.events_of(EventKind::kComm);
  EXPECT_EQ(after.ledger.total_lost(), 0U);
  EXPECT_EQ(after.ledger.comms.rows_in_use, ledger_options_.comm_limit);
  EXPECT_GE(after.ledger.comms.overflowed, 2000 - ledger_options_.comm_limit);
  EXPECT_LE(after.ledger.comms.rows.size(), ledger_options_.comm_limit + kReservedComms);
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
