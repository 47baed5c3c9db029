// Negotiates the encoding of a response.
#pragma once

#include <cstdint>
#include <string_view>

namespace procevent {

enum class ContentEncoding : std::uint8_t { kIdentity, kGzip };

// Evaluates an Accept-Encoding header by RFC 9110. Gzip if it is accepted with at least the quality of identity.
ContentEncoding NegotiateEncoding(std::string_view accept_encoding);

}  // namespace procevent
