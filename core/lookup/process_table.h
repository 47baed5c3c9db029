// Whose number is that: PID to command and user, for a program of one's own that watches process events. Subscribe
// first, then Bootstrap, then Apply every event in the order it came, and Find whom it names. The reader has no use
// for it: its ledger waits for names, this table tells at once what can be told. One thread at a time.
//
// How sure a command is: it is never taken over from another process, but it may be ahead of the events. After an EXEC
// /proc is asked, and what it says is taken only if it is still that process (by its start, to 50 ms). By then a shell
// may have executed the next program: /proc shows the later name, and the next EXEC will come. A program that ended
// before it could be looked at has no command. What a COMM event says, and what a child has from its parent, is exact.
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

struct ProcessTableOptions {
  std::size_t limit = 65'536;  // processes, the ended ones too
  std::string proc = "/proc";  // where that is mounted; where nothing is, only events tell names
};

struct Process {
  std::int32_t pid = 0;
  std::optional<CommName> command;    // of its first thread; nothing: not known
  std::optional<std::uint32_t> user;  // the effective one; nothing: not known
  std::int32_t parent = 0;            // who forked it, or waits for it; 0: nobody, or not known
  std::uint64_t start_ns = 0;         // CLOCK_MONOTONIC, by its FORK; by /proc to a hundredth of a second; 0: not known
  bool alive = true;                  // no event told its end, and no look at /proc
};

class ProcessTable {
 public:
  explicit ProcessTable(const ProcessTableOptions& options = {});
  ProcessTable(ProcessTable&&) noexcept;
  ProcessTable& operator=(ProcessTable&&) noexcept;
  ProcessTable(const ProcessTable&) = delete;
  ProcessTable& operator=(const ProcessTable&) = delete;
  ~ProcessTable();

  // All that lives, from /proc. An error says why others are not to be seen there, and what helps: without it the
  // table works as well as it can.
  Status Bootstrap();
  // A Bootstrap went well: who lives now is known.
  [[nodiscard]] bool ready() const { return ready_; }

  // What happened. It makes known whom it is about (but for the parent in an EXIT), whatever was missed before.
  void Apply(const Event& event);

  // Events were lost: what is known may be old. From here on each process is looked at again, before anything is told
  // of it or applied to it.
  void Invalidate() { ++epoch_; }

  // A process, by its own number (`tgid` in events; of a thread's `pid` nothing is known, unless it is the first). One
  // that has ended is still found, so that its EXIT can be shown with its name: until its number is given out again, or
  // room is needed. Looks into /proc only for one that is in doubt.
  [[nodiscard]] std::optional<Process> Find(std::int32_t pid);

  [[nodiscard]] std::size_t size() const { return rows_.size(); }

 private:
  struct Row {
    Process process;
    std::optional<std::uint32_t> threads;  // alive; nothing: something of them may have been missed
    bool first_gone = false;               // the first thread ended before the others
    std::uint64_t epoch = 0;               // up to which loss this is known; 0: it is in doubt
    std::uint64_t seen_ns = 0;             // when /proc told it: it may be ahead of events that were made before
  };
  using Rows = std::list<Row>;

  void On(const ForkBody& body, std::uint64_t when_ns);
  void On(const ExecBody& body, std::uint64_t when_ns);
  void On(const ExitBody& body, std::uint64_t when_ns);
  void On(const UidBody& body, std::uint64_t when_ns);
  void On(const CommBody& body, std::uint64_t when_ns);
  void On(const AckBody& /*body*/, std::uint64_t /*when_ns*/) {}
  void On(const UnknownBody& /*body*/, std::uint64_t /*when_ns*/) {}
  template <typename Other>
  void On(const Other& body, std::uint64_t when_ns) {
    Known(body.task.tgid, when_ns);
  }

  void StartProcess(const ForkBody& body, std::uint64_t when_ns);
  [[nodiscard]] bool IsLast(const Row& row) const;

  Row* Known(std::int32_t pid, std::uint64_t when_ns);
  Row& Begin(std::int32_t pid);
  void Forget(std::int32_t pid);
  void SetAlive(Row& row, bool alive);
  void EndDoubt(Row& row);
  void LookAt(Row& row);

  std::size_t limit_;
  std::unique_ptr<ProcPidReader> proc_;
  std::uint64_t epoch_ = 1;
  bool ready_ = false;
  std::unordered_map<std::int32_t, Rows::iterator> rows_;
  Rows living_;  // the oldest first
  Rows ended_;   // who ended first is first
};

}  // namespace procevent
