// Formats the records of this program in a capture as JSON lines, for `decode`. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/protocol/capture_packet.h"

namespace procevent {

// One line of UTF-8 without a newline, whose first key is `record`. Nothing if the packet is no record. A record that
// this program cannot read is {"record":"unknown"}, with its kind and the length of its body if a newer program may
// have written it.
std::optional<std::string> FormatRecordJsonLine(const PacketContent& content);

// Whether a line is that of a record of any version: an object whose first key is `record`, with a name as its value.
bool IsRecordJsonLine(std::string_view line);

}  // namespace procevent
