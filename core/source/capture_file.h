// A capture, read packet by packet: a pcap file of netlink messages, by `record` or by anybody else's hand. For replay
// and for decode; one thread at a time. What is wrong with a file is told in a line that names the file, the place in
// it, and what helps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

struct pcap;

namespace procevent {

struct CapturedPacket {
  std::uint64_t time_ns = 0;           // of the recorder's wall clock
  std::uint16_t family = 0;            // netlink's
  std::span<const std::byte> payload;  // behind the cooked header; valid until the next is read
};

class CaptureFile {
 public:
  // "-" is the standard input. Throws std::runtime_error with the line.
  explicit CaptureFile(const std::string& path);
  // One that is open already, called `name` in faults.
  CaptureFile(std::FILE* file, std::string name);

  enum class Got : std::uint8_t { kPacket, kEnd, kFault };
  Got Read(CapturedPacket& packet);
  [[nodiscard]] const std::string& name() const { return name_; }
  // After kFault: the line.
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  struct ClosePcap {
    void operator()(pcap* capture) const;
  };

  void Begin(std::FILE* file);
  Got Fail(const std::string& what);

  std::string name_;
  std::unique_ptr<pcap, ClosePcap> pcap_;
  std::string fault_;
  std::uint64_t packets_ = 0;
};

}  // namespace procevent
