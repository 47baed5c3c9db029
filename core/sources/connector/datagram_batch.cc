#include "core/sources/connector/datagram_batch.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/sources/connector/subscription_error.h"

namespace procevent {

DatagramBatch::DatagramBatch(std::size_t slot_bytes) : slot_bytes_(slot_bytes), slots_(std::make_unique<Slots>()) {
  slots_->bytes.resize(kSlots * slot_bytes_);
  for (std::size_t i = 0; i < kSlots; ++i) {
    slots_->parts[i] = {slots_->bytes.data() + i * slot_bytes_, slot_bytes_};
    msghdr& header = slots_->headers[i].msg_hdr;
    header.msg_name = &slots_->senders[i];
    header.msg_namelen = sizeof(sockaddr_nl);
    header.msg_iov = &slots_->parts[i];
    header.msg_iovlen = 1;
  }
}

Result<std::size_t> DatagramBatch::FillFrom(int fd) {
  for (std::size_t i = 0; i < size_; ++i) {
    slots_->headers[i].msg_hdr.msg_namelen =
        sizeof(sockaddr_nl);  // the kernel overwrote it with the length of the sender address
  }
  size_ = 0;
  while (true) {
    const int received = ::recvmmsg(fd, slots_->headers.data(), kSlots, MSG_DONTWAIT, nullptr);
    if (received >= 0) {
      size_ = static_cast<std::size_t>(received);
      return size_;
    }
    // ENOBUFS: an overrun that NETLINK_NO_ENOBUFS should have suppressed. Socket drops count it in any case.
    if (errno == EINTR || errno == ENOBUFS) {
      continue;
    }
    if (errno == EAGAIN) {
      return std::size_t{0};
    }
    return MakeReceiveError(errno);
  }
}

bool DatagramBatch::Append(std::span<const std::byte> bytes, std::uint32_t port_id) {
  if (full()) {
    return false;
  }
  mmsghdr& header = slots_->headers[size_];
  const std::size_t kept = std::min(bytes.size(), slot_bytes_);
  std::copy_n(bytes.begin(), kept, slots_->bytes.begin() + static_cast<std::ptrdiff_t>(size_ * slot_bytes_));
  slots_->senders[size_] = {};
  slots_->senders[size_].nl_family = AF_NETLINK;
  slots_->senders[size_].nl_pid = port_id;
  header.msg_hdr.msg_namelen = sizeof(sockaddr_nl);
  header.msg_hdr.msg_flags = bytes.size() > slot_bytes_ ? MSG_TRUNC : 0;
  header.msg_len = static_cast<unsigned>(kept);
  ++size_;
  return true;
}

Datagram DatagramBatch::operator[](std::size_t index) const {
  const mmsghdr& header = slots_->headers[index];
  const sockaddr_nl& sender = slots_->senders[index];
  const std::size_t length = std::min<std::size_t>(header.msg_len, slot_bytes_);
  const std::span<const std::byte> bytes(slots_->bytes.data() + index * slot_bytes_, length);
  if (header.msg_hdr.msg_namelen != sizeof sender || sender.nl_family != AF_NETLINK || sender.nl_pid != 0) {
    return {Datagram::Origin::kForeign, bytes};
  }
  if ((static_cast<unsigned>(header.msg_hdr.msg_flags) & static_cast<unsigned>(MSG_TRUNC)) != 0) {
    return {Datagram::Origin::kOversized, bytes};
  }
  return {Datagram::Origin::kKernel, bytes};
}

}  // namespace procevent
