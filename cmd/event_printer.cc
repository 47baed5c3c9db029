#include "cmd/event_printer.h"

#include <fnmatch.h>
#include <time.h>

#include <array>

#include "cmd/json_lines.h"
#include "core/base/clock.h"

namespace procevent {
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
    out += EventHeading();
  }
  return table_.Bootstrap();
}

void EventPrinter::Print(const Message& message, std::uint64_t wall_clock_ns, std::string& out) {
  if (message.outcome == Outcome::kEvent) {
    PrintEvent(message.event, wall_clock_ns, out);
  } else if (message.outcome != Outcome::kControl && message.outcome != Outcome::kAcknowledgement) {
    out += order_.json ? JsonLineOf(message) + '\n' : "-- no event: " + JsonLineOf(message) + " --\n";
  }
}

void EventPrinter::PrintEvent(const Event& event, std::uint64_t wall_clock_ns, std::string& out) {
  const Sequence::Arrival arrival = sequence_.Note(event.cpu, event.sequence);
  if (arrival.repeated) {
    return;
  }
  if (arrival.lost > 0) {
    table_.Doubt();
    PrintLoss(arrival.lost, event.cpu, out);
  }
  const Subject subject = LookUp(event);
  if (!IsWanted(event, subject)) {
    return;
  }
  out += order_.json ? JsonLineOf(event, subject.command, subject.user) + '\n'
                     : EventLine(LocalTime(event.timestamp_ns + wall_clock_ns), event, subject);
}

void EventPrinter::PrintLoss(std::uint32_t lost, std::uint32_t cpu, std::string& out) const {
  out += order_.json ? JsonLineOfLoss(lost, cpu) + '\n' : LossLine(lost, cpu);
}

// What the event changes is known after it: a program's new name. What a COMM changes is of interest, too.
Subject EventPrinter::LookUp(const Event& event) {
  const std::int32_t pid = SubjectOf(event);
  Subject subject;
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
  subject.user = process->user ? users_.Of(*process->user) : "";
  subject.ended = event.kind() == EventKind::kExit && !process->alive;
  if (subject.ended && process->start_ns != 0) {
    subject.lived_ns = event.timestamp_ns - process->start_ns;
  }
  return subject;
}

bool EventPrinter::IsWanted(const Event& event, const Subject& subject) const {
  const auto* const comm = std::get_if<CommBody>(&event.body);
  if (!order_.types.at(static_cast<std::size_t>(event.kind())) || (comm != nullptr && is_echo_(*comm))) {
    return false;
  }
  return !order_.command || Matches(*order_.command, subject.command) ||
         Matches(*order_.command, subject.command_before);
}

}  // namespace procevent
