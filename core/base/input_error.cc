#include "core/base/input_error.h"

#include <algorithm>

#include "core/base/text.h"

namespace procevent {

namespace {

bool IsPlainWord(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) { return IsAlphanumeric(c) || c == '_' || c == '-'; });
}

}  // namespace

std::string JoinPath(const std::string& path, std::string_view key) {
  constexpr std::size_t kMaxBytes = 40;
  const std::string part = IsPlainWord(key) ? EscapeUnprintable(key, kMaxBytes) : QuotePrintable(key, kMaxBytes);
  return path.empty() ? part : path + '.' + part;
}

std::string JoinIndex(const std::string& path, std::size_t index) { return path + '[' + std::to_string(index) + ']'; }

std::string InvalidValue(std::string_view text) { return "invalid value " + QuotePrintable(text); }

std::string Describe(const InputError& error) {
  std::string line = error.file;
  for (const int number : {error.position.line, error.position.column}) {
    if (number != 0) {
      line += ':' + std::to_string(number);
    }
  }
  const std::string expected = error.expected.empty() ? "" : "expected " + error.expected;
  for (const std::string& part : {error.key, error.problem, expected}) {
    if (!line.empty() && !part.empty()) {
      line += ": ";
    }
    line += part;
  }
  return line;
}

}  // namespace procevent
