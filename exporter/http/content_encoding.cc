#include "exporter/http/content_encoding.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "core/base/text.h"

namespace procevent {
namespace {

constexpr unsigned kMaxQuality = 1000;  // q=1; RFC 9110 allows thousandths

bool EqualsIgnoreCase(std::string_view first, std::string_view second) {
  return std::ranges::equal(first, second, {}, ToLowerAscii, ToLowerAscii);
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Removes the text up to the next separator from `rest` and returns it, trimmed.
std::string_view TakeItem(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view item = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return Trim(item);
}

// Parses "0", "0.5" or "1.000" into thousandths. An invalid quality counts as 0, which rejects gzip: identity is always
// acceptable.
unsigned ParseQuality(std::string_view text) {
  constexpr std::size_t kMaxCharacters = 5;
  if (text.empty() || text.size() > kMaxCharacters || text.front() < '0' || text.front() > '1' ||
      (text.size() > 1 && text[1] != '.')) {
    return 0;
  }
  unsigned quality = text.front() == '1' ? kMaxQuality : 0;
  unsigned weight = kMaxQuality;
  for (const char c : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (c < '0' || c > '9') {
      return 0;
    }
    weight /= 10;
    quality += weight * static_cast<unsigned>(c - '0');
  }
  return quality > kMaxQuality ? 0 : quality;
}

// The quality among the parameters of one coding, such as ";q=0.5".
unsigned FindQuality(std::string_view parameters) {
  unsigned quality = kMaxQuality;
  while (!parameters.empty()) {
    std::string_view value = TakeItem(parameters, ';');
    if (EqualsIgnoreCase(TakeItem(value, '='), "q")) {
      quality = ParseQuality(Trim(value));
    }
  }
  return quality;
}

}  // namespace

bool PrefersGzip(std::string_view accept_encoding) {
  std::optional<unsigned> gzip;
  std::optional<unsigned> identity;
  std::optional<unsigned> others;
  while (!accept_encoding.empty()) {
    std::string_view parameters = TakeItem(accept_encoding, ',');
    const std::string_view coding = TakeItem(parameters, ';');
    const unsigned quality = FindQuality(parameters);
    if (EqualsIgnoreCase(coding, "gzip") || EqualsIgnoreCase(coding, "x-gzip")) {
      gzip = quality;
    } else if (EqualsIgnoreCase(coding, "identity")) {
      identity = quality;
    } else if (coding == "*") {
      others = quality;
    }
  }
  const unsigned gzip_quality = gzip.value_or(others.value_or(0));
  return gzip_quality > 0 && gzip_quality >= identity.value_or(0);
}

}  // namespace procevent
