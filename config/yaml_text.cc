#include "config/yaml_text.h"

#include <algorithm>
#include <cstddef>

#include "core/base/ascii.h"
#include "core/base/utf8.h"

namespace procevent {
namespace {

constexpr std::string_view kMarks = "._/-:";

bool MayStandBare(std::string_view text) {
  const auto plain = [](char c) { return IsAlphanumeric(c) || kMarks.find(c) != std::string_view::npos; };
  // A colon means nothing within a word, but at its end it makes a key of it. A word of letters alone may be `null`.
  return !text.empty() && (IsAlphanumeric(text.front()) || text.front() == '/') && IsAlphanumeric(text.back()) &&
         std::ranges::all_of(text, plain) && text.find_first_of(kMarks) != std::string_view::npos;
}

// \u0085, \U0001f600.
void AppendEscaped(std::string& out, char32_t code) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  constexpr char32_t kLargestShort = 0xFFFF;
  const bool is_short = code <= kLargestShort;
  out += is_short ? "\\u" : "\\U";
  for (unsigned digit = is_short ? 4 : 8; digit > 0; --digit) {
    out += kDigits[code >> (digit - 1) * 4 & 0xFU];
  }
}

}  // namespace

std::string YamlText(std::string_view text) { return MayStandBare(text) ? std::string(text) : YamlQuoted(text); }

std::string YamlQuoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(Utf8Length(text), 1);
    if (Utf8Length(text) == 0) {
      AppendEscaped(out,
                    static_cast<unsigned char>(text.front()));  // cannot be said otherwise; YAML gives no such text
    } else if (!IsPrintable(text, length)) {
      AppendEscaped(out, CodePoint(text, length));
    } else {
      out += text.front() == '"' || text.front() == '\\' ? "\\" : "";
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out + '"';
}

}  // namespace procevent
