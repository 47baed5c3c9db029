#include "core/sources/capture/capture_file.h"

#include <fcntl.h>
#include <pcap/pcap.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "core/base/system.h"
#include "core/protocol/capture_record.h"

namespace procevent {
namespace {

constexpr const char* kRecordRemedy = "; record one with: procevent_exporter record FILE";

std::string OpenErrorLine(const std::string& path, const char* remedy = "give the path of a file that may be read") {
  return "cannot open the capture " + path + ": " + std::system_category().message(errno) + "; " + remedy;
}

bool IsEmpty(std::FILE* file) {
  const int first = std::fgetc(file);
  if (first == EOF) {
    return std::feof(file) != 0;  // otherwise a read error, which libpcap reports
  }
  std::ungetc(first, file);
  return false;
}

std::FILE* OpenFile(const std::string& path) {
  std::FILE* const file = path == "-" ? stdin : std::fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    throw std::runtime_error(OpenErrorLine(path));
  }
  return file;
}

CapturedPacket::Kind KindOf(const CookedHeader& header, std::span<const std::byte> payload) {
  if (header.family == kConnectorFamily && !header.to_kernel) {
    return CapturedPacket::Kind::kDatagram;
  }
  return header.family == kRecordFamily && IsRecord(payload) ? CapturedPacket::Kind::kRecord
                                                             : CapturedPacket::Kind::kForeign;
}

std::string LinkTypeName(int type) {
  const char* const name = pcap_datalink_val_to_name(type);
  return name == nullptr ? std::to_string(type) : std::string(name) + " (" + std::to_string(type) + ")";
}

std::string CannotRead(const std::string& name) { return "cannot read the capture " + name; }

}  // namespace

void CaptureFile::ClosePcap::operator()(pcap* capture) const { pcap_close(capture); }

CaptureFile::CaptureFile(const std::string& path) : name_(path == "-" ? "standard input" : path) {
  OpenPcap(OpenFile(path));
}

CaptureFile::CaptureFile(std::FILE* file, std::string name) : name_(std::move(name)) { OpenPcap(file); }

void CaptureFile::OpenPcap(std::FILE* file) {
  offset_ = kPcapFileHeaderBytes;
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  const bool empty = IsEmpty(file);
  pcap_.reset(pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error.data()));
  if (!pcap_) {
    if (file != stdin) {
      static_cast<void>(std::fclose(file));
    }
    if (empty) {
      throw std::runtime_error(CannotRead(name_) + ": it is empty" + kRecordRemedy);
    }
    throw std::runtime_error(CannotRead(name_) + ": " + error.data() + kRecordRemedy +
                             " (decompress a compressed capture first)");
  }
  if (const int type = pcap_datalink(pcap_.get()); type != kCaptureLinkType) {
    throw std::runtime_error(CannotRead(name_) + ": link type " + LinkTypeName(type) + " instead of " +
                             LinkTypeName(kCaptureLinkType) + kRecordRemedy);
  }
  if (pcap_is_swapped(pcap_.get()) != 0) {
    throw std::runtime_error(CannotRead(name_) +
                             ": recorded with the opposite byte order; use a machine of that byte order");
  }
}

CaptureFile::PacketResult CaptureFile::Read(CapturedPacket& packet) {
  pcap_pkthdr* header = nullptr;
  const unsigned char* bytes = nullptr;
  const int got = pcap_next_ex(pcap_.get(), &header, &bytes);
  if (got == PCAP_ERROR_BREAK) {
    return PacketResult::kEnd;
  }
  if (got != 1) {
    return Fail(std::string(pcap_geterr(pcap_.get())) + "; earlier packets are intact");
  }
  if (header->caplen < header->len) {
    return Fail("truncated packet (" + std::to_string(header->caplen) + " of " + std::to_string(header->len) +
                " bytes); capture complete packets");
  }
  const auto bytes_read = std::as_bytes(std::span(bytes, header->caplen));
  const auto cooked = ReadCookedHeader(bytes_read);
  if (!cooked) {
    return Fail("packet without a netlink header");
  }
  ++packets_;
  offset_ += kPcapPacketHeaderBytes + header->caplen;
  packet.time_ns =
      static_cast<std::uint64_t>(header->ts.tv_sec) * kNanosPerSecond + static_cast<std::uint64_t>(header->ts.tv_usec);
  packet.payload = bytes_read.subspan(kCookedHeaderBytes);
  packet.kind = KindOf(*cooked, packet.payload);
  return PacketResult::kPacket;
}

// pcapng has other blocks between packets, so only a classic pcap file has known offsets.
std::string CaptureFile::Position() const {
  constexpr int kClassicVersion = 2;
  return pcap_major_version(pcap_.get()) == kClassicVersion ? "offset " + std::to_string(offset_)
                                                            : "packet " + std::to_string(packets_ + 1);
}

CaptureFile::PacketResult CaptureFile::Fail(const std::string& cause) {
  fault_ = CannotRead(name_) + " at " + Position() + ": " + cause;
  return PacketResult::kFault;
}

StoredCapture::StoredCapture(const std::string& path)
    : name_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
  if (!fd_.valid()) {
    throw std::runtime_error(path == "-" ? OpenErrorLine(path, "the standard input cannot be replayed: give a file")
                                         : OpenErrorLine(path));
  }
  struct stat file {};
  const bool has_status = ::fstat(fd_.get(), &file) == 0;
  if (has_status && S_ISDIR(file.st_mode)) {
    throw std::runtime_error("cannot open the capture " + path + ": it is a directory; give a capture file");
  }
  if (!has_status || !S_ISREG(file.st_mode)) {
    throw std::runtime_error("cannot open the capture " + path +
                             ": not a regular file; copy it to a file, because it is read twice");
  }
  version_ = ReadVersion();
}

CaptureFile StoredCapture::Open() const {
  OwnedFd copy(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid() || ::lseek(copy.get(), 0, SEEK_SET) != 0) {
    throw std::runtime_error(OpenErrorLine(name_));
  }
  std::FILE* const file = ::fdopen(copy.get(), "rb");
  if (file == nullptr) {
    throw std::runtime_error(OpenErrorLine(name_));
  }
  static_cast<void>(copy.Release());  // the FILE owns it
  return {file, name_};
}

bool StoredCapture::changed() const { return ReadVersion() != version_; }

StoredCapture::Version StoredCapture::ReadVersion() const {
  struct stat file {};
  return ::fstat(fd_.get(), &file) != 0 ? Version{} : Version{file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
}

}  // namespace procevent
