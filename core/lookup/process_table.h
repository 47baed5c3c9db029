// Maps PIDs to command and user, for library programs that process connector events.
//
// Usage: subscribe, call Bootstrap, then Apply every event in order and Find the processes it names. The reader does
// not use this table: its tracker waits for names, while this table answers immediately with what is known.
//
// Accuracy: a command may be newer than the event. After an EXEC the table reads /proc. A shell may have executed its
// next program by then. In that case /proc shows the later name, and the next EXEC event follows. A program that exits
// before the read has no command. Its PID may belong to another process by then, which the start time in /proc shows:
// that process replaces the known one, and earlier events are ignored. Commands from COMM events and commands that a
// child inherits are exact.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/base/result.h"
#include "core/protocol/event.h"

namespace procevent {

class ProcPidReader;

// Bounds and inputs of a ProcessTable.
struct ProcessTableOptions {
  std::size_t limit = 65'536;  // processes, including exited ones
  std::string proc = "/proc";  // mount point; without procfs, names come only from events
};

// A process as the table knows it.
struct Process {
  std::int32_t pid = 0;
  std::optional<CommName> command;    // of the main thread; empty if unknown
  std::optional<std::uint32_t> user;  // effective UID; empty if unknown
  std::int32_t parent = 0;            // the process that forked it or waits for it; 0 if none or unknown
  std::uint64_t start_ns = 0;         // CLOCK_MONOTONIC, of its FORK, or of /proc with 10 ms resolution; 0 if unknown
  bool alive = true;                  // neither an event nor /proc has shown its exit
};

// A process as another source than procfs saw it, such as a capture.
struct ObservedProcess {
  Process process;
  std::uint64_t when_ns = 0;             // CLOCK_MONOTONIC
  std::optional<std::uint32_t> threads;  // live threads; empty if unknown
  bool main_exited = false;              // the main thread exited
};

// Tracks processes from events and /proc. Evicts exited processes first, then the oldest. One thread at a time.
class ProcessTable {
 public:
  explicit ProcessTable(const ProcessTableOptions& options = {});
  ProcessTable(ProcessTable&&) noexcept;
  ProcessTable& operator=(ProcessTable&&) noexcept;
  ProcessTable(const ProcessTable&) = delete;
  ProcessTable& operator=(const ProcessTable&) = delete;
  ~ProcessTable();

  // Reads all processes from /proc. An error explains why processes of other users are unreadable, with a remedy. The
  // table stays usable after an error, with fewer names.
  Status Bootstrap();
  // Whether a Bootstrap succeeded, so that all processes are known.
  [[nodiscard]] bool ready() const { return ready_; }

  // Applies an event. Adds its process to the table if it is unknown, except for the parent in an EXIT.
  void Apply(const Event& event);

  // Adopts the state of a process, for a table without procfs. The command replaces that of the table. The user, the
  // start time and the threads are taken only if events have not shown them. A start after the known one is that of
  // another process with the same PID, which replaces the known process. A known start of /proc is exact to 50 ms.
  void Adopt(const ObservedProcess& observed);

  // Marks all processes as stale, after a loss of events. Each is read from /proc again before its next use.
  void Invalidate() { ++epoch_; }

  // Returns a process by its process ID (`tgid` in events, not the `pid` of another thread). An exited process stays
  // available, so that its EXIT can be shown with its name, until its PID is reused or it is evicted. Reads /proc only
  // if the process is stale.
  [[nodiscard]] std::optional<Process> Find(std::int32_t pid);

  [[nodiscard]] std::size_t size() const { return rows_.size(); }

 private:
  struct Row;
  using Rows = std::list<Row>;

  void Handle(const ForkBody& body, std::uint64_t when_ns);
  void Handle(const ExecBody& body, std::uint64_t when_ns);
  void Handle(const ExitBody& body, std::uint64_t when_ns);
  void Handle(const UidBody& body, std::uint64_t when_ns);
  void Handle(const CommBody& body, std::uint64_t when_ns);
  void Handle(const AckBody& /*body*/, std::uint64_t /*when_ns*/) {}
  void Handle(const UnknownBody& /*body*/, std::uint64_t /*when_ns*/) {}
  template <typename Other>
  void Handle(const Other& body, std::uint64_t when_ns) {
    FindOrCreate(body.task.tgid, when_ns);
  }

  void StartProcess(const ForkBody& body, std::uint64_t when_ns);
  [[nodiscard]] bool HasExited(const Row& row) const;

  Row* FindOrCreate(std::int32_t pid, std::uint64_t when_ns);
  Row& Create(std::int32_t pid);
  void Erase(std::int32_t pid);
  void SetAlive(Row& row, bool alive);
  void RefreshIfStale(Row& row);
  void ReadProc(Row& row);

  std::size_t limit_;
  std::unique_ptr<ProcPidReader> proc_;
  std::uint64_t epoch_ = 1;
  bool ready_ = false;
  std::unordered_map<std::int32_t, Rows::iterator> rows_;
  Rows living_;  // oldest first
  Rows exited_;  // earliest exit first
};

}  // namespace procevent
