// Simple second implementation of the decoder, to compare the real one with. For tests and fuzzers only.
//
// Written from the protocol rules, not from the decoder: absolute offsets, one byte at a time, a list of all messages.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/protocol/decoder.h"

namespace procevent {

std::vector<Message> ReferenceDecodeAll(std::span<const std::byte> datagram);

}  // namespace procevent
