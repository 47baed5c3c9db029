#include "cmd/answer_lines.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "cmd/line_input.h"
#include "cmd/output.h"
#include "config/text.h"
#include "core/base/owned_fd.h"

namespace procevent {
namespace {

constexpr std::string_view kStandardInput = "-";

std::string NameOf(const std::string& file) {
  constexpr std::size_t kMostBytes = 256;
  return file == kStandardInput ? "standard input" : Printable(file, kMostBytes);
}

int CannotRead(const std::string& file, int code) {
  TellFault(NameOf(file) + ": cannot read it: " + std::generic_category().message(code) +
            "; give the path of a file that may be read, or - for the standard input");
  return 1;
}

// All lines that were read. False: one of them was wrong.
bool AnswerWhatIsThere(LineInput& input, const std::string& name, const Answer& answer, LineOutput& out) {
  bool right = true;
  for (std::string_view line; input.Next(line);) {
    std::string fault;
    if (input.too_long()) {
      fault =
          "found a line of more than " + std::to_string(LineInput::kMostBytes / 1024) + "KiB, allowed is a shorter one";
    } else if (!line.empty()) {
      fault = answer(line, out.text());
    }
    if (!fault.empty()) {
      out.Flush();  // first what came before it
      TellFault((name + ':' + std::to_string(input.number()) + ": ").append(fault));
      right = false;
    }
  }
  return right;
}

}  // namespace

int AnswerLines(const std::string& file, const Answer& answer) {
  OwnedFd opened;
  if (file != kStandardInput) {
    opened.Reset(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!opened.valid()) {
      return CannotRead(file, errno);
    }
  }
  LineInput input(opened.valid() ? opened.get() : STDIN_FILENO);
  LineOutput out;
  bool right = true;
  while (out.Flush() && input.Fill()) {
    right = AnswerWhatIsThere(input, NameOf(file), answer, out) && right;
  }
  if (input.fault() != 0) {
    return CannotRead(file, input.fault());
  }
  return right && !out.failed() ? 0 : 1;
}

}  // namespace procevent
