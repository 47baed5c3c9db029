#include "config/encoding.h"

#include <algorithm>
#include <cstddef>

#include "config/text.h"
#include "core/base/utf8.h"

namespace procevent {
namespace {

bool IsBlank(std::string_view text) { return text.front() == '\t' || text.front() == '\n' || text.starts_with("\r\n"); }

std::string Name(std::string_view text, std::size_t length) {
  if (length == 0) {
    return "a byte that is no UTF-8";
  }
  return text.starts_with("\xEF\xBB\xBF") ? "a byte-order mark" : "a control character";
}

}  // namespace

std::optional<Fault> FindUnreadable(std::string_view text, const std::string& file) {
  Place place{1, 1};
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    if (length == 0 || !(IsBlank(text) || IsPrintable(text, length))) {
      const std::string bytes = Printable(text.substr(0, std::max<std::size_t>(length, 1)));
      return Fault{
          file, place, {}, Name(text, length) + " (" + bytes + ")", "printable UTF-8 without a byte-order mark"};
    }
    place =
        text.front() == '\n' ? Place{place.line + 1, 1} : Place{place.line, place.column + static_cast<int>(length)};
    text.remove_prefix(length);
  }
  return std::nullopt;
}

}  // namespace procevent
