// FOLDED: pcap_form.h, capture_file.h
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

// What libpcap does not say about the files that it writes and reads. For the two rooms that do so here.

inline constexpr std::size_t kPcapFileHeaderBytes = 24;
inline constexpr std::size_t kPcapPacketHeaderBytes = 16;
inline constexpr std::size_t kPcapLengthOffset = 8;  // in a packet's header: how many bytes of it follow

// A capture, read packet by packet: a pcap file of netlink messages, by `record` or by anybody else's hand. For replay
// and for decode; one thread at a time. What is wrong with a file is told in a line that names the file, the place in
// it, and what helps.

struct CapturedPacket {
  enum class Kind : std::uint8_t {
    kDatagram,  // of the connector, to a program
    kRecord,    // of our own, whatever its version
    kForeign,   // others' talk, and requests to the kernel
  };
  Kind kind = Kind::kForeign;
  std::uint64_t time_ns = 0;           // of the recorder's wall clock
  std::span<const std::byte> payload;  // behind the cooked header; valid until the next is read
};

class CaptureFile {
 public:
  // "-" is the standard input. Throws std::runtime_error with the line.
  explicit CaptureFile(const std::string& path);
  // One that is open already, called `name` in faults.
  CaptureFile(std::FILE* file, std::string name);

  enum class PacketResult : std::uint8_t { kPacket, kEnd, kFault };
  PacketResult Read(CapturedPacket& packet);
  [[nodiscard]] const std::string& name() const { return name_; }
  // After kFault: the line.
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  struct ClosePcap {
    void operator()(pcap* capture) const;
  };

  void Begin(std::FILE* file);
  [[nodiscard]] std::string Where() const;
  PacketResult Fail(const std::string& what);

  std::string name_;
  std::unique_ptr<pcap, ClosePcap> pcap_;
  std::string fault_;
  std::uint64_t packets_ = 0;
  std::uint64_t offset_ = 0;
};

// A capture on the disk that is read more than once: opened once, so that nobody can put another one in its place.
class StoredCapture {
 public:
  // Throws std::runtime_error with a line, if it is no regular file that may be read.
  explicit StoredCapture(const std::string& path);

  // From its beginning; one at a time. Throws std::runtime_error with a line.
  [[nodiscard]] CaptureFile Open() const;
  // Somebody wrote to it since it was opened.
  [[nodiscard]] bool changed() const;

 private:
  struct Version {
    std::int64_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanos = 0;
    bool operator==(const Version&) const = default;
  };
  [[nodiscard]] Version Look() const;

  std::string name_;
  OwnedFd fd_;
  Version version_;
};

}  // namespace procevent
