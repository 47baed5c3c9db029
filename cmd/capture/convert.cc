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
#include "config/yaml/config_error.h"
#include "core/base/file_descriptor.h"
#include "core/protocol/capture_record.h"
#include "core/protocol/decoder.h"
#include "core/sources/capture/capture_file.h"

namespace procevent {

namespace {

constexpr std::string_view kStandardInput = "-";

std::string NameOf(const std::string& file) {
  constexpr std::size_t kMostBytes = 256;
  return file == kStandardInput ? "standard input" : EscapeUnprintable(file, kMostBytes);
}

int CannotRead(const std::string& file, int code) {
  PrintError(NameOf(file) + ": cannot read it: " + std::generic_category().message(code) +
             "; give the path of a file that may be read, or - for the standard input");
  return 1;
}

// Each is told on the standard error, where there are not too many.
class LineErrorReporter {
 public:
  explicit LineErrorReporter(std::string name) : name_(std::move(name)) {}

  void Note(std::uint64_t number, const std::string& fault) {
    if (++count_ <= kMostTold) {
      PrintError((name_ + ':' + std::to_string(number) + ": ").append(fault));
    } else if (count_ == kMostTold + 1) {
      PrintError(name_ + ": " + std::to_string(kMostTold) + " lines are wrong; others are only counted");
    }
  }

  // True: there was none.
  [[nodiscard]] bool Finish() const {
    if (count_ > kMostTold) {
      PrintError(name_ + ": " + std::to_string(count_) + " lines are wrong; is it the right file?");
    }
    return count_ == 0;
  }

 private:
  static constexpr std::uint64_t kMostTold = 100;
  std::string name_;
  std::uint64_t count_ = 0;
};

// All lines that were read.
void AnswerWhatIsThere(LineInput& input, const LineConverter& answer, LineOutput& out, LineErrorReporter& wrong) {
  for (std::string_view line; input.Next(line);) {
    std::string fault;
    if (input.too_long()) {
      fault =
          "found a line of more than " + std::to_string(LineInput::kMaxBytes / 1024) + "KiB, allowed is a shorter one";
    } else if (!line.empty()) {
      fault = answer(line, out.text());
    }
    if (!fault.empty()) {
      out.Flush();  // first what came before it
      wrong.Note(input.number(), fault);
    }
  }
}

}  // namespace

int ConvertLines(const std::string& file, const LineConverter& answer) {
  OwnedFd opened;
  if (file != kStandardInput) {
    opened.Reset(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!opened.valid()) {
      return CannotRead(file, errno);
    }
  }
  LineInput input(opened.valid() ? opened.get() : STDIN_FILENO);
  LineOutput out;
  LineErrorReporter wrong(NameOf(file));
  while (out.Flush() && input.ReadMore()) {
    AnswerWhatIsThere(input, answer, out, wrong);
  }
  const bool right = wrong.Finish();
  if (input.read_errno() != 0) {
    return CannotRead(file, input.read_errno());
  }
  return right && !out.failed() ? 0 : 1;
}

namespace {

constexpr std::size_t kMostFaultBytes = 4096;  // the name of a file is in it

void AppendMessages(std::span<const std::byte> datagram, std::string& out) {
  Decoder decoder(datagram);
  for (Message message; decoder.Next(message);) {
    out += FormatJsonLine(message) + '\n';
  }
}

std::string AnswerHex(std::string_view line, std::string& out) {
  const std::optional<Bytes> datagram = DecodeHex(line);
  if (!datagram) {
    return "found " + QuotePrintable(line) + ", allowed is an even number of hex digits";
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
  CaptureFile::PacketResult got = CaptureFile::PacketResult::kPacket;
  const bool waits = MayWait(file);
  while ((waits ? out.Flush() : out.FlushWhenLarge()) &&
         (got = capture.Read(packet)) == CaptureFile::PacketResult::kPacket) {
    if (packet.kind == CapturedPacket::Kind::kDatagram) {  // others are no messages of the kernel's: our own records
      AppendMessages(packet.payload, out.text());
    }
  }
  out.Flush();
  if (got == CaptureFile::PacketResult::kFault) {
    PrintError(EscapeUnprintable(capture.fault(), kMostFaultBytes));
    return 1;
  }
  return out.failed() ? 1 : 0;
} catch (const std::exception& fault) {
  PrintError(EscapeUnprintable(fault.what(), kMostFaultBytes));
  return 1;
}

}  // namespace

int Decode(const std::string& file, DecodeInput from) {
  ReserveStandardDescriptors();
  return from == DecodeInput::kHex ? ConvertLines(file, AnswerHex) : DecodeCapture(file);
}

namespace {

std::string AnswerJson(std::string_view line, std::string& out) {
  const std::variant<Bytes, std::string> datagram = ParseJsonLine(line);
  if (const auto* const fault = std::get_if<std::string>(&datagram)) {
    return *fault;
  }
  out += EncodeHex(std::get<Bytes>(datagram)) + '\n';
  return {};
}

}  // namespace

int Encode(const std::string& file) {
  ReserveStandardDescriptors();
  return ConvertLines(file, AnswerJson);
}

}  // namespace procevent
