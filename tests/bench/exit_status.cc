// Measures how often the exit status that is derived from EXIT events differs from that of waitpid:
//   exit_status [--runs N] [--hogs N] [--kind NAME] [--rule derived|latest|last-non-zero]
// Runs each kind of tests/live/workload_exit_kinds.h N times at rest, and N times beside busy processes ("hogs"),
// receives the events of each process, and prints a row of docs/performance.md per kind. The rule `derived` is
// ProcessExitStatus. The others show what it improves on: the status of the latest EXIT, and the last status other than
// 0. Needs root, and works best without other subscribers.
#include "core/tracker/exit_status.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "core/sources/connector/datagram_batch.h"
#include "core/sources/connector/proc_connector.h"
#include "tests/live/workload_exit_kinds.h"

namespace {

using namespace std::chrono_literals;
using procevent::workload::ExitKind;

constexpr auto kEventTimeout = 2s;

enum class Rule : std::uint8_t { kDerived, kLatest, kLastNonZero };
constexpr std::array<std::string_view, 3> kRuleNames{"derived", "latest", "last-non-zero"};

struct Plan {
  int runs = 3000;
  int hogs = 0;           // 0: only at rest
  std::string_view kind;  // empty: all
  Rule rule = Rule::kDerived;
};

[[noreturn]] void Fail(std::string_view what) {
  std::cerr << "exit_status: " << what << "\n";
  std::exit(1);
}

[[noreturn]] void Usage(std::string_view what) {
  std::cerr << "exit_status: " << what
            << "\nusage: exit_status [--runs N] [--hogs N] [--kind NAME] [--rule derived|latest|last-non-zero]\n";
  std::exit(2);
}

pid_t Fork() {
  const pid_t child = fork();
  if (child < 0) {
    Fail("cannot fork: " + std::system_category().message(errno));
  }
  return child;
}

int WaitFor(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child) {
    Fail("cannot wait for a child: " + std::system_category().message(errno));
  }
  return status;
}

// Child processes that keep the CPUs busy until they are destroyed.
class Hogs {
 public:
  explicit Hogs(int count) {
    for (int i = 0; i < count; ++i) {
      const pid_t child = Fork();
      if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
          std::atomic_signal_fence(std::memory_order_seq_cst);  // keeps the compiler from removing the loop
        }
      }
      children_.push_back(child);
    }
  }
  Hogs(const Hogs&) = delete;
  Hogs& operator=(const Hogs&) = delete;
  ~Hogs() {
    for (const pid_t child : children_) {
      kill(child, SIGKILL);
      WaitFor(child);
    }
  }

 private:
  std::vector<pid_t> children_;
};

// One process, as its events show it.
struct ObservedProcess {
  pid_t tgid;
  unsigned threads = 1;
  unsigned exits = 0;
  procevent::ProcessExitStatus status{};
  std::uint32_t last_non_zero = 0;
  std::uint64_t latest_ns = 0;
  std::uint32_t latest = 0;

  [[nodiscard]] bool ended() const { return exits == threads; }

  [[nodiscard]] std::uint32_t StatusBy(Rule rule) const {
    switch (rule) {
      case Rule::kDerived:
        return status.wait_status();
      case Rule::kLatest:
        return latest;
      case Rule::kLastNonZero:
        return last_non_zero;
    }
    std::abort();
  }

  void Apply(const procevent::Event& event) {
    if (const auto* const fork = std::get_if<procevent::ForkBody>(&event.body)) {
      threads += fork->child.tgid == tgid && fork->child.pid != tgid ? 1U : 0U;
    } else if (const auto* const exit = std::get_if<procevent::ExitBody>(&event.body);
               exit && exit->task.tgid == tgid) {
      ++exits;
      status.OnThreadExit(exit->task.pid == tgid, event.timestamp_ns, exit->wait_status);
      last_non_zero = exit->wait_status != 0 ? exit->wait_status : last_non_zero;
      if (event.timestamp_ns >= latest_ns) {
        latest_ns = event.timestamp_ns;
        latest = exit->wait_status;
      }
    }
  }
};

// Receives the events of processes that have ended. Unsubscribes when it is destroyed.
class Listener {
 public:
  Listener() : connector_(Open()) {
    if (const auto subscribed = connector_.Subscribe(); !subscribed) {
      Fail(Describe(subscribed.error()));
    }
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { connector_.Unsubscribe(); }

  // Receives until all threads of the process have exited. Events may arrive after waitpid has returned. Returns
  // nothing if some are missing.
  std::optional<ObservedProcess> Observe(pid_t tgid) {
    ObservedProcess process{.tgid = tgid};
    const auto deadline = std::chrono::steady_clock::now() + kEventTimeout;
    while (!process.ended() && std::chrono::steady_clock::now() < deadline) {
      if (const auto received = connector_.Receive(batch_, 10ms); !received) {
        Fail(Describe(received.error()));
      }
      procevent::ForEachKernelEvent(batch_, [&](const procevent::Event& event) { process.Apply(event); });
    }
    return process.ended() ? std::optional(process) : std::nullopt;
  }

 private:
  static procevent::ProcConnector Open() {
    auto connector = procevent::ProcConnector::Open({});
    if (!connector) {
      Fail(Describe(connector.error()));
    }
    return std::move(connector).value();
  }

  procevent::ProcConnector connector_;
  procevent::DatagramBatch batch_;
};

// Returns the number of processes with a wrong status.
int Measure(Listener& listener, const ExitKind& kind, const Plan& plan) {
  int wrong = 0;
  for (int run = 0; run < plan.runs; ++run) {
    const pid_t child = Fork();
    if (child == 0) {
      kind.run(run);
      _exit(99);
    }
    const auto expected = static_cast<std::uint32_t>(WaitFor(child));
    const auto process = listener.Observe(child);
    if (!process) {
      Fail("cannot receive all events of a process within 2 s");
    }
    wrong += process->StatusBy(plan.rule) != expected ? 1 : 0;
  }
  return wrong;
}

int ParseNumber(std::string_view key, std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) {
    Usage(std::string(key) + ": invalid value \"" + std::string(text) + "\": expected a number");
  }
  return number;
}

Plan ParsePlan(const std::vector<std::string_view>& arguments) {
  Plan plan;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    if (i + 1 == arguments.size()) {
      Usage(std::string(arguments[i]) + ": missing value");
    }
    if (arguments[i] == "--runs") {
      plan.runs = ParseNumber(arguments[i], arguments[i + 1]);
    } else if (arguments[i] == "--hogs") {
      plan.hogs = ParseNumber(arguments[i], arguments[i + 1]);
    } else if (arguments[i] == "--kind") {
      plan.kind = arguments[i + 1];
    } else if (arguments[i] == "--rule") {
      const auto* const name = std::ranges::find(kRuleNames, arguments[i + 1]);
      if (name == kRuleNames.end()) {
        Usage("--rule: unknown rule \"" + std::string(arguments[i + 1]) + "\"");
      }
      plan.rule = static_cast<Rule>(name - kRuleNames.begin());
    } else {
      Usage("unknown flag " + std::string(arguments[i]));
    }
  }
  const auto& kinds = procevent::workload::ExitKinds();
  if (!plan.kind.empty() && std::ranges::find(kinds, plan.kind, &ExitKind::name) == kinds.end()) {
    Usage("--kind: unknown kind \"" + std::string(plan.kind) + "\"");
  }
  return plan;
}

}  // namespace

int main(int argc, char** argv) {
  const Plan plan = ParsePlan({argv + 1, argv + argc});
  Listener listener;
  std::cout << "| how the process ends | at rest |";
  if (plan.hogs > 0) {
    std::cout << " beside " << plan.hogs << " busy processes |";
  }
  std::cout << (plan.hogs > 0 ? "\n| --- | --- | --- |\n" : "\n| --- | --- |\n");
  for (const ExitKind& kind : procevent::workload::ExitKinds()) {
    if (!plan.kind.empty() && plan.kind != kind.name) {
      continue;
    }
    if (NeedsThreadKills(kind)) {
      procevent::workload::AllowThreadKills();  // the last kind, because all later processes have the filter
    }
    std::cout << "| " << kind.description << " | " << Measure(listener, kind, plan) << " of " << plan.runs << " |";
    if (plan.hogs > 0) {
      const Hogs hogs(plan.hogs);
      std::cout << " " << Measure(listener, kind, plan) << " of " << plan.runs << " |";
    }
    std::cout << "\n" << std::flush;
  }
  return 0;
}
