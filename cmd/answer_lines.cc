#include "cmd/answer_lines.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

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

// Each is told on the standard error, where there are not too many.
class WrongLines {
 public:
  explicit WrongLines(std::string name) : name_(std::move(name)) {}

  void Note(std::uint64_t number, const std::string& fault) {
    if (++count_ <= kMostTold) {
      TellFault((name_ + ':' + std::to_string(number) + ": ").append(fault));
    } else if (count_ == kMostTold + 1) {
      TellFault(name_ + ": " + std::to_string(kMostTold) + " lines are wrong; others are only counted");
    }
  }

  // True: there was none.
  [[nodiscard]] bool Finish() const {
    if (count_ > kMostTold) {
      TellFault(name_ + ": " + std::to_string(count_) + " lines are wrong; is it the right file?");
    }
    return count_ == 0;
  }

 private:
  static constexpr std::uint64_t kMostTold = 100;
  std::string name_;
  std::uint64_t count_ = 0;
};

// All lines that were read.
void AnswerWhatIsThere(LineInput& input, const Answer& answer, LineOutput& out, WrongLines& wrong) {
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
      wrong.Note(input.number(), fault);
    }
  }
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
  WrongLines wrong(NameOf(file));
  while (out.Flush() && input.Fill()) {
    AnswerWhatIsThere(input, answer, out, wrong);
  }
  const bool right = wrong.Finish();
  if (input.fault() != 0) {
    return CannotRead(file, input.fault());
  }
  return right && !out.failed() ? 0 : 1;
}

}  // namespace procevent
