// Who may ask: text to an IPv4 address or network, with the reason when it is refused. Pure. The configuration checks
// what it is given with it; what it takes, civetweb's access control list takes behind a '+'.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/result.h"

namespace procevent {

struct AllowedNetwork {
  std::uint32_t ipv4 = 0;    // host byte order
  std::uint32_t prefix = 0;  // how many bits of it count: 32 is that address alone, 0 is everybody

  bool operator==(const AllowedNetwork&) const = default;
};

// "10.0.0.0/8", or "10.1.2.3" for one address. An Error's remedy says what is wrong and what is allowed, in words that
// fit after the text.
Result<AllowedNetwork> ParseAllowedNetwork(std::string_view text);

}  // namespace procevent
