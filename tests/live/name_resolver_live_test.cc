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
class Starvation {
 public:
  explicit Starvation(pid_t pid) {
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

class NamesLiveTest : public CensusFixture {
 protected:
  void SetUp() override {
    CensusFixture::SetUp();
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
    const Snapshot before = Take();
    const auto actor = Play({runner, "run_programs", "300", at_once, pause, shell_path, "-c", command});
    std::optional<Starvation> starvation;
    if (starved) {
      Await([&](const Snapshot& it) { return TallyOf(it, runner)[Count::kForks] > 0; });  // it has its name
      starvation.emplace(actor->pid());
    }
    EXPECT_EQ(actor->Wait(), 0);
    EXPECT_EQ(actor->told("succeeded"), 300U);
    const auto grown = [&](const Snapshot& it, std::string_view name) {
      return TallyOf(it, name)[Count::kExecs] - TallyOf(before, name)[Count::kExecs];
    };
    const Snapshot after = Await(
        [&](const Snapshot& it) { return grown(it, shell) + grown(it, sleep) + grown(it, kUnattributedName) >= 600; });
    EXPECT_EQ(TallyOf(after, runner)[Count::kForks], 300U);
    EXPECT_EQ(grown(after, runner), 1U);  // the actor itself
    EXPECT_EQ(grown(after, Own()), 0U);
    EXPECT_EQ(TallyOf(after, "workload")[Count::kExecs], 0U);  // the name it had for a moment
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

TEST_F(NamesLiveTest, AProgramThatLivesIsNamedByProc) {
  const std::string name = Name("named");
  Actor actor(CopyOf(ActorProgram(), name), {"-", "wait", "2", "5", "57"}, directory_);
  actor.AwaitReady();
  Await([&](const Snapshot& it) { return TallyOf(it, name)[Count::kExecs] > 0; });
  actor.GoOn();
  EXPECT_EQ(actor.Wait(), 57 << 8);
  const Snapshot snapshot = AwaitEnds(name, 6);
  const Tally tally = TallyOf(snapshot, name);
  EXPECT_EQ(tally[Count::kExecs], 1U);
  EXPECT_EQ(tally[Count::kForks], 5U);
  EXPECT_EQ(tally[Count::kThreadsStarted], 2U);
  EXPECT_EQ(tally[Count::kThreadsEnded], 2U);
  EXPECT_EQ(Ended(snapshot, name, 0), 5U);
  EXPECT_EQ(Ended(snapshot, name, 57), 1U);
}

// While it waits for its vfork nothing that /proc says of it is believed.
TEST_F(NamesLiveTest, WhoWasHeldAtFirstIsNamedSoonAfter) {
  const std::string name = Name("held");
  const std::string program = CopyOf(ActorProgram(), name);
  for (std::uint64_t run = 1; run <= 5; ++run) {
    EXPECT_EQ(Actor(program, {"-", "held", "100", "56"}, directory_).Wait(), 56 << 8);
    const Snapshot snapshot = AwaitEnds(name, 2 * run);
    EXPECT_EQ(TallyOf(snapshot, name)[Count::kExecs], run);
    EXPECT_EQ(Ended(snapshot, name, 56), run);
  }
}

TEST_F(NamesLiveTest, AThreadsNameIsNotItsProcesss) {
  const std::string first = Name("main");
  const std::string thread = Name("side");
  const std::string last = Name("later");
  EXPECT_EQ(Play({first, "rename_thread", thread, last, "58"})->Wait(), 58 << 8);
  const Snapshot snapshot = AwaitEnds(last, 2);
  EXPECT_EQ(RowOf(snapshot, thread), nullptr);
  EXPECT_EQ(TallyOf(snapshot, first)[Count::kForks], 1U);
  EXPECT_EQ(TallyOf(snapshot, first)[Count::kThreadsStarted], 1U);
  EXPECT_EQ(TallyOf(snapshot, last)[Count::kForks], 1U);
  EXPECT_EQ(Ended(snapshot, first, 0), 1U);
  EXPECT_EQ(Ended(snapshot, last, 0), 1U);
  EXPECT_EQ(Ended(snapshot, last, 58), 1U);
}

TEST_F(NamesLiveTest, NoExecIsBookedUnderAWrongNameAtRest) {
  const Runs runs = RunShells("1", "5", "0");
  EXPECT_LE(runs.shells, 300U);
  EXPECT_LE(runs.sleeps, 300U);
  EXPECT_GE(runs.shells + runs.sleeps + runs.unattributed, 600U);
}

TEST_F(NamesLiveTest, NoExecIsBookedUnderAWrongNameInARush) {
  const Runs runs = RunShells("8", "0", "0");
  EXPECT_LE(runs.shells, 300U);
  EXPECT_LE(runs.sleeps, 300U);
  EXPECT_GE(runs.shells + runs.sleeps + runs.unattributed, 600U);
}

// Every sleep lives long enough to be named; a shell that is taken for one is one too many.
TEST_F(NamesLiveTest, NoShellIsTakenForTheSleepItBecomes) {
  const Runs runs = RunShells("16", "0", "0.2");
  EXPECT_LE(runs.shells, 300U);
  EXPECT_EQ(runs.sleeps, 300U);
  EXPECT_GE(runs.shells + runs.unattributed, 300U);
}

// In the middle of an exec a program has its new name already, and may be kept there for long.
TEST_F(NamesLiveTest, NoShellIsTakenForTheSleepItBecomesWithoutACpu) {
  const Runs runs = RunShells("16", "0", "0.2", true);
  EXPECT_LE(runs.shells, 300U);
  EXPECT_LE(runs.sleeps, 300U);
  EXPECT_GE(runs.shells + runs.sleeps + runs.unattributed, 600U);
}

TEST_F(NamesLiveTest, AHundredThousandNamesAreBounded) {
  const Snapshot before = Take();
  const std::uint64_t resident = ResidentBytes();
  PlayOut({Name("names"), "rename_often", "100000", "50"});
  const Snapshot after = Await([&](const Snapshot& it) {
    return it.numbers.events_of(EventKind::kComm) - before.numbers.events_of(EventKind::kComm) >= 100'000;
  });
  const std::uint64_t events = after.numbers.events_of(EventKind::kComm) - before.numbers.events_of(EventKind::kComm);
  EXPECT_EQ(after.numbers.lost_in_all(), 0U);
  EXPECT_EQ(after.numbers.comms.taken, ledger_options_.comm_limit);
  EXPECT_GE(after.numbers.comms.overflowed, 2000 - ledger_options_.comm_limit);
  EXPECT_LE(after.numbers.comms.rows.size(), ledger_options_.comm_limit + kReservedComms);
  EXPECT_EQ(TallyOf(after, "pe~0")[Count::kForks], 1U);
  EXPECT_EQ(TallyOf(after, "pe~0")[Count::kSucceeded], 1U);
  std::uint64_t forks = TallyOf(after, kOverflowName)[Count::kForks];
  for (int i = 0; i < 100'000; i += 50) {
    forks += TallyOf(after, "pe~" + std::to_string(i))[Count::kForks];
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
