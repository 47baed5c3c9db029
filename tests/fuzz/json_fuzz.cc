// Any bytes as a line of JSON: it is encoded or refused with a line of text, and what is encoded is one message, the
// line of which is encoded to the same bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "cmd/capture/event_json.h"
#include "core/protocol/decoder.h"
#include "require.h"

namespace procevent {
namespace {

void CheckFault(const std::string& fault) {
  Require(!fault.empty(), "a fault has a text");
  Require(fault.find('\n') == std::string::npos, "a fault is one line");
  Require(fault.size() < 1024, "a fault is short");
}

void CheckLine(std::string_view line) {
  const auto datagram = ParseJsonLine(line);
  if (const auto* const fault = std::get_if<std::string>(&datagram)) {
    CheckFault(*fault);
    return;
  }
  Decoder decoder(std::get<Bytes>(datagram));
  Message message;
  Require(decoder.Next(message), "what is encoded is a message");
  const std::string shown = FormatJsonLine(message);
  Require(!decoder.Next(message), "and no second one");
  Require(std::ranges::none_of(shown, [](char c) { return c >= 0 && c < ' '; }), "a line has no controls");
  const auto again = ParseJsonLine(shown);
  Require(again == datagram, "what was decoded is encoded as before");
}

}  // namespace
}  // namespace procevent

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string line(data, data + size);
  procevent::CheckLine(line);
  return 0;
}
