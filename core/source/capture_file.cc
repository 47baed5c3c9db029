#include "core/source/capture_file.h"

#include <pcap/pcap.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "core/base/clock.h"
#include "core/protocol/capture_record.h"

namespace procevent {
namespace {

constexpr const char* kRecordOne = "; record one with: procevent_exporter record FILE";

std::FILE* OpenFile(const std::string& path) {
  std::FILE* const file = path == "-" ? stdin : std::fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    throw std::runtime_error("cannot open the capture " + path + ": " + std::system_category().message(errno) +
                             "; give the path of a file that may be read");
  }
  return file;
}

std::string NameOfLinkType(int type) {
  const char* const name = pcap_datalink_val_to_name(type);
  return (name == nullptr ? "" : std::string(name) + ", ") + std::to_string(type);
}

}  // namespace

void CaptureFile::ClosePcap::operator()(pcap* capture) const { pcap_close(capture); }

CaptureFile::CaptureFile(const std::string& path) : name_(path == "-" ? "(standard input)" : path) {
  Begin(OpenFile(path));
}

CaptureFile::CaptureFile(std::FILE* file, std::string name) : name_(std::move(name)) { Begin(file); }

void CaptureFile::Begin(std::FILE* file) {
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  pcap_.reset(pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error.data()));
  if (!pcap_) {
    if (file != stdin) {
      static_cast<void>(std::fclose(file));
    }
    throw std::runtime_error(name_ + " is no capture: " + error.data() + kRecordOne);
  }
  if (const int type = pcap_datalink(pcap_.get()); type != kCaptureLinkType) {
    throw std::runtime_error(name_ + " is a capture of link type " + NameOfLinkType(type) + ", not of NETLINK, " +
                             std::to_string(kCaptureLinkType) + kRecordOne);
  }
  if (pcap_is_swapped(pcap_.get()) != 0) {
    throw std::runtime_error(name_ + " was recorded on a machine of the other byte order: use it on one like that");
  }
}

CaptureFile::Got CaptureFile::Read(CapturedPacket& packet) {
  const long begins = std::ftell(pcap_file(pcap_.get()));
  pcap_pkthdr* header = nullptr;
  const unsigned char* bytes = nullptr;
  const int got = pcap_next_ex(pcap_.get(), &header, &bytes);
  if (got == PCAP_ERROR_BREAK) {
    return Got::kEnd;
  }
  // A pipe has no offsets; its packets can be counted.
  const std::string where =
      begins >= 0 ? " at offset " + std::to_string(begins) : " at packet " + std::to_string(packets_ + 1);
  if (got != 1) {
    return Fail(where + ": " + pcap_geterr(pcap_.get()) + "; what stands before that is whole");
  }
  const auto whole = std::as_bytes(std::span(bytes, header->caplen));
  const auto family = FamilyOf(whole);
  if (!family) {
    return Fail(where + ": the packet has no netlink header");
  }
  ++packets_;
  packet.time_ns =
      static_cast<std::uint64_t>(header->ts.tv_sec) * kNanosPerSecond + static_cast<std::uint64_t>(header->ts.tv_usec);
  packet.family = *family;
  packet.payload = whole.subspan(kCookedHeaderBytes);
  return Got::kPacket;
}

CaptureFile::Got CaptureFile::Fail(const std::string& what) {
  fault_ = name_ + " is broken" + what;
  return Got::kFault;
}

}  // namespace procevent
