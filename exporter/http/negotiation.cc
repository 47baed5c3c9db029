#include "exporter/http/negotiation.h"

#include <algorithm>
#include <charconv>
#include <compare>
#include <cstddef>
#include <optional>
#include <system_error>
#include <utility>

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

// The position of the first separator outside of quoted strings, or the end. An unterminated string has no end: npos.
std::size_t FindSeparator(std::string_view text, char separator) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      quoted = !quoted;
    } else if (quoted && text[i] == '\\') {
      ++i;
    } else if (!quoted && text[i] == separator) {
      return i;
    }
  }
  return quoted ? std::string_view::npos : text.size();
}

// Removes the text up to the next separator from `rest` and returns it, trimmed. An unterminated quoted string makes
// the whole rest invalid, which is dropped.
std::string_view TakeItem(std::string_view& rest, char separator) {
  const std::size_t end = FindSeparator(rest, separator);
  if (end == std::string_view::npos) {
    rest = {};
    return {};
  }
  const std::string_view item = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return Trim(item);
}

// Parses "0", "0.5" or "1.000": RFC 9110 allows three decimals. An invalid quality counts as 0: the response is the
// default one then.
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

std::string_view Unquote(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.starts_with('"') && value.ends_with('"');
  return quoted ? value.substr(1, value.size() - 2) : value;
}

std::optional<std::string_view> FindParameter(std::string_view parameters, std::string_view name) {
  while (!parameters.empty()) {
    std::string_view value = TakeItem(parameters, ';');
    if (EqualsIgnoreCase(TakeItem(value, '='), name)) {
      return Unquote(Trim(value));
    }
  }
  return std::nullopt;
}

// An element of a header, such as "gzip;q=0.5".
struct Element {
  std::string_view value;
  std::string_view parameters;
  double quality = 1;
};

// Removes the first element from `list` and returns it.
Element TakeElement(std::string_view& list) {
  std::string_view rest = TakeItem(list, ',');
  const std::string_view value = TakeItem(rest, ';');
  const auto quality = FindParameter(rest, "q");
  return {value, rest, quality ? ParseQuality(*quality) : 1};
}

// How specifically a range such as "text/*" or "text/plain;version=0.0.4" names a media type: RFC 9110 gives the most
// specific range precedence. Nothing if it does not match. Parameters that the type does not have, such as Prometheus'
// "escaping", are ignored.
std::optional<int> MatchRange(const Element& range, const Element& type) {
  constexpr int kSameType = 2;
  if (range.value == "*/*") {
    return 0;
  }
  const std::string_view main_type = type.value.substr(0, type.value.find('/') + 1);
  if (range.value.ends_with("/*") && EqualsIgnoreCase(range.value.substr(0, range.value.size() - 1), main_type)) {
    return 1;
  }
  if (!EqualsIgnoreCase(range.value, type.value)) {
    return std::nullopt;
  }
  int specificity = kSameType;
  for (std::string_view rest = type.parameters; !rest.empty();) {
    std::string_view value = TakeItem(rest, ';');
    const std::string_view name = TakeItem(value, '=');
    if (const auto wanted = FindParameter(range.parameters, name)) {
      if (!EqualsIgnoreCase(*wanted, value)) {
        return std::nullopt;
      }
      ++specificity;
    }
  }
  return specificity;
}

// How much a client prefers a media type: by quality, then by specificity.
struct Preference {
  double quality = 0;
  int specificity = -1;

  auto operator<=>(const Preference&) const = default;
};

// The preference of the most specific range that matches. Of equally specific ones, the one of the highest quality.
Preference FindPreference(std::string_view accept, TextFormat format) {
  std::string_view content_type = ContentType(format);
  const Element type = TakeElement(content_type);
  Preference found;
  while (!accept.empty()) {
    const Element range = TakeElement(accept);
    const auto specificity = MatchRange(range, type);
    if (specificity && std::pair(*specificity, range.quality) > std::pair(found.specificity, found.quality)) {
      found = {range.quality, *specificity};
    }
  }
  return found;
}

}  // namespace

ContentEncoding NegotiateEncoding(std::string_view accept_encoding) {
  std::optional<double> gzip;
  std::optional<double> identity;
  std::optional<double> others;
  while (!accept_encoding.empty()) {
    const Element coding = TakeElement(accept_encoding);
    if (EqualsIgnoreCase(coding.value, "gzip") || EqualsIgnoreCase(coding.value, "x-gzip")) {
      gzip = coding.quality;
    } else if (EqualsIgnoreCase(coding.value, "identity")) {
      identity = coding.quality;
    } else if (coding.value == "*") {
      others = coding.quality;
    }
  }
  const double gzip_quality = gzip.value_or(others.value_or(0));
  const bool prefers_gzip = gzip_quality > 0 && gzip_quality >= identity.value_or(0);
  return prefers_gzip ? ContentEncoding::kGzip : ContentEncoding::kIdentity;
}

TextFormat NegotiateFormat(std::string_view accept) {
  const Preference open_metrics = FindPreference(accept, TextFormat::kOpenMetrics);
  const bool preferred = open_metrics.quality > 0 && open_metrics > FindPreference(accept, TextFormat::kPlain);
  return preferred ? TextFormat::kOpenMetrics : TextFormat::kPlain;
}

}  // namespace procevent
