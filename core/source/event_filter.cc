#include "core/source/event_filter.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "core/protocol/wire.h"

namespace procevent {

Status AcceptOnly(int fd, EventMask mask) {
  constexpr std::uint32_t kWhatOffset = wire::kNetlinkHeader + wire::kConnectorHeader;
  constexpr std::uint32_t kWhole = UINT32_MAX;
  // BPF loads in network order, so the mask is turned instead. An ACK has no bit and is dropped, as by the kernel's
  // own filter.
  std::array<sock_filter, 4> program{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, kWhatOffset},
      {BPF_JMP | BPF_JSET | BPF_K, 0, 1, htonl(mask.bits())},
      {BPF_RET | BPF_K, 0, 0, kWhole},
      {BPF_RET | BPF_K, 0, 0, 0},
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) {
    return Error{"narrow the subscription by a socket filter", errno, "subscribe to all events (source.events: all)"};
  }
  return Success{};
}

}  // namespace procevent
