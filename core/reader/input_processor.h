// Turns inputs into numbers, by the event stream, the tracker and the statistics.
//
// Single-threaded. Construction takes random seeds. Afterwards it is pure (no system call, no clock, no thread) and
// allocates only at the first occurrence of a name, and in Reload. Owned by the reader, which calls it from the reader
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>

#include "core/protocol/decoder.h"
#include "core/protocol/event.h"
#include "core/protocol/event_mask.h"
#include "core/protocol/input.h"
#include "core/reader/numbers.h"
#include "core/statistics/counting_options.h"
#include "core/statistics/event_stream.h"
#include "core/statistics/statistics.h"
#include "core/tracker/process_tracker.h"

namespace procevent {

// Hooks around each event of a datagram. A caller passes an object with these two functions to see the events, or to
// change them before they are applied. These do nothing.
struct NoEventHooks {
  void BeforeEvent(Event& /*event*/) const {}
  void AfterEvent(const Event& /*event*/) const {}
};

// The options that a reload changes. The thread that reloads makes them, because the rules are compiled here.
struct ReloadedOptions {
  // Every rule must be valid.
  explicit ReloadedOptions(const CountingOptions& options)
      : name_groups(options.name_groups), group_limit(options.group_limit) {}

  NameGroups name_groups;
  std::size_t group_limit;
};

// Joins the event stream, the tracker and the statistics.
class InputProcessor {
 public:
  InputProcessor(unsigned cpus, EventCoverage coverage, const CountingOptions& options = {});

  // Applies one input, which was received or taken at `now_ns`: the one way of every input, in the reader and in a
  // replay. A template, so that the hooks cost no call for each event.
  template <typename Hooks = NoEventHooks>
  void Apply(const Input& input, std::uint64_t now_ns, Hooks&& hooks = {});
  // The same for one message of a datagram. It counts the message as an event or as a rejection.
  void ApplyMessage(const Message& message, std::uint64_t now_ns);
  // Applies to events that are counted from now on. The group limit can only rise: a lower one changes nothing.
  void Reload(ReloadedOptions options);
  // Expires peaks and idle groups. To be called regularly, also without events.
  void Advance(std::uint64_t now_ns) { statistics_.Advance(now_ns); }

  [[nodiscard]] ProcReconciler& reconciler() { return tracker_.reconciler(); }
  // With the group limit in force.
  [[nodiscard]] const CountingOptions& options() const { return options_; }
  [[nodiscard]] EventCoverage coverage() const { return stream_.coverage(); }
  // Whether lost() is complete. A narrowed event mask hides losses.
  [[nodiscard]] bool loss_exact() const { return stream_.loss_exact(); }
  [[nodiscard]] bool tracks_processes() const { return coverage() != EventCoverage::kPartial; }

  // `numbers` was made with the same options, or a lower group limit.
  void CopyTo(Numbers& numbers) const;
  [[nodiscard]] const StreamStatistics& stream() const { return stream_.statistics(); }
  [[nodiscard]] std::uint64_t forks() const { return stream().events_of(EventKind::kFork); }
  [[nodiscard]] std::uint64_t received() const { return stream_.received(); }  // events without ACKs
  [[nodiscard]] std::uint64_t lost() const { return stream_.lost(); }
  // See SequenceTracker.
  [[nodiscard]] std::uint64_t losses_visible_until_ns() const { return stream_.losses_visible_until_ns(); }

 private:
  struct OtherInputs;
  void ApplyOther(const Input& input);  // an input that is no datagram

  CountingOptions options_;
  EventStream stream_;
  Statistics statistics_;
  ProcessTracker tracker_;
};

template <typename Hooks>
void InputProcessor::Apply(const Input& input, std::uint64_t now_ns, Hooks&& hooks) {
  const auto* const datagram = std::get_if<ConnectorDatagram>(&input);
  if (datagram == nullptr) {
    ApplyOther(input);
    return;
  }
  ForEachMessage(datagram->bytes, [&](Message& message) {
    const bool is_event = message.outcome == DecodeOutcome::kEvent;
    if (is_event) {
      hooks.BeforeEvent(message.event);
    }
    ApplyMessage(message, now_ns);
    if (is_event) {
      hooks.AfterEvent(message.event);
    }
  });
}

}  // namespace procevent
