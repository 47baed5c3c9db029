// Scenarios of the workload program. Each one runs for the whole life of the process, and returns its exit status.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace procevent::workload {

using Arguments = std::span<char*>;

// Tools of the scenarios.
[[noreturn]] void Fail(std::string_view what);
int Number(Arguments arguments, std::size_t index);
void Report(std::string_view key, unsigned long long number);
void AwaitLine();  // prints "ready" first
pid_t ForkInto(const std::function<int()>& body);
int AwaitStatus(pid_t child);  // as waitpid reports it
// Starts detached threads that run `body`.
void StartThreads(int threads, void* (*body)(void*), void* argument = nullptr);
void* PauseForever(void* unused);

// Counts in which ways children exited, as waitpid says.
class ExitCounts {
 public:
  void Add(int wait_status);
  void Report() const;  // "status_N", "signal_N", and of the latter "core_dumped"

 private:
  std::map<std::string, unsigned long long> counts_;
};

int Exit(Arguments arguments);            // STATUS
int ExecFromThread(Arguments arguments);  // NAME STATUS: of the program that it executes
int LeaderGone(Arguments arguments);      // STATUS [wait]: of the remaining thread, which waits for a line with "wait"
int ExitRace(Arguments arguments);        // RUNS THREADS STATUS: of every other run
int ExitStatus(Arguments arguments);      // KIND RUNS: a kind of workload_exit_kinds.h
int Autoreaped(Arguments arguments);      // CHILDREN STATUS
int KernelThread(Arguments arguments);    // DIRECTORY: empty, to mount /sys on; makes the kernel start a thread
int CloneParent(Arguments arguments);     // NAME: of the child that makes a sibling
int RenameThread(Arguments arguments);    // THREAD-NAME LEADER-NAME STATUS
int RunPrograms(Arguments arguments);     // RUNS AT-ONCE PAUSE-MS PROGRAM [ARGUMENT...]
int Storm(Arguments arguments);           // NAME: of the programs that it executes
int RenameOften(Arguments arguments);     // TIMES FORK-EVERY
int Credentials(Arguments arguments);     //
int Trace(Arguments arguments);           // NAME: of the child that is traced
int Wait(Arguments arguments);            // THREADS FORKS STATUS: waits for a line between starting and forking
int Churn(Arguments arguments);           // MILLISECONDS
int Keep(Arguments arguments);            // CHILDREN: alive until a line comes, then killed
int Held(Arguments arguments);            // MILLISECONDS STATUS: suspended by a vfork; then alive for 200 ms

}  // namespace procevent::workload
