#include "config/yaml/config_error.h"

#include <algorithm>
#include <cstdint>

#include "core/base/text.h"

namespace procevent {

namespace {

std::uint8_t ByteAt(std::string_view text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); }

void AppendEscaped(std::string& out, std::uint8_t byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\x";
  out += kDigits[byte >> 4U];
  out += kDigits[byte & 0xFU];
}

std::string Escape(std::string_view text, std::size_t limit, bool quoted) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    if (out.size() + length > limit) {
      return out + "...";
    }
    if (length == 0 || !IsPrintable(text, length)) {
      AppendEscaped(out, ByteAt(text, 0));
      text.remove_prefix(1);
      continue;
    }
    if (quoted && (text[0] == '"' || text[0] == '\\')) {
      out += '\\';
    }
    out += text.substr(0, length);
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace

std::string EscapeUnprintable(std::string_view text, std::size_t limit) { return Escape(text, limit, false); }

std::string QuotePrintable(std::string_view text, std::size_t limit) { return '"' + Escape(text, limit, true) + '"'; }

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

std::string Describe(const ConfigError& error) {
  std::string line = error.file;
  if (error.position != TextPosition{}) {
    line += ':' + std::to_string(error.position.line) + ':' + std::to_string(error.position.column);
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
