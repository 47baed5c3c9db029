#include "core/sources/capture/capture_writer.h"

#include <fcntl.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio_ext.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/base/fatal_error.h"
#include "core/base/system.h"
#include "core/base/text.h"
#include "core/sources/capture/capture_file.h"

namespace procevent {
namespace {

constexpr int kMaxPacketBytes = 65'536;
constexpr mode_t kOwnerOnly = 0600;

constexpr std::size_t kPipeBytes = 4096;  // a writable pipe accepts at least this much (PIPE_BUF)
constexpr int kPollMillis = 100;
constexpr int kMaxPolls = 10;  // after LimitPipeWait

Error CannotWrite(const std::string& path, Cause cause, std::string_view remedy, std::string_view details = {}) {
  constexpr std::size_t kMaxBytes = 256;
  return {"write the capture", cause, remedy, EscapeUnprintable(path, kMaxBytes),
          EscapeUnprintable(details, kMaxBytes)};
}

std::string_view FindRemedy(int code) {
  switch (code) {
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    case EISDIR:
      return "give the path of a file in it";
    case ENOSPC:
    case EDQUOT:
      return "free disk space or record to another disk";
    default:
      return "give the path of a writable file";
  }
}

Error CannotOpen(const std::string& path) { return CannotWrite(path, errno, FindRemedy(errno)); }

}  // namespace

void CaptureWriter::ClosePcap::operator()(pcap* capture) const { pcap_close(capture); }
void CaptureWriter::CloseDumper::operator()(pcap_dumper* dumper) const { pcap_dump_close(dumper); }

CaptureWriter::CaptureWriter(const std::string& path)
    : path_(path),
      has_path_(path != "-"),
      pcap_(pcap_open_dead_with_tstamp_precision(kCaptureLinkType, kMaxPacketBytes, PCAP_TSTAMP_PRECISION_NANO)) {
  constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  if (has_path_) {
    fd_ = OwnedFd(::open(path.c_str(), kFlags | O_CREAT | O_EXCL, kOwnerOnly));
    created_ = fd_.valid();
    if (!created_ && errno == EEXIST) {
      fd_ = OwnedFd(::open(path.c_str(), kFlags));
    }
  } else {
    fd_ = OwnedFd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
  }
  if (!fd_.valid()) {
    throw FatalError(CannotOpen(path));
  }
  struct stat file {};
  if (has_path_ && (::fstat(fd_.get(), &file) != 0 || S_ISFIFO(file.st_mode))) {
    throw FatalError(CannotWrite(path, "it is a pipe", "use: record - > PIPE"));
  }
  if (has_path_ && S_ISREG(file.st_mode) && file.st_uid != ::geteuid()) {
    // The file must be readable by its owner only.
    throw FatalError(CannotWrite(path, "it belongs to another user", "choose another file, or remove it"));
  }
  OwnedFd copy(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  std::FILE* const stream = copy.valid() ? ::fdopen(copy.get(), "wb") : nullptr;
  if (stream == nullptr && errno == EINVAL) {
    throw FatalError(CannotWrite(path, "it is not open for writing", "open or redirect the standard output"));
  }
  if (stream == nullptr) {
    throw FatalError(CannotOpen(path));
  }
  static_cast<void>(copy.Release());  // the FILE owns it
  dumper_.reset(pcap_dump_fopen(pcap_.get(), stream));
  if (!dumper_) {
    throw FatalError(CannotWrite(path, {}, FindRemedy(0), pcap_geterr(pcap_.get())));
  }
}

CaptureWriter::~CaptureWriter() { static_cast<void>(Finish()); }

// The dumper buffers the file header until the first flush.
void CaptureWriter::StartFile() {
  bytes_ = kPcapFileHeaderBytes;
  struct stat file {};
  if (has_path_ && ::fstat(fd_.get(), &file) == 0 && S_ISREG(file.st_mode)) {
    errno = 0;
    RecordFailureUnless(::fchmod(fd_.get(), kOwnerOnly) == 0 && ::ftruncate(fd_.get(), 0) == 0);
  }
  Flush();
}

void CaptureWriter::Write(std::uint64_t time_ns, std::uint16_t family, std::span<const std::byte> payload) {
  if (bytes_ == 0) {
    StartFile();
  }
  if (failed()) {
    return;
  }
  const std::size_t size = payload.size();
  if (size > kMaxPayloadBytes) {
    errno = EMSGSIZE;
    RecordFailureUnless(false);
    return;
  }
  std::ranges::copy(MakeCookedHeader(family), packet_.begin());
  std::ranges::copy(payload, packet_.begin() + kCookedHeaderBytes);
  pcap_pkthdr header{};
  header.ts.tv_sec = static_cast<time_t>(time_ns / kNanosPerSecond);
  header.ts.tv_usec = static_cast<suseconds_t>(time_ns % kNanosPerSecond);
  header.caplen = static_cast<std::uint32_t>(kCookedHeaderBytes + size);
  header.len = header.caplen;
  const std::uint64_t end = bytes_ + kPcapPacketHeaderBytes + header.caplen;
  if (!has_path_ && end - flushed_ > kPipeBytes) {
    Flush();
  }
  if (failed()) {
    return;
  }
  errno = 0;
  pcap_dump(reinterpret_cast<unsigned char*>(dumper_.get()), &header,  // NOLINT(*-reinterpret-cast): libpcap's API
            reinterpret_cast<const unsigned char*>(packet_.data()));   // NOLINT(*-reinterpret-cast)
  RecordFailureUnless(std::ferror(pcap_dump_file(dumper_.get())) == 0);
  bytes_ = failed() ? bytes_ : end;
}

void CaptureWriter::Flush() {
  if (failed() || bytes_ == flushed_) {
    return;
  }
  errno = ETIMEDOUT;
  RecordFailureUnless((has_path_ || WaitUntilWritable()) && pcap_dump_flush(dumper_.get()) == 0);
  if (!failed()) {
    flushed_ = bytes_;
  }
}

// Returns true immediately unless a pipe is full. Returns false after about a second if the wait is limited.
bool CaptureWriter::WaitUntilWritable() const {
  for (int polls = 0; polls < kMaxPolls; polls += pipe_wait_limited_.load(std::memory_order_relaxed) ? 1 : 0) {
    pollfd writable{fd_.get(), POLLOUT, 0};
    if (::poll(&writable, 1, kPollMillis) > 0) {
      return true;
    }
  }
  return false;
}

void CaptureWriter::RecordFailureUnless(bool written) {
  if (!written) {
    error_.store(errno == 0 ? EIO : errno, std::memory_order_relaxed);
  }
}

Status CaptureWriter::Finish() {
  if (dumper_) {
    Flush();
    if (failed() || bytes_ == 0) {
      ::__fpurge(pcap_dump_file(dumper_.get()));  // fclose would write again and could block forever
    }
    dumper_.reset();
    if (has_path_ && failed()) {
      TruncateToCompletePackets();
    }
    if (has_path_ && bytes_ == 0 && created_) {
      ::unlink(path_.c_str());
    }
  }
  constexpr std::string_view kForFiles =
      "free disk space or record to another disk; packets written so far are readable";
  constexpr std::string_view kForPipes = "keep reading from the pipe; packets written so far are readable";
  if (failed()) {
    return CannotWrite(path_, error_.load(), error_ == ETIMEDOUT ? kForPipes : kForFiles);
  }
  return Success{};
}

void CaptureWriter::TruncateToCompletePackets() {
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
  static_cast<void>(::ftruncate(fd_.get(), static_cast<off_t>(bytes_)));  // a failure here has no remedy
}

}  // namespace procevent
