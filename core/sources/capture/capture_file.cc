#include "core/sources/capture/capture_file.h"

#include <fcntl.h>
#include <pcap/pcap.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include "core/base/system.h"
#include "core/base/text.h"

namespace procevent {
namespace {

constexpr std::string_view kOpen = "open the capture";
constexpr std::string_view kRead = "read the capture";
constexpr std::string_view kReadableFile = "give the path of a file that may be read";
constexpr std::string_view kRecordOne = "record one with: procevent_exporter record FILE";

// libpcap's messages, and the names of files.
std::string Printable(std::string_view text) {
  constexpr std::size_t kMaxBytes = 256;
  return EscapeUnprintable(text, kMaxBytes);
}

bool IsEmpty(std::FILE* file) {
  const int first = std::fgetc(file);
  if (first == EOF) {
    return std::feof(file) != 0;  // otherwise a read error, which libpcap reports
  }
  std::ungetc(first, file);
  return false;
}

std::string LinkTypeName(int type) {
  const char* const name = pcap_datalink_val_to_name(type);
  return name == nullptr ? std::to_string(type) : std::string(name) + " (" + std::to_string(type) + ")";
}

}  // namespace

void CaptureFile::ClosePcap::operator()(pcap* capture) const { pcap_close(capture); }

Result<CaptureFile> CaptureFile::Open(const std::string& path) {
  if (path == "-") {
    return Open(stdin, "standard input");
  }
  std::FILE* const file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    return Error{kOpen, errno, kReadableFile, Printable(path)};
  }
  return Open(file, path);
}

Result<CaptureFile> CaptureFile::Open(std::FILE* file, const std::string& name) {
  std::string printable = Printable(name);
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  const bool empty = IsEmpty(file);
  Pcap capture(pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error.data()));
  if (!capture) {
    if (file != stdin) {
      static_cast<void>(std::fclose(file));
    }
    if (empty) {
      return Error{kRead, "it is empty", kRecordOne, std::move(printable)};
    }
    return Error{kRead,
                 {},
                 "record one with: procevent_exporter record FILE (decompress a compressed capture first)",
                 std::move(printable),
                 Printable(error.data())};
  }
  if (const int type = pcap_datalink(capture.get()); type != kCaptureLinkType) {
    return Error{kRead, "its link type is not that of netlink", kRecordOne, std::move(printable),
                 LinkTypeName(type) + " instead of " + LinkTypeName(kCaptureLinkType)};
  }
  if (pcap_is_swapped(capture.get()) != 0) {
    return Error{kRead, "recorded with the opposite byte order", "use a machine of that byte order",
                 std::move(printable)};
  }
  return CaptureFile(std::move(capture), std::move(printable));
}

Result<std::optional<CapturedPacket>> CaptureFile::Read() {
  pcap_pkthdr* header = nullptr;
  const unsigned char* bytes = nullptr;
  const int got = pcap_next_ex(pcap_.get(), &header, &bytes);
  if (got == PCAP_ERROR_BREAK) {
    return std::optional<CapturedPacket>();
  }
  if (got != 1) {
    return ReadError({}, "earlier packets are intact, editcap (Wireshark) copies them",
                     Printable(pcap_geterr(pcap_.get())));
  }
  if (header->caplen < header->len) {
    return ReadError("truncated packet", "capture complete packets",
                     std::to_string(header->caplen) + " of " + std::to_string(header->len) + " bytes");
  }
  const auto bytes_read = std::as_bytes(std::span(bytes, header->caplen));
  const auto cooked = ReadCookedHeader(bytes_read);
  if (!cooked) {
    return ReadError("packet without a netlink header", kRecordOne, {});
  }
  ++packets_;
  offset_ += kPcapPacketHeaderBytes + header->caplen;
  return std::optional(CapturedPacket{.time_ns = static_cast<std::uint64_t>(header->ts.tv_sec) * kNanosPerSecond +
                                                 static_cast<std::uint64_t>(header->ts.tv_usec),
                                      .content = DecodePacket(*cooked, bytes_read.subspan(kCookedHeaderBytes))});
}

// pcapng has other blocks between packets, so only a classic pcap file has known offsets.
Error CaptureFile::ReadError(Cause cause, std::string_view remedy, std::string details) const {
  constexpr int kClassicVersion = 2;
  const std::string position = pcap_major_version(pcap_.get()) == kClassicVersion
                                   ? " at offset " + std::to_string(offset_)
                                   : " at packet " + std::to_string(packets_ + 1);
  return {kRead, cause, remedy, name_ + position, std::move(details)};
}

Result<StoredCapture> StoredCapture::Open(const std::string& path) {
  OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) {
    return Error{kOpen, errno, path == "-" ? "give a file: the standard input cannot be read twice" : kReadableFile,
                 Printable(path)};
  }
  struct stat file {};
  const bool has_status = ::fstat(fd.get(), &file) == 0;
  if (has_status && S_ISDIR(file.st_mode)) {
    return Error{kOpen, "it is a directory", "give a capture file", Printable(path)};
  }
  if (!has_status || !S_ISREG(file.st_mode)) {
    return Error{kOpen, "not a regular file", "copy it to a file, because it is read twice", Printable(path)};
  }
  return StoredCapture(std::move(fd), path);
}

Result<CaptureFile> StoredCapture::StartReading() const {
  OwnedFd copy(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid() || ::lseek(copy.get(), 0, SEEK_SET) != 0) {
    return Error{kOpen, errno, kReadableFile, Printable(name_)};
  }
  std::FILE* const file = ::fdopen(copy.get(), "rb");
  if (file == nullptr) {
    return Error{kOpen, errno, kReadableFile, Printable(name_)};
  }
  static_cast<void>(copy.Release());  // the FILE owns it
  return CaptureFile::Open(file, name_);
}

bool StoredCapture::changed() const { return ReadVersion() != version_; }

StoredCapture::Version StoredCapture::ReadVersion() const {
  struct stat file {};
  return ::fstat(fd_.get(), &file) != 0 ? Version{} : Version{file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
}

}  // namespace procevent
