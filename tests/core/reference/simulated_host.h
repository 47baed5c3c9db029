// Simulates a host at random: processes that fork, execute, rename themselves and exit, a connector that loses some of
// the events, and a /proc with the state of the moment.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/protocol/event.h"
#include "core/protocol/proc_snapshot.h"

namespace procevent {

// How busy the host is.
struct SimulatedHostOptions {
  std::uint64_t seed = 1;
  unsigned cpus = 4;
  std::int32_t pids = 600;                 // small, so that pids are reused soon
  std::size_t processes = 150;             // about this many are alive
  std::size_t names = 60;                  // number of names in use; 0: every name is used only once
  std::uint64_t mean_gap_ns = 50'000;      // mean time between two actions
  std::uint64_t max_delay_ns = 2'000'000;  // maximum time from a change to its event
  double migration_probability = 0.1;      // that a process's next event is made on another CPU
};

// A host whose events and /proc contents are consistent with each other.
class SimulatedHost {
 public:
  explicit SimulatedHost(const SimulatedHostOptions& options);

  // Starts one random action.
  void Step();
  // Finishes actions that are due, and starts none.
  void AdvanceTime(std::uint64_t nanos);
  // Makes one event on each CPU, by a thread that no test uses.
  void SendCanaries();

  // Sets the probability that an event is lost.
  void LoseAtRandom(double probability) { loss_probability_ = probability; }
  // Loses the next events.
  void LoseNext(std::size_t events) { lose_next_ = events; }

  std::vector<Event> TakeDelivered() { return std::exchange(delivered_, {}); }
  [[nodiscard]] std::uint64_t now_ns() const { return now_ns_; }
  [[nodiscard]] std::uint64_t generated() const { return generated_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  // Whether a CPU lost an event and delivered none since, so that no gap shows the loss yet.
  [[nodiscard]] bool HasHiddenLosses() const { return !hidden_loss_cpus_.empty(); }

  // The contents of /proc.
  [[nodiscard]] std::vector<std::int32_t> ListProcesses() const;
  [[nodiscard]] std::optional<ProcSnapshot> ReadProc(std::int32_t tgid) const;

  // Whether the process had the name after this EXEC event: before its next exec, or at any time.
  enum class Until { kNextExec, kEnd };
  [[nodiscard]] bool HadName(std::uint32_t cpu, std::uint32_t sequence, const std::string& name, Until until) const;

 private:
  struct Process {
    std::int32_t tgid = 0;
    std::int32_t parent = 0;
    std::uint64_t serial = 0;
    std::string name;
    std::set<std::int32_t> running;  // threads that have not started to exit
    std::set<std::int32_t> visible;  // threads that /proc counts
    std::uint64_t start_ns = 0;
    std::uint32_t euid = 1000;
    std::uint32_t egid = 1000;
    std::int32_t tracer = 0;
    std::uint32_t cpu = 0;
    bool busy = false;      // an action has started and is not finished
    std::size_t image = 0;  // index of its program image; 0: not from an exec of its own
  };
  // A program that a process executes, and the names that it had.
  struct Image {
    std::set<std::string> names;
    std::size_t next = 0;  // the next image of the same process
  };
  static constexpr std::int32_t kInit = 1;
  static std::array<char, kCommSize> CommOf(const std::string& name);
  using Continuation = std::function<void(Process&)>;

  std::uint64_t Random(std::uint64_t below) {
    return std::uniform_int_distribution<std::uint64_t>(0, below - 1)(random_);
  }
  bool Chance(double probability) { return std::bernoulli_distribution(probability)(random_); }
  std::uint64_t EventDelay();
  std::string NewName();
  std::int32_t NewPid();
  void ReleasePid(std::int32_t pid) { used_.erase(pid); }
  Process* AnyIdleProcess();
  Process& ParentOf(const Process& process);
  static Task Leader(const Process& process) { return {process.tgid, process.tgid}; }
  Task AnyThread(const Process& process);

  void Emit(std::uint32_t cpu, Event::Body body);
  void Emit(Process& process, Event::Body body);
  // Runs the continuation after a delay, unless the process is gone by then.
  void Schedule(Process& process, std::uint64_t nanos, Continuation then);
  void AdvanceTo(std::uint64_t when_ns);

  void ActRandomly(Process& process);
  void Fork(Process& process);
  void StartThread(Process& process);
  void EndThread(Process& process, std::int32_t pid, std::uint32_t wait_status);
  void EndAnyThread(Process& process);
  void Exec(Process& process);
  void ReplaceImage(Process& process);
  void Rename(Process& process);
  void SetName(Process& process, const std::string& name);
  void ChangeCredential(Process& process);
  void Trace(Process& process);
  void Exit(Process& process);
  void Reap(Process& process);
  void ScheduleExecOrExit(Process& process);

  SimulatedHostOptions options_;
  std::mt19937_64 random_;
  std::vector<std::string> names_;
  std::uint64_t names_made_ = 0;
  std::uint64_t now_ns_ = 60'000'000'000;
  std::map<std::int32_t, Process> processes_;
  std::vector<std::int32_t> tgids_;  // to choose from; some may be gone
  std::set<std::int32_t> used_;
  std::int32_t last_pid_ = 1;
  std::uint64_t last_serial_ = 0;
  std::multimap<std::uint64_t, std::function<void()>> scheduled_;

  std::vector<std::uint32_t> sequences_;
  std::vector<Event> delivered_;
  std::set<std::uint32_t> hidden_loss_cpus_;
  double loss_probability_ = 0;
  std::size_t lose_next_ = 0;
  std::uint64_t generated_ = 0;
  std::uint64_t lost_ = 0;

  std::vector<Image> images_{1};
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> image_of_;
};

}  // namespace procevent
