// Up to 64 datagrams from one system call, into memory that was allocated once. Tells what the kernel sent from what
// anybody else did, and from what is too long to be of the connector. The sources fill it, the reader empties it.
#pragma once

#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/result.h"

namespace procevent {

struct Datagram {
  enum class Origin : std::uint8_t { kKernel, kForeign, kOversized };
  Origin origin = Origin::kKernel;
  std::span<const std::byte> bytes;  // cut at the slot's end if oversized; valid until the batch is filled again
};

class DatagramBatch {
 public:
  static constexpr std::size_t kSlots = 64;
  static constexpr std::size_t kSlotBytes = 256;  // a datagram has 76; small, so that a batch stays in the cache

  DatagramBatch();

  // Takes what waits on a netlink socket, up to kSlots, without blocking; the number taken.
  Result<std::size_t> FillFrom(int fd);

  // For sources that are no sockets: empties the batch, and adds one datagram (false: it is full).
  void Clear() { size_ = 0; }
  bool Append(std::span<const std::byte> bytes, std::uint32_t port_id);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool full() const { return size_ == kSlots; }
  [[nodiscard]] Datagram operator[](std::size_t index) const;

 private:
  struct Slots {
    std::array<mmsghdr, kSlots> headers{};
    std::array<iovec, kSlots> parts{};
    std::array<sockaddr_nl, kSlots> senders{};
    std::array<std::array<std::byte, kSlotBytes>, kSlots> bytes{};
  };
  std::unique_ptr<Slots> slots_;  // on the heap: the headers point into it, so the batch can move
  std::size_t size_ = 0;
};

}  // namespace procevent
