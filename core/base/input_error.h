// One error of an input, such as a configuration file, a flag or a line of JSON: its position, the problem, and the
// expected form.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace procevent {

// A position in a text. Both numbers count from 1, the column counts bytes. A zero: unknown.
struct TextPosition {
  int line = 0;
  int column = 0;
  auto operator<=>(const TextPosition&) const = default;
};

// Every member is safe to print: bounded, without control characters.
struct InputError {
  std::string file = {};       // empty: the error is in the environment or on the command line
  TextPosition position = {};  // none: the error is about the file as a whole
  std::string key = {};        // `source.receive_buffer`, a flag or a variable; empty: the text as a whole
  std::string problem = {};    // `invalid value "12 parsecs"`
  std::string expected = {};   // `a size from 64KiB to 1GiB`; empty where `problem` has the remedy
  bool truncates = false;      // this error stands for further ones, of unknown number
  bool operator==(const InputError&) const = default;
};
using InputErrors = std::vector<InputError>;
using InputStatus = Result<Success, InputError>;

// One line: `procevent_exporter.yml:12:5: source.receive_buffer: invalid value "12 parsecs": expected a size from ...`.
std::string Describe(const InputError& error);

// `invalid value "12 parsecs"`, the usual problem.
std::string InvalidValue(std::string_view text);

// The path to a value, as `InputError::key` has it: `source.events[2]`.
// Quotes a key that is not a plain word, because a dot in it would look like a level.
std::string JoinPath(const std::string& path, std::string_view key);
// `index` counts from 0.
std::string JoinIndex(const std::string& path, std::size_t index);

}  // namespace procevent
