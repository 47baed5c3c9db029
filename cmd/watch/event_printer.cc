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
#include "core/ledger/group_name.h"
#include "core/protocol/event.h"

namespace procevent {

namespace {

std::string NameOf(std::uint32_t user) {
  constexpr std::size_t kRoom = 16U << 10U;
  std::vector<char> room(kRoom);
  passwd entry{};
  passwd* found = nullptr;
  const bool asked = ::getpwuid_r(user, &entry, room.data(), room.size(), &found) == 0;
  return asked && found != nullptr ? found->pw_name : std::to_string(user);
}

}  // namespace

const std::string& UserNameCache::Resolve(std::uint32_t user) {
  if (names_.size() >= kMost && !names_.contains(user)) {
    names_.clear();
  }
  const auto [at, fresh] = names_.try_emplace(user);
  if (fresh) {
    at->second = NameOf(user);
  }
  return at->second;
}

namespace {

constexpr std::string_view kUnknown = "-";

std::string Shown(const CommName& name) { return std::string(CommLabel(name.view()).view()); }

std::string ShownOr(const std::optional<CommName>& name, std::string_view other) {
  return name ? Shown(*name) : std::string(other);
}

std::string EndingOf(std::uint32_t wait_status) {
  const WaitStatus ending = DecodeWaitStatus(wait_status);
  if (ending.signal == 0) {
    return "status " + std::to_string(ending.status);
  }
  return "killed by " + std::string(SignalName(ending.signal)) + (ending.core_dumped ? ", core dumped" : "");
}

// "thread 12: ", if it is not the process's first one.
std::string ThreadOf(const Task& task) {
  return task.pid == task.tgid ? "" : "thread " + std::to_string(task.pid) + ": ";
}

std::string Ids(std::uint32_t real, std::uint32_t effective) {
  return std::to_string(real) + (real == effective ? "" : ", effective " + std::to_string(effective));
}

// What happened, by kind.
struct EventDescriber {
  const Event& event;
  const ProcessDetails& subject;

  std::string operator()(const AckBody& body) const {
    return body.error == 0 ? "a subscription is acknowledged"
                           : "a subscription fails: errno " + std::to_string(body.error);
  }
  std::string operator()(const ForkBody& body) const {
    const std::string child = std::to_string(body.child.pid);
    return body.child.pid == body.child.tgid ? ThreadOf(body.parent) + "-> " + child : "-> thread " + child;
  }
  std::string operator()(const ExecBody& body) const { return ThreadOf(body.task) + "executes"; }
  std::string operator()(const ExitBody& body) const {
    const bool first = body.task.pid == body.task.tgid;
    const std::string who = subject.ended ? "" : first ? "first thread: " : ThreadOf(body.task);
    return who + EndingOf(body.wait_status);
  }
  std::string operator()(const UidBody& body) const {
    return ThreadOf(body.task) + "user " + Ids(body.real, body.effective);
  }
  std::string operator()(const GidBody& body) const {
    return ThreadOf(body.task) + "group " + Ids(body.real, body.effective);
  }
  std::string operator()(const SidBody& body) const { return ThreadOf(body.task) + "new session"; }
  std::string operator()(const PtraceBody& body) const {
    return ThreadOf(body.task) +
           (body.tracer.tgid == 0 ? "no longer traced" : "traced by " + std::to_string(body.tracer.tgid));
  }
  std::string operator()(const CommBody& body) const {
    if (body.task.pid != body.task.tgid) {
      return ThreadOf(body.task) + "-> " + Shown(CommName(body.comm));
    }
    return ShownOr(subject.command_before, kUnknown) + " -> " + Shown(CommName(body.comm));
  }
  std::string operator()(const CoredumpBody& body) const { return ThreadOf(body.task) + "dumps core"; }
  std::string operator()(const UnknownBody& body) const {
    return "type " + std::to_string(event.what) + ", " + std::to_string(body.payload.size()) + " bytes";
  }
};

// Up to ten seconds to the millisecond; beyond that to the hundredth that /proc knows starts to.
std::string Seconds(std::uint64_t nanos) {
  constexpr std::uint64_t kLong = 10 * kNanosPerSecond;
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), nanos < kLong ? "%.3f" : "%.2f",
                                   static_cast<double>(nanos) / static_cast<double>(kNanosPerSecond));
  return {text.data(), static_cast<std::size_t>(length)};
}

// In characters as wide as one, which is what names mostly are made of.
std::string Left(std::string text, std::size_t width) {
  text.resize(text.size() < width ? width : text.size(), ' ');
  return text;
}
std::string Right(const std::string& text, std::size_t width) {
  return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
}

std::string Columns(std::string_view time, std::string_view event, const std::string& pid, const std::string& what,
                    const std::string& duration, const std::string& command, std::string_view user) {
  constexpr std::size_t kEventWidth = 9;  // of "coredump", and a blank
  constexpr std::size_t kPidWidth = 7;
  constexpr std::size_t kWhatWidth = 30;
  constexpr std::size_t kDurationWidth = 9;
  constexpr std::size_t kCommandWidth = 16;
  return std::string(time) + ' ' + Left(std::string(event), kEventWidth) + Right(pid, kPidWidth) + ' ' +
         Left(what, kWhatWidth) + ' ' + Right(duration, kDurationWidth) + ' ' + Left(command, kCommandWidth) +
         std::string(user) + '\n';
}

}  // namespace

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
  return Columns("Time        ", "Event", "PID", "What", "Seconds", "Command", "User");
}

std::string FormatEventLine(std::string_view time, const Event& event, const ProcessDetails& subject) {
  const std::int32_t pid = GetEventPid(event);
  return Columns(time, kEventNames.at(static_cast<std::size_t>(event.kind())),
                 pid == 0 ? std::string(kUnknown) : std::to_string(pid),
                 std::visit(EventDescriber{event, subject}, event.body),
                 subject.lived_ns ? Seconds(*subject.lived_ns) : "", ShownOr(subject.command, kUnknown),
                 subject.user.empty() ? kUnknown : subject.user);
}

std::string FormatLossLine(std::uint32_t lost, std::uint32_t cpu) {
  return "-- " + std::to_string(lost) + (lost == 1 ? " event" : " events") + " lost on CPU " + std::to_string(cpu) +
         " --\n";
}

namespace {

// "11:05:14.123", as it is here.
std::string LocalTime(std::uint64_t nanos) {
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

Status EventPrinter::Begin(std::string& out) {
  if (!order_.json) {
    out += FormatEventHeader();
  }
  return table_.Bootstrap();
}

void EventPrinter::Print(const Message& message, std::uint64_t wall_clock_ns, std::string& out) {
  if (message.outcome == DecodeOutcome::kEvent) {
    PrintEvent(message.event, wall_clock_ns, out);
  } else if (message.outcome != DecodeOutcome::kControl && message.outcome != DecodeOutcome::kAcknowledgement) {
    out += order_.json ? FormatJsonLine(message) + '\n' : "-- no event: " + FormatJsonLine(message) + " --\n";
  }
}

void EventPrinter::PrintEvent(const Event& event, std::uint64_t wall_clock_ns, std::string& out) {
  const SequenceTracker::Arrival arrival = sequence_.Observe(event.cpu, event.sequence);
  if (arrival.duplicate) {
    return;
  }
  if (arrival.lost > 0) {
    table_.Invalidate();
    PrintLoss(arrival.lost, event.cpu, out);
  }
  const ProcessDetails subject = LookUp(event);
  if (!IsWanted(event, subject)) {
    return;
  }
  out += order_.json ? FormatJsonLine(event, subject.command, subject.user) + '\n'
                     : FormatEventLine(LocalTime(event.timestamp_ns + wall_clock_ns), event, subject);
}

void EventPrinter::PrintLoss(std::uint32_t lost, std::uint32_t cpu, std::string& out) const {
  out += order_.json ? FormatLossJsonLine(lost, cpu) + '\n' : FormatLossLine(lost, cpu);
}

// What the event changes is known after it: a program's new name. What a COMM changes is of interest, too.
ProcessDetails EventPrinter::LookUp(const Event& event) {
  const std::int32_t pid = GetEventPid(event);
  ProcessDetails subject;
  if (event.kind() == EventKind::kComm) {
    const auto before = table_.Find(pid);
    subject.command_before = before ? before->command : std::nullopt;
  }
  table_.Apply(event);
  const auto process = table_.Find(pid);
  if (!process || process->start_ns > event.timestamp_ns) {  // that number is another process's by now
    return subject;
  }
  subject.command = process->command;
  subject.user = process->user ? users_.Resolve(*process->user) : "";
  subject.ended = event.kind() == EventKind::kExit && !process->alive;
  if (subject.ended && process->start_ns != 0) {
    subject.lived_ns = event.timestamp_ns - process->start_ns;
  }
  return subject;
}

bool EventPrinter::IsWanted(const Event& event, const ProcessDetails& subject) const {
  const auto* const comm = std::get_if<CommBody>(&event.body);
  if (!order_.types.at(static_cast<std::size_t>(event.kind())) || (comm != nullptr && is_echo_(*comm))) {
    return false;
  }
  return !order_.command || Matches(*order_.command, subject.command) ||
         Matches(*order_.command, subject.command_before);
}

}  // namespace procevent
