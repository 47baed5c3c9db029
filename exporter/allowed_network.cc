#include "exporter/allowed_network.h"

#include <cstddef>
#include <optional>

#include "exporter/ipv4.h"

namespace procevent {
namespace {

constexpr std::uint32_t kBits = 32;

Error Refused(std::string_view reason) { return Error{"use the allowed network", 0, reason}; }

std::uint32_t HostBits(std::uint32_t prefix) { return prefix == kBits ? 0 : ~std::uint32_t{0} >> prefix; }

}  // namespace

Result<AllowedNetwork> ParseAllowedNetwork(std::string_view text) {
  if (text.find(',') != std::string_view::npos) {
    return Refused("one network an item of the list; as a flag, give it several times");
  }
  if (text.find(':') != std::string_view::npos) {
    return Refused("neither ports nor IPv6, which is not built into Debian's civetweb: an IPv4 address or network");
  }
  const std::size_t slash = text.find('/');
  const auto address = ParseIpv4(text.substr(0, slash));
  if (!address) {
    return Refused("the address is four numbers from 0 to 255, as in 10.1.2.3; names are not looked up");
  }
  const auto prefix =
      slash == std::string_view::npos ? std::optional(kBits) : ParseDecimal(text.substr(slash + 1), kBits);
  if (!prefix) {
    return Refused("behind the slash is how many bits count, from 0 to 32, as in 10.0.0.0/8");
  }
  if ((*address & HostBits(*prefix)) != 0) {
    return Refused("what is behind the bits that count is 0, as in 10.0.0.0/8");
  }
  return AllowedNetwork{*address, *prefix};
}

}  // namespace procevent
