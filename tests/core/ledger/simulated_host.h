// A machine made of random numbers: its processes fork, execute, rename themselves and die, its connector tells of it
// in events, of which some get lost, and its /proc shows the truth of the moment. For ledger_reference_test.
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

struct SimulatedHostOptions {
  std::uint64_t seed = 1;
  unsigned cpus = 4;
  std::int32_t pids = 600;                 // small: numbers come again soon
  std::size_t processes = 150;             // about so many live
  std::size_t names = 60;                  // processes choose among so many; 0: nobody ever has a name that another had
  std::uint64_t mean_gap_ns = 50'000;      // between two things that happen, on average
  std::uint64_t max_delay_ns = 2'000'000;  // the most between something that happens and its event
  double migration_probability = 0.1;      // how often a process's next event is made on another CPU
};

class SimulatedHost {
 public:
  explicit SimulatedHost(const SimulatedHostOptions& options);

  // One more thing happens.
  void Step();
  // Nothing new begins; what has begun comes to its end.
  void AdvanceTime(std::uint64_t nanos);
  // An event on each CPU, of a thread that nobody cares for.
  void SendCanaries();

  // Each event is lost with this probability,
  void LoseAtRandom(double probability) { loss_probability_ = probability; }
  // and so are the next ones.
  void LoseNext(std::size_t events) { lose_next_ = events; }

  std::vector<Event> TakeDelivered() { return std::exchange(delivered_, {}); }
  [[nodiscard]] std::uint64_t now_ns() const { return now_ns_; }
  [[nodiscard]] std::uint64_t generated() const { return generated_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  // Something was lost on a CPU that has not delivered anything since.
  [[nodiscard]] bool HasHiddenLosses() const { return !hidden_loss_cpus_.empty(); }

  // What /proc says.
  [[nodiscard]] std::vector<std::int32_t> ListProcesses() const;
  [[nodiscard]] std::optional<ProcSnapshot> ReadProc(std::int32_t tgid) const;

  // Whether the process of this EXEC event bore the name after it: before its next exec, or ever.
  enum class Until { kNextExec, kEnd };
  [[nodiscard]] bool HadName(std::uint32_t cpu, std::uint32_t sequence, const std::string& name, Until until) const;

 private:
  struct Process {
    std::int32_t tgid = 0;
    std::int32_t parent = 0;
    std::uint64_t serial = 0;
    std::string name;
    std::set<std::int32_t> running;  // threads that have not begun to end
    std::set<std::int32_t> visible;  // threads that /proc counts
    std::uint64_t start_ns = 0;
    std::uint32_t euid = 1000;
    std::uint32_t egid = 1000;
    std::int32_t tracer = 0;
    std::uint32_t cpu = 0;
    bool busy = false;      // in the middle of something
    std::size_t image = 0;  // the exec that it lives in; 0: another's
  };
  struct Image {
    std::set<std::string> names;
    std::size_t next = 0;  // of the same process
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
  // Later, if the process is found there.
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
  std::vector<std::int32_t> tgids_;  // to choose from; may hold some that are gone
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
