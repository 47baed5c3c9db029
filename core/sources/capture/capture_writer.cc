#include "core/sources/capture/capture_writer.h"

#include <fcntl.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio_ext.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "core/base/system.h"
#include "core/protocol/capture_record.h"
#include "core/sources/capture/capture_file.h"

namespace procevent {
namespace {

constexpr int kMostPacketBytes = 65'536;
constexpr mode_t kOwnerAlone = 0600;

constexpr std::size_t kPipePiece = 4096;  // so much fits where a pipe has room at all
constexpr int kOnePoll = 100;             // milliseconds
constexpr int kMostPolls = 10;            // of one who hurries

[[noreturn]] void Refuse(const std::string& path, const std::string& cause) {
  throw std::runtime_error("cannot write the capture " + path + ": " + cause +
                           "; give the path of a file that may be written, on a disk with room");
}

[[noreturn]] void RefuseForErrno(const std::string& path) { Refuse(path, std::system_category().message(errno)); }

}  // namespace

void CaptureWriter::ClosePcap::operator()(pcap* capture) const { pcap_close(capture); }
void CaptureWriter::CloseDumper::operator()(pcap_dumper* dumper) const { pcap_dump_close(dumper); }

CaptureWriter::CaptureWriter(const std::string& path)
    : path_(path),
      own_(path != "-"),
      pcap_(pcap_open_dead_with_tstamp_precision(kCaptureLinkType, kMostPacketBytes, PCAP_TSTAMP_PRECISION_NANO)) {
  constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  if (own_) {
    fd_ = OwnedFd(::open(path.c_str(), kFlags | O_CREAT | O_EXCL, kOwnerAlone));
    made_ = fd_.valid();
    if (!made_ && errno == EEXIST) {
      fd_ = OwnedFd(::open(path.c_str(), kFlags));
    }
  } else {
    fd_ = OwnedFd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
  }
  if (!fd_.valid()) {
    RefuseForErrno(path);
  }
  struct stat file {};
  if (own_ && (::fstat(fd_.get(), &file) != 0 || S_ISFIFO(file.st_mode))) {
    Refuse(path, "it is a pipe: record - > " + path + " writes to it");
  }
  if (own_ && S_ISREG(file.st_mode) && file.st_uid != ::geteuid()) {
    Refuse(path, "it belongs to somebody else");  // and is to be for its owner alone
  }
  OwnedFd dumped(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  std::FILE* const stream = dumped.valid() ? ::fdopen(dumped.get(), "wb") : nullptr;
  if (stream == nullptr && errno == EINVAL) {
    Refuse(path, "it is not open for writing");
  }
  if (stream == nullptr) {
    RefuseForErrno(path);
  }
  static_cast<void>(dumped.Release());  // the FILE's
  dumper_.reset(pcap_dump_fopen(pcap_.get(), stream));
  if (!dumper_) {
    Refuse(path, pcap_geterr(pcap_.get()));
  }
}

CaptureWriter::~CaptureWriter() { static_cast<void>(Finish()); }

// The dumper holds the file's header in memory until then.
void CaptureWriter::Begin() {
  bytes_ = kPcapFileHeaderBytes;
  struct stat file {};
  if (own_ && ::fstat(fd_.get(), &file) == 0 && S_ISREG(file.st_mode)) {
    errno = 0;
    Note(::fchmod(fd_.get(), kOwnerAlone) == 0 && ::ftruncate(fd_.get(), 0) == 0);
  }
  Flush();
}

void CaptureWriter::Write(std::uint64_t time_ns, std::uint16_t family, std::span<const std::byte> payload) {
  if (bytes_ == 0) {
    Begin();
  }
  if (failed()) {
    return;
  }
  std::array<std::byte, kCookedHeaderBytes + kMaxPayloadBytes> packet{};
  assert(payload.size() <= kMaxPayloadBytes);
  const std::size_t size = std::min(payload.size(), kMaxPayloadBytes);
  std::ranges::copy(MakeCookedHeader(family), packet.begin());
  std::ranges::copy(payload.first(size), packet.begin() + kCookedHeaderBytes);
  pcap_pkthdr header{};
  header.ts.tv_sec = static_cast<time_t>(time_ns / kNanosPerSecond);
  header.ts.tv_usec = static_cast<suseconds_t>(time_ns % kNanosPerSecond);
  header.caplen = static_cast<std::uint32_t>(kCookedHeaderBytes + size);
  header.len = header.caplen;
  const std::uint64_t ends = bytes_ + kPcapPacketHeaderBytes + header.caplen;
  if (!own_ && ends - flushed_ > kPipePiece) {
    Flush();
  }
  if (failed()) {
    return;
  }
  errno = 0;
  pcap_dump(reinterpret_cast<unsigned char*>(dumper_.get()), &header,  // NOLINT(*-reinterpret-cast): libpcap's own form
            reinterpret_cast<const unsigned char*>(packet.data()));    // NOLINT(*-reinterpret-cast)
  Note(std::ferror(pcap_dump_file(dumper_.get())) == 0);
  bytes_ = failed() ? bytes_ : ends;
}

void CaptureWriter::Flush() {
  if (failed() || bytes_ == flushed_) {
    return;
  }
  errno = ETIMEDOUT;
  Note((own_ || AwaitRoom()) && pcap_dump_flush(dumper_.get()) == 0);
  if (!failed()) {
    flushed_ = bytes_;
  }
}

// True at once, but for a pipe that is full.
bool CaptureWriter::AwaitRoom() const {
  for (int polls = 0; polls < kMostPolls; polls += hurried_.load(std::memory_order_relaxed) ? 1 : 0) {
    pollfd room{fd_.get(), POLLOUT, 0};
    if (::poll(&room, 1, kOnePoll) > 0) {
      return true;
    }
  }
  return false;
}

void CaptureWriter::Note(bool written) {
  if (!written) {
    error_.store(errno == 0 ? EIO : errno, std::memory_order_relaxed);
  }
}

Status CaptureWriter::Finish() {
  if (dumper_) {
    Flush();
    if (failed() || bytes_ == 0) {
      ::__fpurge(pcap_dump_file(dumper_.get()));  // closing would try again, and may wait for ever
    }
    dumper_.reset();
    if (own_ && failed()) {
      CutToWholePackets();
    }
    if (own_ && bytes_ == 0 && made_) {
      ::unlink(path_.c_str());
    }
  }
  constexpr std::string_view kForFiles =
      "make room, or record to another disk; what was recorded until then is readable";
  constexpr std::string_view kForPipes = "read on what is written there; what was written until then is readable";
  return failed() ? Status(Error{"write the capture", error_, own_ ? kForFiles : kForPipes}) : Status(Success{});
}

void CaptureWriter::CutToWholePackets() {
  struct stat file {};
  if (::fstat(fd_.get(), &file) != 0 || !S_ISREG(file.st_mode)) {
    return;
  }
  const auto size = static_cast<std::uint64_t>(file.st_size);
  bytes_ = flushed_;
  std::uint32_t length = 0;
  while (::pread(fd_.get(), &length, sizeof(length), static_cast<off_t>(bytes_ + kPcapLengthOffset)) ==
             sizeof(length) &&
         bytes_ + kPcapPacketHeaderBytes + length <= size) {
    bytes_ += kPcapPacketHeaderBytes + length;
  }
  static_cast<void>(::ftruncate(fd_.get(), static_cast<off_t>(bytes_)));  // what helps if this fails, too?
}

}  // namespace procevent
