#include "cmd/watch/event_printer.h"

#include <fnmatch.h>
#include <pwd.h>
#include <time.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <type_traits>
#include <vector>

#include "cmd/capture/event_json.h"
#include "core/base/system.h"
#include "core/base/text.h"
#include "core/protocol/event.h"
#include "core/statistics/group_name.h"

namespace procevent {

namespace {

std::string FindUserName(std::uint32_t user) {
  constexpr std::size_t kBufferBytes = 16U << 10U;
  std::vector<char> buffer(kBufferBytes);
  passwd entry{};
  passwd* found = nullptr;
  const bool succeeded = ::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0;
  return succeeded && found != nullptr ? found->pw_name : std::to_string(user);
}

constexpr std::string_view kUnknown = "-";

std::string Escaped(const CommName& name) { return std::string(LabelValue(name.view()).view()); }

std::string EscapedOr(const std::optional<CommName>& name, std::string_view fallback) {
  return name ? Escaped(*name) : std::string(fallback);
}

std::string DescribeWaitStatus(std::uint32_t wait_status) {
  const WaitStatus decoded = DecodeWaitStatus(wait_status);
  if (decoded.signal == 0) {
    return "status " + std::to_string(decoded.status);
  }
  return "killed by " + std::string(SignalName(decoded.signal)) + (decoded.core_dumped ? ", core dumped" : "");
}

// "thread 12: " if the task is not the main thread, else empty.
std::string ThreadPrefix(const Task& task) {
  return task.pid == task.tgid ? "" : "thread " + std::to_string(task.pid) + ": ";
}

std::string FormatIds(std::uint32_t real, std::uint32_t effective) {
  return std::to_string(real) + (real == effective ? "" : ", effective " + std::to_string(effective));
}

// Describes the event in the "What" column, by kind.
struct EventDescriber {
  const Event& event;
  const ProcessDetails& details;

  std::string operator()(const AckBody& body) const {
    return body.error == 0 ? "a subscription is acknowledged"
                           : "a subscription fails: errno " + std::to_string(body.error);
  }
  std::string operator()(const ForkBody& body) const {
    const std::string child = std::to_string(body.child.pid);
    return body.child.pid == body.child.tgid ? ThreadPrefix(body.parent) + "-> " + child : "-> thread " + child;
  }
  std::string operator()(const ExecBody& body) const { return ThreadPrefix(body.task) + "executes"; }
  std::string operator()(const ExitBody& body) const {
    const bool is_main_thread = body.task.pid == body.task.tgid;
    const std::string thread = details.ended ? "" : is_main_thread ? "first thread: " : ThreadPrefix(body.task);
    return thread + DescribeWaitStatus(body.wait_status);
  }
  std::string operator()(const UidBody& body) const {
    return ThreadPrefix(body.task) + "user " + FormatIds(body.real, body.effective);
  }
  std::string operator()(const GidBody& body) const {
    return ThreadPrefix(body.task) + "group " + FormatIds(body.real, body.effective);
  }
  std::string operator()(const SidBody& body) const { return ThreadPrefix(body.task) + "new session"; }
  std::string operator()(const PtraceBody& body) const {
    return ThreadPrefix(body.task) +
           (body.tracer.tgid == 0 ? "no longer traced" : "traced by " + std::to_string(body.tracer.tgid));
  }
  std::string operator()(const CommBody& body) const {
    if (body.task.pid != body.task.tgid) {
      return ThreadPrefix(body.task) + "-> " + Escaped(CommName(body.comm));
    }
    return EscapedOr(details.previous_command, kUnknown) + " -> " + Escaped(CommName(body.comm));
  }
  std::string operator()(const CoredumpBody& body) const { return ThreadPrefix(body.task) + "dumps core"; }
  std::string operator()(const UnknownBody& body) const {
    return "type " + std::to_string(event.what) + ", " + std::to_string(body.payload.size()) + " bytes";
  }
};

// In milliseconds below ten seconds, above in hundredths: /proc has start times in hundredths of a second.
std::string FormatSeconds(std::uint64_t nanos) {
  constexpr std::uint64_t kCoarseFrom = 10 * kNanosPerSecond;
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), nanos < kCoarseFrom ? "%.3f" : "%.2f",
                                   static_cast<double>(nanos) / static_cast<double>(kNanosPerSecond));
  return {text.data(), static_cast<std::size_t>(length)};
}

// Widths count bytes, so columns align for ASCII names.
std::string PadRight(std::string text, std::size_t width) {
  text.resize(text.size() < width ? width : text.size(), ' ');
  return text;
}
std::string PadLeft(const std::string& text, std::size_t width) {
  return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
}

std::string FormatColumns(std::string_view time, std::string_view event, const std::string& pid,
                          const std::string& what, const std::string& duration, const std::string& command,
                          std::string_view user) {
  constexpr std::size_t kEventWidth = 9;  // "coredump" and a space
  constexpr std::size_t kPidWidth = 7;
  constexpr std::size_t kWhatWidth = 30;
  constexpr std::size_t kDurationWidth = 9;
  constexpr std::size_t kCommandWidth = 15;
  return std::string(time) + ' ' + PadRight(std::string(event), kEventWidth) + PadLeft(pid, kPidWidth) + ' ' +
         PadRight(what, kWhatWidth) + ' ' + PadLeft(duration, kDurationWidth) + ' ' + PadRight(command, kCommandWidth) +
         ' ' + std::string(user) + '\n';
}

// "11:05:14.123" in the local time zone.
std::string FormatLocalTime(std::uint64_t nanos) {
  const auto seconds = static_cast<time_t>(nanos / kNanosPerSecond);
  tm local{};
  ::localtime_r(&seconds, &local);
  std::array<char, 16> text{};
  const std::size_t size = ::strftime(text.data(), text.size(), "%H:%M:%S.", &local);
  const std::string millis = std::to_string(nanos % kNanosPerSecond / kNanosPerMilli);
  return std::string(text.data(), size) + std::string(3 - millis.size(), '0') + millis;
}

bool Matches(const std::string& pattern, const std::optional<CommName>& name) {
  return name && ::fnmatch(pattern.c_str(), std::string(name->view()).c_str(), 0) == 0;
}

}  // namespace

const std::string& UserNameCache::Resolve(std::uint32_t user) {
  if (names_.size() >= kMaxNames && !names_.contains(user)) {
    names_.clear();
  }
  const auto [entry, inserted] = names_.try_emplace(user);
  if (inserted) {
    entry->second = FindUserName(user);
  }
  return entry->second;
}

std::int32_t GetEventPid(const Event& event) {
  return std::visit(
      [](const auto& body) -> std::int32_t {
        using Body = std::remove_cvref_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, AckBody> || std::is_same_v<Body, UnknownBody>) {
          return 0;
        } else if constexpr (std::is_same_v<Body, ForkBody>) {
          return body.child.pid == body.child.tgid ? body.parent.tgid : body.child.tgid;
        } else {
          return body.task.tgid;
        }
      },
      event.body);
}

std::string FormatEventHeader() {
  return FormatColumns("Time        ", "Event", "PID", "What", "Seconds", "Command", "User");
}

std::string FormatEventLine(std::string_view time, const Event& event, const ProcessDetails& details) {
  const std::int32_t pid = GetEventPid(event);
  return FormatColumns(time, kEventNames.at(static_cast<std::size_t>(event.kind())),
                       pid == 0 ? std::string(kUnknown) : std::to_string(pid),
                       std::visit(EventDescriber{event, details}, event.body),
                       details.lifetime_ns ? FormatSeconds(*details.lifetime_ns) : "",
                       EscapedOr(details.command, kUnknown), details.user.empty() ? kUnknown : details.user);
}

std::string FormatLossLine(std::uint32_t lost, std::uint32_t cpu) {
  return "-- " + std::to_string(lost) + (lost == 1 ? " event" : " events") + " lost on CPU " + std::to_string(cpu) +
         " --\n";
}

void EventPrinter::PrintHeader(std::string& out) const { out += options_.json ? "" : FormatEventHeader(); }

Status EventPrinter::Begin(std::string& out) {
  PrintHeader(out);
  return table_.Bootstrap();
}

void EventPrinter::BeginWithoutProc(std::string& out) {
  PrintHeader(out);
  UpdateTable();
}

void EventPrinter::UpdateTable() {
  if (stream_.update_table) {
    stream_.update_table(table_);
  }
}

void EventPrinter::Invalidate() {
  table_.Invalidate();
  UpdateTable();
}

void EventPrinter::Print(const Message& message, std::uint64_t wall_clock_offset_ns, std::string& out) {
  if (message.outcome == DecodeOutcome::kEvent) {
    PrintEvent(message.event, wall_clock_offset_ns, out);
  } else if (message.outcome != DecodeOutcome::kControl && message.outcome != DecodeOutcome::kAcknowledgement) {
    out += options_.json ? FormatJsonLine(message) + '\n' : "-- not an event: " + FormatJsonLine(message) + " --\n";
  }
}

void EventPrinter::PrintEvent(const Event& event, std::uint64_t wall_clock_offset_ns, std::string& out) {
  const SequenceTracker::Arrival arrival = sequence_.Observe(event.cpu, event.sequence);
  if (arrival.duplicate) {
    return;
  }
  if (arrival.lost > 0 && stream_.gaps_are_losses) {
    table_.Invalidate();
    PrintLoss(arrival.lost, event.cpu, out);
  }
  const ProcessDetails details = ApplyAndDescribe(event);
  if (!IsRequested(event, details)) {
    return;
  }
  out += options_.json ? FormatJsonLine(event, details.command, details.user) + '\n'
                       : FormatEventLine(FormatLocalTime(event.timestamp_ns + wall_clock_offset_ns), event, details);
}

void EventPrinter::PrintLoss(std::uint32_t lost, std::uint32_t cpu, std::string& out) const {
  out += options_.json ? FormatLossJsonLine(lost, cpu) + '\n' : FormatLossLine(lost, cpu);
}

// Details are read after the event has been applied: an EXEC then shows the new program. A COMM event also needs the
// command that it replaces.
ProcessDetails EventPrinter::ApplyAndDescribe(const Event& event) {
  const std::int32_t pid = GetEventPid(event);
  ProcessDetails details;
  if (event.kind() == EventKind::kComm) {
    const auto previous = table_.Find(pid);
    details.previous_command = previous ? previous->command : std::nullopt;
  }
  table_.Apply(event);
  UpdateTable();
  const auto process = table_.Find(pid);
  if (!process || process->start_ns > event.timestamp_ns) {  // the pid was reused by a later process
    return details;
  }
  details.command = process->command;
  if (process->user) {
    details.user = stream_.local_users ? users_.Resolve(*process->user) : std::to_string(*process->user);
  }
  details.ended = event.kind() == EventKind::kExit && !process->alive;
  if (details.ended && process->start_ns != 0) {
    details.lifetime_ns = event.timestamp_ns - process->start_ns;
  }
  return details;
}

bool EventPrinter::IsRequested(const Event& event, const ProcessDetails& details) const {
  const auto* const comm = std::get_if<CommBody>(&event.body);
  if (!options_.types.at(static_cast<std::size_t>(event.kind())) || (comm != nullptr && is_canary_(*comm))) {
    return false;
  }
  return !options_.command || Matches(*options_.command, details.command) ||
         Matches(*options_.command, details.previous_command);
}

}  // namespace procevent
