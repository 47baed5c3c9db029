// Reads captures: pcap files of netlink messages, written by `record` or by other tools.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/file_descriptor.h"
#include "core/base/result.h"
#include "core/protocol/capture_packet.h"

struct pcap;

namespace procevent {

// Sizes of the pcap file format, which libpcap does not export.
inline constexpr std::size_t kPcapFileHeaderBytes = 24;
inline constexpr std::size_t kPcapPacketHeaderBytes = 16;
inline constexpr std::size_t kPcapLengthOffset = 8;  // of the captured length in a packet header

// One packet of a capture.
struct CapturedPacket {
  std::uint64_t time_ns = 0;  // wall clock of the recording host
  PacketContent content;      // a datagram is valid until the next Read
};

// Iterates over the packets of a capture. Errors name the file, the position in it and the remedy. One thread at a
// time.
class CaptureFile {
 public:
  // "-" is standard input.
  static Result<CaptureFile> Open(const std::string& path);
  // Takes over an open file, called `name` in errors.
  static Result<CaptureFile> Open(std::FILE* file, const std::string& name);

  // Returns the next packet, or nothing at the end.
  Result<std::optional<CapturedPacket>> Read();
  [[nodiscard]] const std::string& name() const { return name_; }  // printable

 private:
  struct ClosePcap {
    void operator()(pcap* capture) const;
  };
  using Pcap = std::unique_ptr<pcap, ClosePcap>;

  CaptureFile(Pcap capture, std::string name) : name_(std::move(name)), pcap_(std::move(capture)) {}
  [[nodiscard]] Error ReadError(Cause cause, std::string_view remedy, std::string details) const;

  std::string name_;
  Pcap pcap_;
  std::uint64_t packets_ = 0;
  std::uint64_t offset_ = kPcapFileHeaderBytes;
};

// Regular file that is read more than once. It is opened only once, so that another file at the same path has no
// effect.
class StoredCapture {
 public:
  static Result<StoredCapture> Open(const std::string& path);

  // Starts reading at the beginning. All readers share one file offset, so use one at a time.
  [[nodiscard]] Result<CaptureFile> StartReading() const;
  // The file was modified since it was opened.
  [[nodiscard]] bool changed() const;

 private:
  struct Version {
    std::int64_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanos = 0;
    bool operator==(const Version&) const = default;
  };
  StoredCapture(OwnedFd fd, std::string name) : name_(std::move(name)), fd_(std::move(fd)), version_(ReadVersion()) {}
  [[nodiscard]] Version ReadVersion() const;

  std::string name_;
  OwnedFd fd_;
  Version version_;
};

}  // namespace procevent
