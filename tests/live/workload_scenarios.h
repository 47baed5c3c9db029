// What the workload can do: each scene is a process's whole life, and returns its exit status. Only the workload plays
// them.
#pragma once

#include <sys/types.h>

#include <functional>
#include <span>
#include <string_view>

namespace procevent::workload {

using Arguments = std::span<char*>;

// Tools of the scenes.
[[noreturn]] void Fail(std::string_view what);
int Number(Arguments arguments, std::size_t index);
void Report(std::string_view key, unsigned long long number);
void AwaitLine();  // says "ready" first
pid_t ForkInto(const std::function<int()>& body);
int AwaitStatus(pid_t child);  // as waitpid gives it
// So many threads that run `body`; never awaited.
void StartThreads(int threads, void* (*body)(void*), void* argument = nullptr);
void* Forever(void* nothing);

int Exit(Arguments arguments);            // STATUS
int ExecFromThread(Arguments arguments);  // NAME STATUS: the program it becomes
int LeaderGone(Arguments arguments);      // STATUS [wait]: of the worker that lives on; it waits for a line
int ExitRace(Arguments arguments);        // RUNS THREADS STATUS: of every other run
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
int Keep(Arguments arguments);            // CHILDREN: they live until a line comes, and then are killed
int Held(Arguments arguments);            // MILLISECONDS STATUS: by a vfork; then it lives for 200 ms

}  // namespace procevent::workload
