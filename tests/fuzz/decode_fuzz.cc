// Any bytes as a datagram: the decoder comes to its end, stays inside its input, agrees with the slow decoder, and
// what it takes for an event survives being encoded and decoded again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "core/protocol/decoder.h"
#include "core/protocol/encoder.h"
#include "core/protocol/wire.h"
#include "require.h"
#include "tests/core/protocol/reference_decoder.h"

namespace procevent {
namespace {

using View = std::span<const std::byte>;

bool Inside(View inner, View outer) {
  return inner.empty() || (std::less_equal<>()(outer.data(), inner.data()) &&
                           static_cast<std::size_t>(inner.data() - outer.data()) + inner.size() <= outer.size());
}

void CheckEvent(const Event& event, View datagram) {
  if (const auto* unknown = std::get_if<UnknownBody>(&event.body)) {
    Require(Inside(unknown->payload, datagram), "an unknown payload lies inside its datagram");
  }
  const Bytes again = EncodeEvent(event);
  Decoder decoder(again);
  Message message;
  Require(decoder.Next(message) && message.outcome == DecodeOutcome::kEvent, "an event that was encoded is an event");
  Require(message.event == event, "decode(encode(event)) == event");
  Require(!decoder.Next(message), "an event that was encoded is one message");
}

bool Same(const Message& fast, const Message& slow) {
  return fast.outcome == slow.outcome && (fast.outcome != DecodeOutcome::kEvent || fast.event == slow.event) &&
         (fast.outcome != DecodeOutcome::kControl || fast.control == slow.control) &&
         (fast.outcome != DecodeOutcome::kKernelError || fast.kernel_errno == slow.kernel_errno);
}

void CheckDatagram(View datagram) {
  const std::size_t most = datagram.size() / wire::kNetlinkHeader + 1;
  std::vector<Message> messages;
  Decoder decoder(datagram);
  for (Message message; decoder.Next(message);) {
    Require(messages.empty() || messages.back().outcome < DecodeOutcome::kTruncatedNetlinkHeader,
            "a bad message ends its datagram");
    messages.push_back(message);
    Require(messages.size() <= most, "every message takes a header");
    if (message.outcome == DecodeOutcome::kEvent) {
      CheckEvent(message.event, datagram);
    }
  }
  Require(datagram.empty() == messages.empty(), "whatever is there says something");
  Require(std::ranges::equal(messages, ReferenceDecodeAll(datagram), Same), "both decoders say the same");
}

}  // namespace
}  // namespace procevent

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  procevent::CheckDatagram(std::as_bytes(std::span(data, size)));
  return 0;
}
