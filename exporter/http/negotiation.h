// Chooses the encoding and the format of a scrape by the quality values of the request's headers (RFC 9110, 12.5).
#pragma once

#include <cstdint>
#include <string_view>

#include "exporter/metrics/text_format.h"

namespace procevent {

enum class ContentEncoding : std::uint8_t { kIdentity, kGzip };

// Evaluates an Accept-Encoding header. Gzip if it is accepted with at least the quality of identity.
ContentEncoding NegotiateEncoding(std::string_view accept_encoding);

// Evaluates an Accept header. OpenMetrics if it is preferred to plain text: by quality, or at equal quality because
// the header names it more specifically. Plain text otherwise, even if the header accepts neither.
TextFormat NegotiateFormat(std::string_view accept);

}  // namespace procevent
