// What libpcap does not say about the files that it writes and reads. For the two rooms that do so here.
#pragma once

#include <cstddef>

namespace procevent {

inline constexpr std::size_t kPcapFileHeaderBytes = 24;
inline constexpr std::size_t kPcapPacketHeaderBytes = 16;
inline constexpr std::size_t kPcapLengthOffset = 8;  // in a packet's header: how many bytes of it follow

}  // namespace procevent
