#include "cmd/capture/convert.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "cmd/capture/event_json.h"
#include "cmd/capture/line_input.h"
#include "cmd/capture/record_json.h"
#include "cmd/cli/output.h"
#include "cmd/serve/privilege.h"
#include "core/base/file_descriptor.h"
#include "core/base/input_error.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/protocol/capture_packet.h"
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
  PrintError(Describe(Error{"read", code, "give a readable file, or - for the standard input", DisplayName(file)}));
  return 1;
}

// Prints the first errors to the standard error and counts the others.
class LineErrorReporter {
 public:
  explicit LineErrorReporter(std::string name) : name_(std::move(name)) {}

  void Report(std::uint64_t number, InputError error) {
    if (++count_ <= kMaxPrinted) {
      error.file = name_;
      error.position.line = static_cast<int>(std::min<std::uint64_t>(number, std::numeric_limits<int>::max()));
      PrintLineError(Describe(error));
    } else if (count_ == kMaxPrinted + 1) {
      PrintCount(kMaxPrinted, "further ones are only counted");
    }
  }

  // Prints the total if errors were suppressed. Returns true if there was no error.
  [[nodiscard]] bool Finish() const {
    if (count_ > kMaxPrinted) {
      PrintCount(count_, "check that it is the right file");
    }
    return count_ == 0;
  }

 private:
  static constexpr std::uint64_t kMaxPrinted = 100;

  void PrintCount(std::uint64_t count, std::string_view remedy) const {
    PrintLineError(Describe(
        InputError{.file = name_, .problem = std::to_string(count) + " invalid lines; " + std::string(remedy)}));
  }

  std::string name_;
  std::uint64_t count_ = 0;
};

// Converts one line and appends the result to `out`.
using LineConverter = InputStatus (*)(std::string_view line, std::string& out);

InputStatus ConvertLine(const LineInput& input, std::string_view line, LineConverter convert, std::string& out) {
  if (input.too_long()) {
    return InputError{.problem = "line too long",
                      .expected = "at most " + std::to_string(LineInput::kMaxBytes / 1024) + "KiB"};
  }
  return line.empty() ? Success{} : convert(line, out);
}

// Converts the lines that have been read, without waiting for more.
void ConvertAvailableLines(LineInput& input, LineConverter convert, LineOutput& out, LineErrorReporter& errors) {
  for (std::string_view line; input.Next(line);) {
    if (InputStatus converted = ConvertLine(input, line, convert, out.text()); !converted) {
      out.Flush();  // keeps output and errors in the order of the input
      errors.Report(input.number(), std::move(converted).error());
    }
  }
}

void AppendMessages(std::span<const std::byte> datagram, std::string& out) {
  ForEachMessage(datagram, [&out](const Message& message) { out += FormatJsonLine(message) + '\n'; });
}

InputStatus DecodeHexLine(std::string_view line, std::string& out) {
  const std::optional<Bytes> datagram = DecodeHex(line);
  if (!datagram) {
    return InputError{.problem = InvalidValue(line), .expected = "an even number of hex digits"};
  }
  AppendMessages(*datagram, out);
  return Success{};
}

// True for anything but a regular file. Reading it may block, so each packet is printed before the next is read.
bool MayBlock(const std::string& file) {
  struct stat status {};
  const int result = file == kStandardInput ? ::fstat(STDIN_FILENO, &status) : ::stat(file.c_str(), &status);
  return result != 0 || !S_ISREG(status.st_mode);
}

Status PrintCapture(const std::string& file, LineOutput& out) {
  auto capture = CaptureFile::Open(file);
  if (!capture) {
    return capture.error();
  }
  const bool may_block = MayBlock(file);
  DropPrivilege();
  while (may_block ? out.Flush() : out.FlushWhenLarge()) {
    const auto packet = capture.value().Read();
    if (!packet) {
      return packet.error();
    }
    if (!packet.value()) {
      break;
    }
    const PacketContent& content = packet.value()->content;
    if (const auto* const datagram = FindInput<ConnectorDatagram>(content)) {
      AppendMessages(datagram->bytes, out.text());
    } else if (const auto line = FormatRecordJsonLine(content)) {
      out.text() += *line + '\n';
    }
  }
  return Success{};
}

int DecodeCapture(const std::string& file) {
  LineOutput out;
  const Status printed = PrintCapture(file, out);
  out.Flush();
  if (!printed) {
    PrintError(Describe(printed.error()));
  }
  return printed && !out.failed() ? 0 : 1;
}

// A record of a capture is no message of the kernel, so it is skipped: `decode FILE | encode` prints the datagrams.
InputStatus EncodeJsonLine(std::string_view line, std::string& out) {
  if (IsRecordJsonLine(line)) {
    return Success{};
  }
  const Result<Bytes, InputError> datagram = ParseJsonLine(line);
  if (!datagram) {
    return datagram.error();
  }
  out += EncodeHex(datagram.value()) + '\n';
  return Success{};
}

// Converts each line of the file, "-" is the standard input. Results go to the standard output, errors as FILE:LINE to
// the standard error. Blank lines are skipped. An invalid line does not stop the conversion. Each result is written
// before the next read waits. Returns the exit code: 1 if a line was invalid, or reading or writing failed.
int ConvertLines(const std::string& file, LineConverter convert) {
  OwnedFd opened;
  if (file != kStandardInput) {
    opened.Reset(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!opened.valid()) {
      return ReportUnreadable(file, errno);
    }
  }
  DropPrivilege();
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

}  // namespace

int Decode(const std::string& file, DecodeInput input) {
  ReserveStandardDescriptors();
  return input == DecodeInput::kHex ? ConvertLines(file, DecodeHexLine) : DecodeCapture(file);
}

int Encode(const std::string& file) {
  ReserveStandardDescriptors();
  return ConvertLines(file, EncodeJsonLine);
}

}  // namespace procevent
