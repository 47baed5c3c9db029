// Generates an exactly known number of process events and prints the numbers as one line of JSON:
//   storm [--kind fork|vfork|exec|threads|rename] --count N [--workers W] [--cpus 0,1]
// `forks` and `exits` count processes, including the workers. `threads` counts threads, all of which end. `execs`
// counts runs of `tiny`, which is in the same folder. `renames` counts COMM events. The numbers exclude the storm's own
// fork, exec and exit. Any error ends the storm with status 1 and without JSON, so printed numbers are exact.
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

enum class Kind : std::uint8_t { kFork, kVfork, kExec, kThreads, kRename };
constexpr std::array<std::string_view, 5> kKindNames{"fork", "vfork", "exec", "threads", "rename"};
constexpr unsigned kMaxWorkers = 256;  // their reports fit in a pipe

struct Plan {
  Kind kind = Kind::kFork;
  std::uint64_t count = 0;  // in total, distributed evenly
  unsigned workers = 1;
  std::vector<unsigned> cpus;  // worker i is pinned to CPU i modulo the size; empty: not pinned
  std::string tiny;
};

struct Report {
  unsigned worker;
  double seconds;
};

[[noreturn]] void Fail(std::string_view what, int error) {
  std::cerr << "storm: " << what << ": " << std::system_category().message(error) << "\n";
  _exit(1);
}

[[noreturn]] void Usage(std::string_view what) {
  std::cerr << "storm: " << what
            << "\nusage: storm [--kind fork|vfork|exec|threads|rename] --count N [--workers W] [--cpus 0,1]\n";
  std::exit(2);
}

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// `child` is the result of fork or vfork.
void AwaitSuccess(pid_t child) {
  int status = 0;
  if (child < 0) {
    Fail("fork", errno);
  }
  if (waitpid(child, &status, 0) != child) {
    Fail("waitpid", errno);
  }
  if (status != 0) {
    std::cerr << "storm: a child ended with wait status " << status << " instead of 0\n";
    _exit(1);
  }
}

void ForkOnce(char* /*tiny*/) {
  const pid_t child = fork();
  if (child == 0) {
    _exit(0);
  }
  AwaitSuccess(child);
}

void VforkOnce(char* /*tiny*/) {
  const pid_t child = vfork();
  if (child == 0) {
    _exit(0);
  }
  AwaitSuccess(child);
}

void ExecOnce(char* tiny) {
  std::array<char*, 2> arguments{tiny, nullptr};
  std::array<char*, 1> environment{nullptr};
  const pid_t child = vfork();
  if (child == 0) {
    execve(tiny, arguments.data(), environment.data());
    _exit(127);
  }
  AwaitSuccess(child);
}

// Throws if the thread cannot be created, which ends the worker and the storm.
void ThreadOnce(char* /*tiny*/) {
  std::thread([] {}).join();
}

// The fastest way to make events, and any user may do it.
void RenameOnce(char* /*tiny*/) {
  if (prctl(PR_SET_NAME, "renamed") != 0) {
    Fail("prctl", errno);
  }
}

void Pin(unsigned cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(cpu, &cpus);
  if (sched_setaffinity(0, sizeof cpus, &cpus) != 0) {
    Fail("sched_setaffinity", errno);
  }
}

constexpr std::array<void (*)(char*), 5> kMakers{ForkOnce, VforkOnce, ExecOnce, ThreadOnce, RenameOnce};  // by Kind

void MakeEvents(Kind kind, std::uint64_t count, char* tiny) {
  const auto make = kMakers.at(static_cast<std::size_t>(kind));
  for (std::uint64_t i = 0; i < count; ++i) {
    make(tiny);
  }
}

struct Pipe {
  int read;
  int write;
};

Pipe OpenPipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    Fail("pipe2", errno);
  }
  return {ends[0], ends[1]};
}

std::uint64_t ShareOf(const Plan& plan, unsigned worker) {
  return plan.count / plan.workers + (worker < plan.count % plan.workers ? 1 : 0);
}

// Waits until the gate opens (its write end is closed), generates the worker's share, and reports the time.
[[noreturn]] void Work(Plan& plan, unsigned worker, const Pipe& gate, const Pipe& reports) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a storm that is killed ends its workers
  if (!plan.cpus.empty()) {
    Pin(plan.cpus[worker % plan.cpus.size()]);
  }
  close(gate.write);
  char unused = 0;
  if (read(gate.read, &unused, 1) != 0) {
    Fail("read the gate", errno);
  }
  const auto start = Clock::now();
  MakeEvents(plan.kind, ShareOf(plan, worker), plan.tiny.data());
  const Report report{worker, SecondsSince(start)};
  if (write(reports.write, &report, sizeof report) != ssize_t{sizeof report}) {
    Fail("write the report", errno);
  }
  _exit(0);
}

struct Outcome {
  double seconds;
  std::vector<double> worker_seconds;
};

Outcome Run(Plan& plan) {
  const Pipe gate = OpenPipe();
  const Pipe reports = OpenPipe();
  std::vector<pid_t> workers;
  for (unsigned worker = 0; worker < plan.workers; ++worker) {
    const pid_t child = fork();
    if (child == 0) {
      Work(plan, worker, gate, reports);
    }
    if (child < 0) {
      Fail("fork a worker", errno);
    }
    workers.push_back(child);
  }
  const auto start = Clock::now();
  close(gate.write);
  for (const pid_t worker : workers) {
    AwaitSuccess(worker);
  }
  Outcome outcome{SecondsSince(start), std::vector<double>(plan.workers)};
  for (unsigned i = 0; i < plan.workers; ++i) {
    Report report{};
    if (read(reports.read, &report, sizeof report) != ssize_t{sizeof report}) {
      Fail("read a report", errno);
    }
    outcome.worker_seconds.at(report.worker) = report.seconds;
  }
  return outcome;
}

// CPU time of the workers and their children, all of which have been waited for.
double CpuSeconds() {
  rusage usage{};
  if (getrusage(RUSAGE_CHILDREN, &usage) != 0) {
    Fail("getrusage", errno);
  }
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string Json(const Plan& plan, const Outcome& outcome) {
  const bool processes = plan.kind != Kind::kThreads && plan.kind != Kind::kRename;
  const std::uint64_t forks = plan.workers + (processes ? plan.count : 0);
  std::ostringstream out;
  out << R"({"kind": ")" << kKindNames.at(static_cast<std::size_t>(plan.kind)) << R"(", "count": )" << plan.count
      << R"(, "workers": )" << plan.workers << R"(, "forks": )" << forks << R"(, "execs": )"
      << (plan.kind == Kind::kExec ? plan.count : 0) << R"(, "exits": )" << forks << R"(, "threads": )"
      << (plan.kind == Kind::kThreads ? plan.count : 0) << R"(, "renames": )"
      << (plan.kind == Kind::kRename ? plan.count : 0) << R"(, "seconds": )" << outcome.seconds
      << R"(, "cpu_seconds": )" << CpuSeconds() << R"(, "worker_seconds": [)";
  std::string_view comma;
  for (const double seconds : outcome.worker_seconds) {
    out << std::exchange(comma, ", ") << seconds;
  }
  out << "]}\n";
  return out.str();
}

template <typename Number>
Number ParseNumber(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    Usage("invalid value \"" + std::string(text) + "\": expected a number");
  }
  return number;
}

std::vector<unsigned> ParseCpus(const std::string& text) {
  std::vector<unsigned> cpus;
  std::istringstream list(text);
  for (std::string cpu; std::getline(list, cpu, ',');) {
    cpus.push_back(ParseNumber<unsigned>(cpu));
    if (cpus.back() >= CPU_SETSIZE) {
      Usage("--cpus: invalid value \"" + cpu + "\": expected a CPU number");
    }
  }
  return cpus;
}

Kind ParseKind(std::string_view text) {
  const auto* const name = std::ranges::find(kKindNames, text);
  if (name == kKindNames.end()) {
    Usage("--kind: invalid value \"" + std::string(text) + "\": expected fork, vfork, exec or threads");
  }
  return static_cast<Kind>(name - kKindNames.begin());
}

Plan ParsePlan(const std::vector<std::string_view>& arguments) {
  Plan plan;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    if (i + 1 == arguments.size()) {
      Usage(std::string(arguments[i]) + ": missing value");
    }
    const std::string_view value = arguments[i + 1];
    if (arguments[i] == "--kind") {
      plan.kind = ParseKind(value);
    } else if (arguments[i] == "--count") {
      plan.count = ParseNumber<std::uint64_t>(value);
    } else if (arguments[i] == "--workers") {
      plan.workers = ParseNumber<unsigned>(value);
    } else if (arguments[i] == "--cpus") {
      plan.cpus = ParseCpus(std::string(value));
    } else {
      Usage("unknown flag " + std::string(arguments[i]));
    }
  }
  if (plan.count == 0 || plan.workers == 0 || plan.workers > kMaxWorkers) {
    Usage("invalid values: expected --count of at least 1 and --workers from 1 to 256");
  }
  return plan;
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan = ParsePlan({argv + 1, argv + argc});
  plan.tiny = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "tiny";
  if (plan.kind == Kind::kExec && access(plan.tiny.c_str(), X_OK) != 0) {
    Fail(plan.tiny, errno);
  }
  const Outcome outcome = Run(plan);
  std::cout << Json(plan, outcome) << std::flush;
  return std::cout.good() ? 0 : 1;
}
