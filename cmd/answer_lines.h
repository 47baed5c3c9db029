// What `decode --hex` and `encode` have in common: each line of a file is answered on the standard output, or refused
// on the standard error. Used by those.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace procevent {

// Appends what one line is answered with; returns what is wrong with it, empty if nothing is.
using Answer = std::function<std::string(std::string_view line, std::string& out)>;

// "-" is the standard input. Blank lines are passed over; a wrong one is told as FILE:LINE, if there are not too many,
// and the next one is answered. Each is answered before more is waited for. The exit code: 0, or 1 if a line was wrong,
// or not all could be read.
int AnswerLines(const std::string& file, const Answer& answer);

}  // namespace procevent
