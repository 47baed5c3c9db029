// Writes a capture: a pcap file, whole packets only. Where the disk fills up, what was written before stays readable.
// For `record`; one thread at a time writes, and any may ask whether that still works.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/owned_fd.h"
#include "core/base/result.h"

struct pcap;
struct pcap_dumper;

namespace procevent {

class CaptureWriter {
 public:
  // Makes the file, or empties it, for its owner alone to read; "-" is the standard output. Throws std::runtime_error
  // with a line that names the cause.
  explicit CaptureWriter(const std::string& path);
  CaptureWriter(const CaptureWriter&) = delete;
  CaptureWriter& operator=(const CaptureWriter&) = delete;
  ~CaptureWriter();

  static constexpr std::size_t kMostPayloadBytes = 256;  // what is longer is cut

  // After a failure, nothing is written any more.
  void Write(std::uint64_t time_ns, std::uint16_t family, std::span<const std::byte> payload);
  // What waits in memory goes to the file.
  void Flush();

  [[nodiscard]] bool failed() const { return error_.load(std::memory_order_relaxed) != 0; }
  // Why; to be asked when nobody writes any more. Nothing that is not whole is left behind then.
  [[nodiscard]] Status Finish();
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // of whole packets, and the file's header

 private:
  struct ClosePcap {
    void operator()(pcap* capture) const;
  };
  struct CloseDumper {
    void operator()(pcap_dumper* dumper) const;
  };
  void Note(bool written);
  void CutToWholePackets();

  OwnedFd fd_;  // to mend the file with, when the dumper is gone
  std::unique_ptr<pcap, ClosePcap> pcap_;
  std::unique_ptr<pcap_dumper, CloseDumper> dumper_;
  std::uint64_t bytes_ = 0;
  std::uint64_t flushed_ = 0;  // what surely stands in the file
  std::atomic<int> error_{0};
};

}  // namespace procevent
