// Writes a capture: a pcap file, whole packets only. Where the disk fills up, what was written before stays readable.
// For `record`; one thread at a time writes, and any may ask whether that still works.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/file_descriptor.h"
#include "core/base/result.h"

struct pcap;
struct pcap_dumper;

namespace procevent {

class CaptureWriter {
 public:
  // "-" is the standard output. What a file held is lost only with the first packet, and then the file is for its owner
  // alone. Throws std::runtime_error with a line that names the cause.
  explicit CaptureWriter(const std::string& path);
  CaptureWriter(const CaptureWriter&) = delete;
  CaptureWriter& operator=(const CaptureWriter&) = delete;
  ~CaptureWriter();

  static constexpr std::size_t kMaxPayloadBytes = 256;  // a datagram has 76, a record fewer than 128

  // After a failure, nothing is written any more. Waits where a pipe is full.
  void Write(std::uint64_t time_ns, std::uint16_t family, std::span<const std::byte> payload);
  // What waits in memory goes to the file.
  void Flush();

  // From any thread: from now on nobody waits longer than a second for a pipe.
  void LimitPipeWait() { hurried_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool failed() const { return error_.load(std::memory_order_relaxed) != 0; }

  // When nobody writes any more: whether all was written. Nothing that is not whole is left in a file, and none that
  // was made for nothing.
  [[nodiscard]] Status Finish();
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // of whole packets, and the file's header

 private:
  struct ClosePcap {
    void operator()(pcap* capture) const;
  };
  struct CloseDumper {
    void operator()(pcap_dumper* dumper) const;
  };
  void Begin();
  [[nodiscard]] bool AwaitRoom() const;
  void Note(bool written);
  void CutToWholePackets();

  std::string path_;
  bool own_ = false;   // a file, not the standard output
  bool made_ = false;  // and there was none before
  OwnedFd fd_;         // to mend the file with, when the dumper is gone
  std::unique_ptr<pcap, ClosePcap> pcap_;
  std::unique_ptr<pcap_dumper, CloseDumper> dumper_;
  std::uint64_t bytes_ = 0;
  std::uint64_t flushed_ = 0;  // what surely stands in the file
  std::atomic<int> error_{0};
  std::atomic<bool> hurried_{false};
};

}  // namespace procevent
