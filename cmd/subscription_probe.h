// Proof that the kernel speaks to us: a subscription of its own, and a child of its own that must be heard in it.
// doctor uses it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "core/base/result.h"
#include "core/protocol/event.h"
#include "core/protocol/event_mask.h"
#include "core/source/connector_options.h"

namespace procevent {

// What a child does to be heard, as far as the mask lets it through: it is forked, renames itself, and exits with a
// status that is known. Pure.
class ChildStory {
 public:
  static constexpr int kStatus = 42;

  ChildStory(pid_t child, EventMask mask);
  void Hear(const Event& event);

  [[nodiscard]] const std::vector<EventKind>& heard() const { return heard_; }
  [[nodiscard]] const std::vector<EventKind>& missing() const { return missing_; }  // not yet heard

 private:
  [[nodiscard]] bool IsOfChild(const Event& event) const;

  pid_t child_;
  std::vector<EventKind> missing_;
  std::vector<EventKind> heard_;
};

struct SubscriptionProbe {
  Status opened = Success{};         // a socket of the connector
  std::uint32_t buffer_bytes = 0;    // that it got
  Status acknowledged = Success{};   // by the kernel, in answer to us
  Status forked = Success{};         // the child was made, and its events could be received
  std::vector<EventKind> heard;      // of the child's
  std::vector<EventKind> not_heard;  // that should have been
};
// Takes up to a few seconds; ends its subscription. The process must have no other threads.
SubscriptionProbe ProbeSubscription(const ConnectorOptions& options);

}  // namespace procevent
