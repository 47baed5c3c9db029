// Decodes any bytes as a datagram. Checks that the decoder terminates, stays inside its input and agrees with the
// reference decoder, and that each event is equal after it was encoded and decoded.
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

bool IsInside(View inner, View outer) {
  return inner.empty() || (std::less_equal<>()(outer.data(), inner.data()) &&
                           static_cast<std::size_t>(inner.data() - outer.data()) + inner.size() <= outer.size());
}

void CheckEvent(const Event& event, View datagram) {
  if (const auto* unknown = std::get_if<UnknownBody>(&event.body)) {
    Require(IsInside(unknown->payload, datagram), "an unknown payload lies inside its datagram");
  }
  const Bytes encoded = EncodeEvent(event);
  std::size_t messages = 0;
  ForEachMessage(encoded, [&](const Message& message) {
    Require(message.outcome == DecodeOutcome::kEvent, "an encoded event decodes as an event");
    Require(message.event == event, "decode(encode(event)) == event");
    ++messages;
  });
  Require(messages == 1, "an encoded event is one message");
}

bool IsSame(const Message& actual, const Message& reference) {
  return actual.outcome == reference.outcome &&
         (actual.outcome != DecodeOutcome::kEvent || actual.event == reference.event) &&
         (actual.outcome != DecodeOutcome::kControl || actual.control == reference.control) &&
         (actual.outcome != DecodeOutcome::kKernelError || actual.kernel_errno == reference.kernel_errno);
}

void CheckDatagram(View datagram) {
  const std::size_t max_messages = datagram.size() / wire::kNetlinkHeader + 1;
  std::vector<Message> messages;
  ForEachMessage(datagram, [&](const Message& message) {
    Require(messages.empty() || messages.back().outcome < DecodeOutcome::kTruncatedNetlinkHeader,
            "an invalid message ends its datagram");
    messages.push_back(message);
    Require(messages.size() <= max_messages, "every message has a header");
    if (message.outcome == DecodeOutcome::kEvent) {
      CheckEvent(message.event, datagram);
    }
  });
  Require(datagram.empty() == messages.empty(), "every datagram that is not empty has a message");
  Require(std::ranges::equal(messages, ReferenceDecodeAll(datagram), IsSame), "both decoders agree");
}

}  // namespace
}  // namespace procevent

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  procevent::CheckDatagram(std::as_bytes(std::span(data, size)));
  return 0;
}
