// Formats process events as lines for people or as JSON lines, for `watch`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "cmd/cli/flags.h"
#include "core/base/system.h"
#include "core/lookup/process_table.h"
#include "core/protocol/decoder.h"
#include "core/protocol/event.h"
#include "core/protocol/sequence_tracker.h"

namespace procevent {

// Which events `watch` prints, how, and for how long.
struct WatchOptions {
  EventTypes types = AllTypesButAck();
  std::optional<std::string> command = {};  // a shell pattern that the command must match
  bool json = false;
  // Empty: until a signal arrives, or the output is closed.
  std::optional<std::chrono::milliseconds> duration = {};
};

// Where the events come from.
struct WatchedStream {
  unsigned cpus = PossibleCpus();
  bool gaps_are_losses = true;  // false: the subscription was narrowed, and the kernel numbers all events
  bool local_users = true;      // false: the users are those of another machine, so their ids are printed
  ProcessTableOptions processes = {};
  // Called before the first event, after each event that the table has applied, and after each invalidation.
  std::function<void(ProcessTable&)> update_table = {};
};

// Resolves user ids to names and caches them, so that each id is looked up once while the cache has space.
class UserNameCache {
 public:
  // Returns the name from the user database, or the id in digits if it has no name.
  const std::string& Resolve(std::uint32_t user);

 private:
  static constexpr std::size_t kMaxNames = 4096;  // the cache is cleared when it is full

  std::unordered_map<std::uint32_t, std::string> names_;
};

// Returns the process that the event is about, or 0 if there is none. For FORK it is the process that forks, or the
// process that gets the new thread: for a thread the kernel reports the parent of the process as the event's parent.
std::int32_t GetEventPid(const Event& event);

// The details of the event's process, after the event has been applied.
struct ProcessDetails {
  std::optional<CommName> command;
  std::optional<CommName> previous_command;  // COMM only
  std::string user;                          // empty: unknown
  bool ended = false;                        // EXIT only: the process has no threads left
  std::optional<std::uint64_t> lifetime_ns;  // only if `ended` is true and the start is known
};

// The header line and one event line, in the style of forkstat. Both end with a newline. Unprintable bytes of names are
// escaped, so an event is always one line that cannot control the terminal.
std::string FormatEventHeader();
std::string FormatEventLine(std::string_view time, const Event& event, const ProcessDetails& details);

// The line that stands between two events of a CPU where the kernel dropped events.
std::string FormatLossLine(std::uint32_t lost, std::uint32_t cpu);

// Formats the requested events with the details of their processes, and the losses between them. Not thread-safe.
class EventPrinter {
 public:
  // `is_canary` recognises the canary events of this program, which are not printed.
  EventPrinter(WatchOptions options, std::function<bool(const CommBody&)> is_canary, WatchedStream stream = {})
      : options_(std::move(options)),
        is_canary_(std::move(is_canary)),
        stream_(std::move(stream)),
        sequence_(stream_.cpus),
        table_(stream_.processes) {}

  // Appends the header and reads the running processes. Precondition: the subscription is acknowledged, so that no
  // process starts unnoticed in between. An error means that some processes will have no name.
  Status Begin(std::string& out);
  // The same for a table without procfs.
  void BeginWithoutProc(std::string& out);
  // Appends the next message of the stream. `wall_clock_offset_ns` is added to the event's time.
  void Print(const Message& message, std::uint64_t wall_clock_offset_ns, std::string& out);
  // Marks all processes as stale, after a loss that leaves no gap in the sequence numbers.
  void Invalidate();

 private:
  void PrintHeader(std::string& out) const;
  void UpdateTable();
  void PrintEvent(const Event& event, std::uint64_t wall_clock_offset_ns, std::string& out);
  void PrintLoss(std::uint32_t lost, std::uint32_t cpu, std::string& out) const;
  [[nodiscard]] ProcessDetails ApplyAndDescribe(const Event& event);
  [[nodiscard]] bool IsRequested(const Event& event, const ProcessDetails& details) const;

  WatchOptions options_;
  std::function<bool(const CommBody&)> is_canary_;
  WatchedStream stream_;
  SequenceTracker sequence_;
  ProcessTable table_;
  UserNameCache users_;
};

}  // namespace procevent
