// Negotiates the encoding of a response.
#pragma once

#include <string_view>

namespace procevent {

// Evaluates an Accept-Encoding header by RFC 9110. True if gzip is accepted with at least the quality of identity.
bool PrefersGzip(std::string_view accept_encoding);

}  // namespace procevent
