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

constexpr const char* kRecordOne = "; record one with: procevent_exporter record FILE";

std::string CannotOpen(const std::string& path) {
  return "cannot open the capture " + path + ": " + std::system_category().message(errno) +
         "; give the path of a file that may be read";
}

std::FILE* OpenFile(const std::string& path) {
  std::FILE* const file = path == "-" ? stdin : std::fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    throw std::runtime_error(CannotOpen(path));
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

std::string NameOfLinkType(int type) {
  const char* const name = pcap_datalink_val_to_name(type);
  return (name == nullptr ? "" : std::string(name) + ", ") + std::to_string(type);
}

}  // namespace

void CaptureFile::ClosePcap::operator()(pcap* capture) const { pcap_close(capture); }

CaptureFile::CaptureFile(const std::string& path) : name_(path == "-" ? "standard input" : path) {
  Begin(OpenFile(path));
}

CaptureFile::CaptureFile(std::FILE* file, std::string name) : name_(std::move(name)) { Begin(file); }

void CaptureFile::Begin(std::FILE* file) {
  offset_ = kPcapFileHeaderBytes;
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  pcap_.reset(pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error.data()));
  if (!pcap_) {
    if (file != stdin) {
      static_cast<void>(std::fclose(file));
    }
    throw std::runtime_error(name_ + " is no capture: " + error.data() + kRecordOne +
                             " (one that is compressed has to be decompressed first)");
  }
  if (const int type = pcap_datalink(pcap_.get()); type != kCaptureLinkType) {
    throw std::runtime_error(name_ + " is a capture of link type " + NameOfLinkType(type) + ", not of NETLINK, " +
                             std::to_string(kCaptureLinkType) + kRecordOne);
  }
  if (pcap_is_swapped(pcap_.get()) != 0) {
    throw std::runtime_error(name_ + " was recorded on a machine of the other byte order: use it on one like that");
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
    return Fail(std::string(pcap_geterr(pcap_.get())) + "; what stands before that is whole");
  }
  if (header->caplen < header->len) {
    return Fail("the packet was cut when it was captured (" + std::to_string(header->caplen) + " of " +
                std::to_string(header->len) + " bytes); capture whole packets");
  }
  const auto whole = std::as_bytes(std::span(bytes, header->caplen));
  const auto cooked = ReadCookedHeader(whole);
  if (!cooked) {
    return Fail("the packet has no netlink header");
  }
  ++packets_;
  offset_ += kPcapPacketHeaderBytes + header->caplen;
  packet.time_ns =
      static_cast<std::uint64_t>(header->ts.tv_sec) * kNanosPerSecond + static_cast<std::uint64_t>(header->ts.tv_usec);
  packet.payload = whole.subspan(kCookedHeaderBytes);
  packet.kind = KindOf(*cooked, packet.payload);
  return PacketResult::kPacket;
}

// In pcapng other blocks may stand between packets.
std::string CaptureFile::Where() const {
  constexpr int kClassic = 2;  // pcap's version
  return pcap_major_version(pcap_.get()) == kClassic ? "offset " + std::to_string(offset_)
                                                     : "packet " + std::to_string(packets_ + 1);
}

CaptureFile::PacketResult CaptureFile::Fail(const std::string& what) {
  fault_ = name_ + " is broken at " + Where() + ": " + what;
  return PacketResult::kFault;
}

StoredCapture::StoredCapture(const std::string& path)
    : name_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
  if (!fd_.valid()) {
    throw std::runtime_error(CannotOpen(path));
  }
  struct stat file {};
  if (::fstat(fd_.get(), &file) != 0 || !S_ISREG(file.st_mode)) {
    throw std::runtime_error(path + " is no regular file: a capture is read twice, so give one on a disk");
  }
  version_ = Look();
}

CaptureFile StoredCapture::Open() const {
  OwnedFd own(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!own.valid() || ::lseek(own.get(), 0, SEEK_SET) != 0) {
    throw std::runtime_error(CannotOpen(name_));
  }
  std::FILE* const file = ::fdopen(own.get(), "rb");
  if (file == nullptr) {
    throw std::runtime_error(CannotOpen(name_));
  }
  static_cast<void>(own.Release());  // the FILE's
  return {file, name_};
}

bool StoredCapture::changed() const { return Look() != version_; }

StoredCapture::Version StoredCapture::Look() const {
  struct stat file {};
  return ::fstat(fd_.get(), &file) != 0 ? Version{} : Version{file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
}

}  // namespace procevent
