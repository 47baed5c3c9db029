// Constants of the netlink, connector and cn_proc wire formats.
//
// Defined here because kernel headers differ between versions, and old ones lack the event filter.
#pragma once

#include <cstddef>
#include <cstdint>

namespace procevent::wire {

// struct nlmsghdr: length, type, flags, sequence, port id.
inline constexpr std::size_t kNetlinkHeader = 16;
inline constexpr std::size_t kNetlinkAlignment = 4;
inline constexpr std::uint16_t kNoop = 1;
inline constexpr std::uint16_t kError = 2;
inline constexpr std::uint16_t kDone = 3;
inline constexpr std::uint16_t kOverrun = 4;
inline constexpr std::uint16_t kFirstDataType = 16;

// struct cn_msg: idx, val, seq, ack, len, flags.
inline constexpr std::size_t kConnectorHeader = 20;
inline constexpr std::uint32_t kProcIndex = 1;
inline constexpr std::uint32_t kProcValue = 1;

// struct proc_event: what, cpu, timestamp (misaligned), body.
inline constexpr std::size_t kEventHeader = 16;
inline constexpr std::size_t kEvent = 40;
inline constexpr std::size_t kDatagram = kNetlinkHeader + kConnectorHeader + kEvent;

inline constexpr std::uint32_t kWhatAck = 0;
inline constexpr std::uint32_t kWhatFork = 0x1;
inline constexpr std::uint32_t kWhatExec = 0x2;
inline constexpr std::uint32_t kWhatUid = 0x4;
inline constexpr std::uint32_t kWhatGid = 0x40;
inline constexpr std::uint32_t kWhatSid = 0x80;
inline constexpr std::uint32_t kWhatPtrace = 0x100;
inline constexpr std::uint32_t kWhatComm = 0x200;
inline constexpr std::uint32_t kWhatNonzeroExit = 0x20000000;  // a filter bit; decoded as an exit
inline constexpr std::uint32_t kWhatCoredump = 0x40000000;
inline constexpr std::uint32_t kWhatExit = 0x80000000;
inline constexpr std::uint32_t kWhatAll = 0xE00003C7;  // PROC_EVENT_ALL

inline constexpr std::uint32_t kOperationListen = 1;
inline constexpr std::uint32_t kOperationIgnore = 2;

}  // namespace procevent::wire
