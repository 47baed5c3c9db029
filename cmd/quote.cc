#include "cmd/quote.h"

#include "core/base/utf8.h"

namespace procevent {
namespace {

void AppendUnit(std::string& out, char32_t unit) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) {
    out += kDigits[(unit >> shift) & 0xFU];
  }
}

// As JSON escapes it, in units of UTF-16; logfmt readers know the same escapes.
void AppendEscape(std::string& out, char32_t point) {
  constexpr char32_t kFirstPair = 0x10000;
  if (point == '\n') {
    out += "\\n";
  } else if (point < kFirstPair) {
    AppendUnit(out, point);
  } else {
    AppendUnit(out, 0xD800 + ((point - kFirstPair) >> 10U));
    AppendUnit(out, 0xDC00 + ((point - kFirstPair) & 0x3FFU));
  }
}

}  // namespace

std::string Quote(std::string_view text, std::size_t most_bytes) {
  constexpr char32_t kReplacement = 0xFFFD;
  std::string out = "\"";
  while (!text.empty()) {
    if (out.size() > most_bytes) {
      out += "...";
      break;
    }
    const std::size_t length = Utf8Length(text);
    if (length == 0) {
      AppendEscape(out, kReplacement);
      text.remove_prefix(1);
      continue;
    }
    if (text.front() == '"' || text.front() == '\\') {
      out += '\\';
    }
    if (IsPrintable(text, length)) {
      out += text.substr(0, length);
    } else {
      AppendEscape(out, CodePoint(text, length));
    }
    text.remove_prefix(length);
  }
  return out + '"';
}

}  // namespace procevent
