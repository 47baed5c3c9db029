// Reads captures: pcap files of netlink messages, written by `record` or by other tools.
//
// Errors are lines that name the file, the position in it and the remedy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

#include "core/base/file_descriptor.h"

struct pcap;

namespace procevent {

// Sizes of the pcap file format, which libpcap does not export.
inline constexpr std::size_t kPcapFileHeaderBytes = 24;
inline constexpr std::size_t kPcapPacketHeaderBytes = 16;
inline constexpr std::size_t kPcapLengthOffset = 8;  // of the captured length in a packet header

// One packet of a capture.
struct CapturedPacket {
  enum class Kind : std::uint8_t {
    kDatagram,  // connector datagram from the kernel
    kRecord,    // record of this program, of any version
    kForeign,   // other netlink traffic, and requests to the kernel
  };
  Kind kind = Kind::kForeign;
  std::uint64_t time_ns = 0;           // wall clock of the recording host
  std::span<const std::byte> payload;  // without the cooked header; valid until the next Read
};

// Iterates over the packets of a capture. One thread at a time.
class CaptureFile {
 public:
  // "-" is standard input. Throws std::runtime_error with an error line.
  explicit CaptureFile(const std::string& path);
  // Takes over an open file, called `name` in error lines.
  CaptureFile(std::FILE* file, std::string name);

  enum class PacketResult : std::uint8_t { kPacket, kEnd, kFault };
  PacketResult Read(CapturedPacket& packet);
  [[nodiscard]] const std::string& name() const { return name_; }
  // The error line, after kFault.
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  struct ClosePcap {
    void operator()(pcap* capture) const;
  };

  void OpenPcap(std::FILE* file);
  [[nodiscard]] std::string Position() const;
  PacketResult Fail(const std::string& cause);

  std::string name_;
  std::unique_ptr<pcap, ClosePcap> pcap_;
  std::string fault_;
  std::uint64_t packets_ = 0;
  std::uint64_t offset_ = 0;
};

// Regular file that is read more than once. It is opened only once, so that another file at the same path has no
// effect.
class StoredCapture {
 public:
  // Throws std::runtime_error with an error line if the path is not a readable regular file.
  explicit StoredCapture(const std::string& path);

  // Starts reading at the beginning. All readers share one file offset, so use one at a time. Throws std::runtime_error
  // with an error line.
  [[nodiscard]] CaptureFile Open() const;
  // The file was modified since it was opened.
  [[nodiscard]] bool changed() const;

 private:
  struct Version {
    std::int64_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanos = 0;
    bool operator==(const Version&) const = default;
  };
  [[nodiscard]] Version ReadVersion() const;

  std::string name_;
  OwnedFd fd_;
  Version version_;
};

}  // namespace procevent
