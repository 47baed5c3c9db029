// Compares the table with a simulated machine, whose events, /proc and process histories are all known.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/lookup/process_table.h"
#include "tests/core/lookup/fake_proc.h"

namespace procevent {
namespace {

constexpr std::int32_t kPids = 400;
constexpr std::size_t kMaxAlive = 40;
constexpr std::uint64_t kMinReuseInterval = 300 * kNanosPerMilli;  // minimum time before a PID is reused
constexpr std::uint64_t kForever = UINT64_MAX;

// One process from start to exit, with the times of its name and user changes.
struct ProcessHistory {
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = kForever;
  std::int32_t parent = 0;
  unsigned threads = 1;
  bool main_exited = false;
  std::map<std::uint64_t, std::string> names;
  std::map<std::uint64_t, std::uint32_t> users;
};

// Whether the process had `value` at `from_ns` or later. After its exit a process keeps its last value.
template <typename T>
bool HadValueSince(const std::map<std::uint64_t, T>& values, std::uint64_t from_ns, const T& value) {
  auto at = values.upper_bound(from_ns);
  at = at == values.begin() ? at : std::prev(at);
  return std::any_of(at, values.end(), [&](const auto& entry) { return entry.second == value; });
}

// Simulates processes. Each step first changes the fake /proc and then emits an event.
class ProcessSimulator {
 public:
  explicit ProcessSimulator(std::uint32_t seed) : random_(seed) {
    AddProcess(kFirstFakePid, {.start_ns = MonotonicNanos(), .names = {{0, "first"}}, .users = {{0, 0}}});
  }

  // Performs one random action.
  void Step() {
    const std::int32_t pid = alive_[RandomBelow(alive_.size())];
    switch (RandomBelow(10)) {
      case 0:
        return Rename(pid);
      case 1:
        return SetUser(pid);
      case 2:
        return StartThread(pid);
      case 3:
        return EndThread(pid);
      case 4:
      case 5:
        return Exec(pid);
      case 6:
        return ExitAll(pid);
      default:
        return alive_.size() < kMaxAlive ? Fork(pid) : ExitAll(pid);
    }
  }
  std::size_t RandomBelow(std::size_t below) { return random_() % below; }

  // All processes that had this PID, in order.
  [[nodiscard]] const std::vector<ProcessHistory>& HistoriesOf(std::int32_t pid) const { return histories_.at(pid); }
  [[nodiscard]] const std::map<std::int32_t, std::vector<ProcessHistory>>& histories() const { return histories_; }

  FakeProc proc;
  std::deque<std::optional<Event>> queue;  // empty: events were lost here

 private:
  ProcessHistory& Current(std::int32_t pid) { return histories_.at(pid).back(); }
  std::string FreshName() { return "n" + std::to_string(++names_); }
  void Emit(const Event::Body& body) { queue.emplace_back(EventNow(body)); }

  void WriteProc(std::int32_t pid) {
    const ProcessHistory& history = Current(pid);
    proc.Write(pid, {.name = history.names.rbegin()->second,
                     .start_ns = history.start_ns,
                     .user = history.users.rbegin()->second,
                     .parent = history.parent,
                     .state = history.main_exited ? 'Z' : 'S',
                     .threads = history.threads + (history.main_exited ? 1 : 0)});
  }
  void AddProcess(std::int32_t pid, ProcessHistory history) {
    histories_[pid].push_back(std::move(history));
    alive_.push_back(pid);
    WriteProc(pid);
  }

  [[nodiscard]] bool IsFree(std::int32_t pid) const {
    const auto found = histories_.find(pid);
    return found == histories_.end() || (found->second.back().end_ns != kForever &&
                                         found->second.back().start_ns + kMinReuseInterval < MonotonicNanos());
  }
  void Fork(std::int32_t parent) {
    do {
      next_ = next_ % kPids + 1;
    } while (!IsFree(kFirstFakePid + next_));
    const std::int32_t pid = kFirstFakePid + next_;
    const std::uint64_t now = MonotonicNanos();
    AddProcess(pid, {.start_ns = now,
                     .parent = parent,
                     .names = {{now, Current(parent).names.rbegin()->second}},
                     .users = {{now, Current(parent).users.rbegin()->second}}});
    Emit(ForkBody{MainThread(parent), MainThread(pid)});
  }
  void Exec(std::int32_t pid) {
    Current(pid).names[MonotonicNanos()] = FreshName();
    Current(pid).threads = 1;
    WriteProc(pid);
    Emit(ExecBody{MainThread(pid)});
  }
  void Rename(std::int32_t pid) {
    const std::string name = FreshName();
    Current(pid).names[MonotonicNanos()] = name;
    WriteProc(pid);
    Emit(MakeComm(MainThread(pid), name));
  }
  void SetUser(std::int32_t pid) {
    const std::uint32_t user = ++users_;
    Current(pid).users[MonotonicNanos()] = user;
    WriteProc(pid);
    Emit(UidBody{MainThread(pid), user + 1'000'000, user});
  }
  void StartThread(std::int32_t pid) {
    ++Current(pid).threads;
    WriteProc(pid);
    Emit(ForkBody{MainThread(Current(pid).parent), {-1, pid}});
  }
  void EndThread(std::int32_t pid) {
    if (Current(pid).threads > 1) {
      --Current(pid).threads;
      WriteProc(pid);
      Emit(MakeExit({-1, pid}));
    }
  }
  // Exits all threads in random order. Half of the processes stay as zombies. The first process never exits.
  void ExitAll(std::int32_t pid) {
    ProcessHistory& history = Current(pid);
    while (pid != kFirstFakePid && history.threads > 0) {
      const bool is_main = !history.main_exited && RandomBelow(history.threads) == 0;
      history.main_exited = history.main_exited || is_main;
      --history.threads;
      if (history.threads == 0) {
        history.end_ns = MonotonicNanos();
        std::erase(alive_, pid);
      }
      WriteProc(pid);
      if (history.threads == 0 && RandomBelow(2) == 0) {
        proc.Remove(pid);
      }
      Emit(MakeExit({is_main ? pid : -1, pid}));
    }
  }

  std::mt19937 random_;
  std::map<std::int32_t, std::vector<ProcessHistory>> histories_;
  std::vector<std::int32_t> alive_;
  std::int32_t next_ = 0;
  std::uint64_t names_ = 0;
  std::uint32_t users_ = 0;
};

std::string NameOf(const Process& process) { return std::string(process.command->view()); }

// Compares the start times, with tolerance for a delayed FORK.
bool Matches(const Process& process, const ProcessHistory& history) {
  return process.start_ns == 0 ||
         (process.start_ns + kMinReuseInterval > history.start_ns && process.start_ns < history.end_ns);
}

// The process had this command and user at the time of the last event or later.
void ExpectPlausible(const Process& process, const ProcessSimulator& simulator, std::uint64_t when_ns) {
  const auto& histories = simulator.HistoriesOf(process.pid);
  ASSERT_TRUE(std::ranges::any_of(histories,
                                  [&](const ProcessHistory& history) {
                                    return Matches(process, history) &&
                                           (!process.command ||
                                            HadValueSince(history.names, when_ns, NameOf(process))) &&
                                           (!process.user || HadValueSince(history.users, when_ns, *process.user));
                                  }))
      << process.pid << " " << (process.command ? NameOf(process) : "?") << " of " << process.user.value_or(0);
}

void ExpectCurrent(const Process& process, const ProcessHistory& history) {
  ASSERT_EQ(process.alive, history.end_ns == kForever) << process.pid;
  ASSERT_TRUE(Matches(process, history)) << process.pid;
  ASSERT_EQ(process.parent, history.parent) << process.pid;
  ASSERT_TRUE(process.command && process.user) << process.pid;
  ASSERT_EQ(NameOf(process), history.names.rbegin()->second) << process.pid;
  ASSERT_EQ(*process.user, history.users.rbegin()->second) << process.pid;
}

class ProcessTablePropertyTest : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, ProcessTablePropertyTest, testing::Range(1U, 4U));

TEST_P(ProcessTablePropertyTest, KnowsEverythingWithoutDelay) {
  ProcessSimulator simulator(GetParam());
  ProcessTable table({.limit = 100'000, .proc = simulator.proc.path()});
  ASSERT_TRUE(table.Bootstrap().ok());
  for (int i = 1; i <= 1'500; ++i) {
    simulator.Step();
    for (; !simulator.queue.empty(); simulator.queue.pop_front()) {
      table.Apply(*simulator.queue.front());
    }
    for (const auto& [pid, histories] : simulator.histories()) {
      const auto process = table.Find(pid);
      ASSERT_TRUE(process) << pid;
      ExpectCurrent(*process, histories.back());
      ASSERT_FALSE(HasFatalFailure()) << "after " << i;
    }
  }
}

TEST_P(ProcessTablePropertyTest, KnowsNothingWrongWithDelayAndLosses) {
  ProcessSimulator simulator(GetParam());
  ProcessTable table({.limit = 100'000, .proc = simulator.proc.path()});
  ASSERT_TRUE(table.Bootstrap().ok());
  std::size_t known = 0;
  std::size_t lookups = 0;
  for (int i = 0; i < 3'000; ++i) {
    simulator.Step();
    if (!simulator.queue.empty() && simulator.RandomBelow(40) == 0) {  // the last event is lost
      simulator.queue.pop_back();
      simulator.queue.emplace_back(std::nullopt);
    }
    for (std::size_t left = simulator.RandomBelow(3); left > 0 && !simulator.queue.empty(); --left) {
      const std::optional<Event> event = simulator.queue.front();
      simulator.queue.pop_front();
      if (!event) {
        table.Invalidate();
        continue;
      }
      table.Apply(*event);
      for (const auto& [pid, histories] : simulator.histories()) {
        if (const auto process = table.Find(pid)) {
          ExpectPlausible(*process, simulator, event->timestamp_ns);
          ASSERT_FALSE(HasFatalFailure()) << "after " << i;
          ++lookups;
          known += process->command ? 1U : 0U;
        }
      }
    }
  }
  EXPECT_GT(known, lookups / 2) << "too few commands are known";
}

// Simple model of the PIDs in a bounded table, as lists.
class ReferenceProcessTable {
 public:
  explicit ReferenceProcessTable(std::size_t limit) : limit_(limit) {}

  void Apply(const Event& event, const ProcessSimulator& simulator) {
    const auto* const fork = std::get_if<ForkBody>(&event.body);
    if (fork != nullptr && fork->child.pid > 0) {
      Insert(fork->parent.tgid);
      Erase(fork->child.tgid);
      Insert(fork->child.tgid);
      return;
    }
    const std::int32_t pid = PidOf(event);
    Insert(pid);
    if (simulator.HistoriesOf(pid).back().end_ns != kForever && std::erase(living_, pid) > 0) {
      exited_.push_back(pid);
    }
  }
  void Insert(std::int32_t pid) {
    if (Has(pid)) {
      return;
    }
    if (living_.size() + exited_.size() == limit_) {
      std::vector<std::int32_t>& from = exited_.empty() ? living_ : exited_;
      from.erase(from.begin());
    }
    living_.push_back(pid);
  }
  [[nodiscard]] bool Has(std::int32_t pid) const {
    return std::ranges::count(living_, pid) + std::ranges::count(exited_, pid) > 0;
  }

 private:
  static std::int32_t PidOf(const Event& event) {
    return std::visit(
        [](const auto& body) -> std::int32_t {
          if constexpr (requires { body.task; }) {
            return body.task.tgid;
          } else if constexpr (requires { body.child; }) {
            return body.child.tgid;
          } else {
            return 0;
          }
        },
        event.body);
  }
  void Erase(std::int32_t pid) {
    std::erase(living_, pid);
    std::erase(exited_, pid);
  }

  std::size_t limit_;
  std::vector<std::int32_t> living_;
  std::vector<std::int32_t> exited_;
};

TEST_P(ProcessTablePropertyTest, EvictsExitedProcessesThenOldest) {
  const std::size_t limit = 1 + GetParam() * 12;
  ProcessSimulator simulator(GetParam());
  ProcessTable table({.limit = limit, .proc = simulator.proc.path()});
  ReferenceProcessTable reference(limit);
  for (int i = 1; i <= 1'500; ++i) {
    simulator.Step();
    for (; !simulator.queue.empty(); simulator.queue.pop_front()) {
      const Event& event = *simulator.queue.front();
      table.Apply(event);
      reference.Apply(event, simulator);
    }
    ASSERT_LE(table.size(), limit);
    for (const auto& [pid, histories] : simulator.histories()) {
      const auto process = table.Find(pid);
      ASSERT_EQ(process.has_value(), reference.Has(pid)) << pid << " after " << i;
      if (process) {
        ExpectPlausible(*process, simulator, MonotonicNanos());
        ASSERT_FALSE(HasFatalFailure()) << "after " << i;
      }
    }
  }
}

}  // namespace
}  // namespace procevent
