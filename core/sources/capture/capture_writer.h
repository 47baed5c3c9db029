// Writes a capture as a pcap file of complete packets. If the disk fills up, the packets written so far stay readable.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/file_descriptor.h"
#include "core/base/result.h"
#include "core/protocol/capture_packet.h"

struct pcap;
struct pcap_dumper;

namespace procevent {

// One thread at a time writes. Any thread may call failed() and LimitPipeWait().
class CaptureWriter {
 public:
  // "-" is standard output. The first packet truncates an existing file and restricts it to its owner. Throws
  // FatalError.
  explicit CaptureWriter(const std::string& path);
  CaptureWriter(const CaptureWriter&) = delete;
  CaptureWriter& operator=(const CaptureWriter&) = delete;
  ~CaptureWriter();

  // Waits while a pipe is full. Does nothing after a failure. The payload has at most kMaxPayloadBytes.
  void Write(std::uint64_t time_ns, std::uint16_t family, std::span<const std::byte> payload);
  // Writes buffered packets to the file.
  void Flush();

  // From now on a full pipe fails the capture after about a second.
  void LimitPipeWait() { pipe_wait_limited_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool failed() const { return error_.load(std::memory_order_relaxed) != 0; }

  // Call after the last Write. Returns an error if a packet could not be written. Removes a partial packet from the end
  // of the file, and removes a new file that got no packet.
  [[nodiscard]] Status Finish();
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // of complete packets and the file header

 private:
  struct ClosePcap {
    void operator()(pcap* capture) const;
  };
  struct CloseDumper {
    void operator()(pcap_dumper* dumper) const;
  };
  void StartFile();
  [[nodiscard]] bool WaitUntilWritable() const;
  void RecordFailureUnless(bool written);
  void TruncateToCompletePackets();

  std::string path_;
  bool has_path_ = false;  // opened from a path, not standard output
  bool created_ = false;   // the file did not exist before
  OwnedFd fd_;             // to truncate the file after the dumper is closed
  std::unique_ptr<pcap, ClosePcap> pcap_;
  std::unique_ptr<pcap_dumper, CloseDumper> dumper_;
  std::array<std::byte, kCookedHeaderBytes + kMaxPayloadBytes> packet_{};  // the one being written
  std::uint64_t bytes_ = 0;
  std::uint64_t flushed_ = 0;  // bytes known to be in the file
  std::atomic<int> error_{0};
  std::atomic<bool> pipe_wait_limited_{false};
};

}  // namespace procevent
