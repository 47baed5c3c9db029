// The protocol a second time, slow and obvious, to hold the real decoder against. Written from the rules, not from
// the decoder: absolute offsets, one byte at a time, every message a record in a list. Tests and fuzzers only.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/protocol/decoder.h"

namespace procevent {

std::vector<Message> ReferenceDecodeAll(std::span<const std::byte> datagram);

}  // namespace procevent
