// Applies inputs to the processor: the one way of every input, in the reader and in a replay.
#pragma once

#include <cstdint>
#include <variant>

#include "core/protocol/decoder.h"
#include "core/protocol/input.h"
#include "core/reader/input_processor.h"

namespace procevent {

// Hooks around each event of a datagram. A caller passes an object with these two functions to see the events, or to
// change them before they are applied. These do nothing.
struct NoEventHooks {
  void BeforeEvent(Event& /*event*/) const {}
  void AfterEvent(const Event& /*event*/) const {}
};

// Applies an input that is not a datagram.
void ApplyWithoutEvents(const Input& input, InputProcessor& processor);

// Applies one input, which was received or taken at `now_ns`. A template, so that the hooks cost no call for each
// event.
template <typename Hooks = NoEventHooks>
void ApplyInput(const Input& input, std::uint64_t now_ns, InputProcessor& processor, Hooks&& hooks = {}) {
  const auto* const datagram = std::get_if<ConnectorDatagram>(&input);
  if (datagram == nullptr) {
    ApplyWithoutEvents(input, processor);
    return;
  }
  ForEachMessage(datagram->bytes, [&](Message& message) {
    const bool is_event = message.outcome == DecodeOutcome::kEvent;
    if (is_event) {
      hooks.BeforeEvent(message.event);
    }
    processor.ApplyMessage(message, now_ns);
    if (is_event) {
      hooks.AfterEvent(message.event);
    }
  });
}

}  // namespace procevent
