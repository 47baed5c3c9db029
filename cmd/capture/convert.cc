#include "cmd/capture/convert.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <variant>

#include "cmd/capture/event_json.h"
#include "cmd/capture/line_input.h"
#include "cmd/cli/output.h"
#include "core/base/file_descriptor.h"
#include "core/base/text.h"
#include "core/protocol/capture_record.h"
#include "core/protocol/decoder.h"
#include "core/sources/capture/capture_file.h"

namespace procevent {

namespace {

constexpr std::string_view kStandardInput = "-";

std::string DisplayName(const std::string& file) {
  constexpr std::size_t kMaxBytes = 256;
  return file == kStandardInput ? "standard input" : EscapeUnprintable(file, kMaxBytes);
}

int ReportUnreadable(const std::string& file, int code) {
  PrintError("cannot read " + DisplayName(file) + ": " + std::generic_category().message(code) +
             "; give a readable file, or - for the standard input");
  return 1;
}

// Prints the first errors to the standard error and counts the others.
class LineErrorReporter {
 public:
  explicit LineErrorReporter(std::string name) : name_(std::move(name)) {}

  void Report(std::uint64_t number, const std::string& error) {
    if (++count_ <= kMaxPrinted) {
      PrintLineError((name_ + ':' + std::to_string(number) + ": ").append(error));
    } else if (count_ == kMaxPrinted + 1) {
      PrintLineError(name_ + ": " + std::to_string(kMaxPrinted) + " invalid lines; further ones are only counted");
    }
  }

  // Prints the total if errors were suppressed. Returns true if there was no error.
  [[nodiscard]] bool Finish() const {
    if (count_ > kMaxPrinted) {
      PrintLineError(name_ + ": " + std::to_string(count_) + " invalid lines; check that it is the right file");
    }
    return count_ == 0;
  }

 private:
  static constexpr std::uint64_t kMaxPrinted = 100;
  std::string name_;
  std::uint64_t count_ = 0;
};

// Converts the lines that have been read, without waiting for more.
void ConvertAvailableLines(LineInput& input, const LineConverter& convert, LineOutput& out, LineErrorReporter& errors) {
  for (std::string_view line; input.Next(line);) {
    std::string error;
    if (input.too_long()) {
      error = "line too long: expected at most " + std::to_string(LineInput::kMaxBytes / 1024) + "KiB";
    } else if (!line.empty()) {
      error = convert(line, out.text());
    }
    if (!error.empty()) {
      out.Flush();  // keeps output and errors in the order of the input
      errors.Report(input.number(), error);
    }
  }
}

constexpr std::size_t kMaxErrorBytes = 4096;  // enough for a message with a file name

void AppendMessages(std::span<const std::byte> datagram, std::string& out) {
  Decoder decoder(datagram);
  for (Message message; decoder.Next(message);) {
    out += FormatJsonLine(message) + '\n';
  }
}

std::string DecodeHexLine(std::string_view line, std::string& out) {
  const std::optional<Bytes> datagram = DecodeHex(line);
  if (!datagram) {
    return "invalid value " + QuotePrintable(line) + ": expected an even number of hex digits";
  }
  AppendMessages(*datagram, out);
  return {};
}

// True for anything but a regular file. Reading it may block, so each packet is printed before the next is read.
bool MayBlock(const std::string& file) {
  struct stat status {};
  const int result = file == kStandardInput ? ::fstat(STDIN_FILENO, &status) : ::stat(file.c_str(), &status);
  return result != 0 || !S_ISREG(status.st_mode);
}

int DecodeCapture(const std::string& file) try {
  CaptureFile capture(file);
  LineOutput out;
  CapturedPacket packet;
  CaptureFile::PacketResult result = CaptureFile::PacketResult::kPacket;
  const bool may_block = MayBlock(file);
  while ((may_block ? out.Flush() : out.FlushWhenLarge()) &&
         (result = capture.Read(packet)) == CaptureFile::PacketResult::kPacket) {
    if (packet.kind == CapturedPacket::Kind::kDatagram) {  // other packets are records of `record`, not kernel messages
      AppendMessages(packet.payload, out.text());
    }
  }
  out.Flush();
  if (result == CaptureFile::PacketResult::kFault) {
    PrintError(EscapeUnprintable(capture.fault(), kMaxErrorBytes));
    return 1;
  }
  return out.failed() ? 1 : 0;
} catch (const std::exception& e) {
  PrintError(EscapeUnprintable(e.what(), kMaxErrorBytes));
  return 1;
}

std::string EncodeJsonLine(std::string_view line, std::string& out) {
  const std::variant<Bytes, std::string> datagram = ParseJsonLine(line);
  if (const auto* const error = std::get_if<std::string>(&datagram)) {
    return *error;
  }
  out += EncodeHex(std::get<Bytes>(datagram)) + '\n';
  return {};
}

}  // namespace

int ConvertLines(const std::string& file, const LineConverter& convert) {
  OwnedFd opened;
  if (file != kStandardInput) {
    opened.Reset(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!opened.valid()) {
      return ReportUnreadable(file, errno);
    }
  }
  LineInput input(opened.valid() ? opened.get() : STDIN_FILENO);
  LineOutput out;
  LineErrorReporter errors(DisplayName(file));
  while (out.Flush() && input.ReadMore()) {
    ConvertAvailableLines(input, convert, out, errors);
  }
  const bool all_valid = errors.Finish();
  if (input.read_errno() != 0) {
    return ReportUnreadable(file, input.read_errno());
  }
  return all_valid && !out.failed() ? 0 : 1;
}

int Decode(const std::string& file, DecodeInput input) {
  ReserveStandardDescriptors();
  return input == DecodeInput::kHex ? ConvertLines(file, DecodeHexLine) : DecodeCapture(file);
}

int Encode(const std::string& file) {
  ReserveStandardDescriptors();
  return ConvertLines(file, EncodeJsonLine);
}

}  // namespace procevent
