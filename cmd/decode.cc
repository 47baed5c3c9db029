#include "cmd/decode.h"

#include <sys/stat.h>
#include <unistd.h>

#include <exception>
#include <optional>
#include <span>

#include "cmd/answer_lines.h"
#include "cmd/hex.h"
#include "cmd/json_lines.h"
#include "cmd/output.h"
#include "config/text.h"
#include "core/protocol/capture_record.h"
#include "core/protocol/decoder.h"
#include "core/source/capture_file.h"

namespace procevent {
namespace {

constexpr std::size_t kMostFaultBytes = 4096;  // the name of a file is in it

void AppendMessages(std::span<const std::byte> datagram, std::string& out) {
  Decoder decoder(datagram);
  for (Message message; decoder.Next(message);) {
    out += JsonLineOf(message) + '\n';
  }
}

std::string AnswerHex(std::string_view line, std::string& out) {
  const std::optional<Bytes> datagram = BytesOfHex(line);
  if (!datagram) {
    return "found " + Quoted(line) + ", allowed is an even number of hex digits";
  }
  AppendMessages(*datagram, out);
  return {};
}

// Whether more may come later: then each packet is answered as it comes.
bool MayWait(const std::string& file) {
  struct stat status {};
  const int known = file == "-" ? ::fstat(STDIN_FILENO, &status) : ::stat(file.c_str(), &status);
  return known != 0 || !S_ISREG(status.st_mode);
}

int DecodeCapture(const std::string& file) try {
  CaptureFile capture(file);
  LineOutput out;
  CapturedPacket packet;
  CaptureFile::Got got = CaptureFile::Got::kPacket;
  const bool waits = MayWait(file);
  while ((waits ? out.Flush() : out.FlushWhenLarge()) && (got = capture.Read(packet)) == CaptureFile::Got::kPacket) {
    if (packet.kind == CapturedPacket::Kind::kDatagram) {  // others are no messages of the kernel's: our own records
      AppendMessages(packet.payload, out.text());
    }
  }
  out.Flush();
  if (got == CaptureFile::Got::kFault) {
    TellFault(Printable(capture.fault(), kMostFaultBytes));
    return 1;
  }
  return out.failed() ? 1 : 0;
} catch (const std::exception& fault) {
  TellFault(Printable(fault.what(), kMostFaultBytes));
  return 1;
}

}  // namespace

int Decode(const std::string& file, DecodeFrom from) {
  OpenStandardDescriptors();
  return from == DecodeFrom::kHex ? AnswerLines(file, AnswerHex) : DecodeCapture(file);
}

}  // namespace procevent
