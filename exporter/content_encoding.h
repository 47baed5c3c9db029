// Whether a client wants gzip, and gzip itself. Pure. For the site.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace procevent {

// Reads an Accept-Encoding header by RFC 9110: gzip has to be accepted and not be less welcome than identity.
bool PrefersGzip(std::string_view accept_encoding);

// Nothing if there is no memory for it.
std::optional<std::string> Gzip(std::string_view text);

}  // namespace procevent
