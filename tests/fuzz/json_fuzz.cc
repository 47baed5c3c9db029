// Fuzzes ParseJsonLine: any line gives one error line, or one message that round-trips to the same bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/capture/event_json.h"
#include "core/protocol/decoder.h"
#include "require.h"

namespace procevent {
namespace {

void CheckError(const std::string& error) {
  Require(!error.empty(), "an error has a text");
  Require(error.find('\n') == std::string::npos, "an error is one line");
  Require(error.size() < 1024, "an error is short");
}

void CheckLine(std::string_view line) {
  const auto datagram = ParseJsonLine(line);
  if (!datagram) {
    CheckError(Describe(datagram.error()));
    return;
  }
  std::vector<std::string> lines;
  ForEachMessage(datagram.value(), [&](const Message& message) { lines.push_back(FormatJsonLine(message)); });
  Require(lines.size() == 1, "a parsed line is one message");
  const std::string& formatted = lines.front();
  Require(std::ranges::none_of(formatted, [](char c) { return c >= 0 && c < ' '; }),
          "a line has no control characters");
  const auto reparsed = ParseJsonLine(formatted);
  Require(reparsed && reparsed.value() == datagram.value(), "a formatted line parses to the same bytes");
}

}  // namespace
}  // namespace procevent

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string line(data, data + size);
  procevent::CheckLine(line);
  return 0;
}
