#include "core/source/capture_writer.h"

#include <fcntl.h>
#include <pcap/pcap.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "core/base/clock.h"
#include "core/protocol/capture_record.h"

namespace procevent {
namespace {

constexpr int kMostPacketBytes = 65'536;
constexpr std::size_t kFileHeaderBytes = 24;
constexpr std::size_t kPacketHeaderBytes = 16;
constexpr std::size_t kLengthOffset = 8;  // in a packet's header: how many bytes of it follow

[[noreturn]] void Refuse(const std::string& path, const std::string& cause) {
  throw std::runtime_error("cannot write the capture " + path + ": " + cause +
                           "; give the path of a file that may be written, on a disk with room");
}

OwnedFd OpenFile(const std::string& path) {
  constexpr mode_t kOwnerAlone = 0600;
  OwnedFd fd(path == "-" ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                         : ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, kOwnerAlone));
  if (!fd.valid()) {
    Refuse(path, std::system_category().message(errno));
  }
  return fd;
}

}  // namespace

void CaptureWriter::ClosePcap::operator()(pcap* capture) const { pcap_close(capture); }
void CaptureWriter::CloseDumper::operator()(pcap_dumper* dumper) const { pcap_dump_close(dumper); }

CaptureWriter::CaptureWriter(const std::string& path)
    : fd_(OpenFile(path)),
      pcap_(pcap_open_dead_with_tstamp_precision(kCaptureLinkType, kMostPacketBytes, PCAP_TSTAMP_PRECISION_NANO)) {
  OwnedFd own(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  std::FILE* const file = own.valid() ? ::fdopen(own.get(), "wb") : nullptr;
  if (file == nullptr) {
    Refuse(path, std::system_category().message(errno));
  }
  static_cast<void>(own.Release());  // the FILE's
  dumper_.reset(pcap_dump_fopen(pcap_.get(), file));
  if (!dumper_) {
    Refuse(path, pcap_geterr(pcap_.get()));
  }
  bytes_ = kFileHeaderBytes;
  Flush();
  if (failed()) {
    Refuse(path, std::system_category().message(error_));
  }
}

CaptureWriter::~CaptureWriter() { static_cast<void>(Finish()); }

void CaptureWriter::Write(std::uint64_t time_ns, std::uint16_t family, std::span<const std::byte> payload) {
  if (failed()) {
    return;
  }
  std::array<std::byte, kCookedHeaderBytes + kMostPayloadBytes> packet{};
  const std::size_t size = std::min(payload.size(), kMostPayloadBytes);
  std::ranges::copy(CookedHeader(family), packet.begin());
  std::ranges::copy(payload.first(size), packet.begin() + kCookedHeaderBytes);
  pcap_pkthdr header{};
  header.ts.tv_sec = static_cast<time_t>(time_ns / kNanosPerSecond);
  header.ts.tv_usec = static_cast<suseconds_t>(time_ns % kNanosPerSecond);
  header.caplen = static_cast<std::uint32_t>(kCookedHeaderBytes + size);
  header.len = static_cast<std::uint32_t>(kCookedHeaderBytes + payload.size());
  errno = 0;
  pcap_dump(reinterpret_cast<unsigned char*>(dumper_.get()), &header,  // NOLINT(*-reinterpret-cast): libpcap's own form
            reinterpret_cast<const unsigned char*>(packet.data()));    // NOLINT(*-reinterpret-cast)
  Note(std::ferror(pcap_dump_file(dumper_.get())) == 0);
  bytes_ += failed() ? 0 : kPacketHeaderBytes + header.caplen;
}

void CaptureWriter::Flush() {
  if (failed()) {
    return;
  }
  errno = 0;
  Note(pcap_dump_flush(dumper_.get()) == 0);
  if (!failed()) {
    flushed_ = bytes_;
  }
}

void CaptureWriter::Note(bool written) {
  if (!written) {
    error_.store(errno == 0 ? EIO : errno, std::memory_order_relaxed);
  }
}

Status CaptureWriter::Finish() {
  if (dumper_) {
    Flush();
    dumper_.reset();  // it tries to write what waits once more
    if (failed()) {
      CutToWholePackets();
    }
  }
  return failed() ? Status(Error{"write the capture", error_,
                                 "make room, or record to another disk; what was recorded until then is readable"})
                  : Status(Success{});
}

// A pipe cannot be cut: whoever reads it sees that it ends within a packet.
void CaptureWriter::CutToWholePackets() {
  struct stat file {};
  if (::fstat(fd_.get(), &file) != 0 || !S_ISREG(file.st_mode)) {
    return;
  }
  const auto size = static_cast<std::uint64_t>(file.st_size);
  bytes_ = flushed_;
  std::uint32_t length = 0;
  while (::pread(fd_.get(), &length, sizeof(length), static_cast<off_t>(bytes_ + kLengthOffset)) == sizeof(length) &&
         bytes_ + kPacketHeaderBytes + length <= size) {
    bytes_ += kPacketHeaderBytes + length;
  }
  static_cast<void>(::ftruncate(fd_.get(), static_cast<off_t>(bytes_)));  // what helps if this fails, too?
}

}  // namespace procevent
