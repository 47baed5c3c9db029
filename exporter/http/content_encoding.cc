#include "exporter/http/content_encoding.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <system_error>

#include "core/base/text.h"

namespace procevent {
namespace {

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

// Parses "0", "0.5" or "1.000": RFC 9110 allows three decimals. An invalid quality counts as 0, which rejects gzip:
// identity is always acceptable.
double ParseQuality(std::string_view text) {
  constexpr std::size_t kMaxCharacters = 5;
  double quality = 0;
  const bool plain = text == "0" || text == "1" || text.starts_with("0.") || text.starts_with("1.");
  const auto [stopped, error] =
      std::from_chars(text.data(), text.data() + text.size(), quality, std::chars_format::fixed);
  const bool valid = plain && text.size() <= kMaxCharacters && error == std::errc() &&
                     stopped == text.data() + text.size() && quality <= 1;
  return valid ? quality : 0;
}

// The quality among the parameters of one coding, such as ";q=0.5".
double FindQuality(std::string_view parameters) {
  double quality = 1;
  while (!parameters.empty()) {
    std::string_view value = TakeItem(parameters, ';');
    if (EqualsIgnoreCase(TakeItem(value, '='), "q")) {
      quality = ParseQuality(Trim(value));
    }
  }
  return quality;
}

}  // namespace

ContentEncoding NegotiateEncoding(std::string_view accept_encoding) {
  std::optional<double> gzip;
  std::optional<double> identity;
  std::optional<double> others;
  while (!accept_encoding.empty()) {
    std::string_view parameters = TakeItem(accept_encoding, ',');
    const std::string_view coding = TakeItem(parameters, ';');
    const double quality = FindQuality(parameters);
    if (EqualsIgnoreCase(coding, "gzip") || EqualsIgnoreCase(coding, "x-gzip")) {
      gzip = quality;
    } else if (EqualsIgnoreCase(coding, "identity")) {
      identity = quality;
    } else if (coding == "*") {
      others = quality;
    }
  }
  const double gzip_quality = gzip.value_or(others.value_or(0));
  const bool prefers_gzip = gzip_quality > 0 && gzip_quality >= identity.value_or(0);
  return prefers_gzip ? ContentEncoding::kGzip : ContentEncoding::kIdentity;
}

}  // namespace procevent
