// FOLDED: ipv4.h, allowed_network.h, listen_address.h
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace procevent {

// IPv4 addresses as text. Pure; for what reads the addresses that the server is told.

// Decimal digits only: no sign, no leading zero, at most `most`.
std::optional<std::uint32_t> ParseDecimal(std::string_view text, std::uint32_t most);

// "127.0.0.1", in host byte order.
std::optional<std::uint32_t> ParseIpv4(std::string_view text);
std::string Ipv4Text(std::uint32_t address);

// Who may ask: text to an IPv4 address or network, with the reason when it is refused. Pure. The configuration checks
// what it is given with it; what it takes, civetweb's access control list takes behind a '+'.

struct AllowedNetwork {
  std::uint32_t ipv4 = 0;    // host byte order
  std::uint32_t prefix = 0;  // how many bits of it count: 32 is that address alone, 0 is everybody

  bool operator==(const AllowedNetwork&) const = default;
};

// "10.0.0.0/8", or "10.1.2.3" for one address. An Error's remedy says what is wrong and what is allowed, in words that
// fit after the text.
Result<AllowedNetwork> ParseAllowedNetwork(std::string_view text);

// Where the server may listen, and under which path it may serve: text to value, with the reason when it is refused.
// Pure. The configuration checks what it is given with it, the server reads its options with it.

struct ListenAddress {
  std::uint32_t ipv4 = 0;  // host byte order; 0: every address of the machine
  std::uint16_t port = 0;

  bool operator==(const ListenAddress&) const = default;
};

// "host:port" with an IPv4 host, or none (":13675"), which means every address. An Error's remedy says what is wrong
// and what is allowed, in words that fit after the address.
Result<ListenAddress> ParseListenAddress(std::string_view text);

// "127.0.0.1:13675".
std::string ToText(const ListenAddress& address);

// Two that cannot both be listened on: the same port, and the same address or one that covers it.
bool Overlap(const ListenAddress& one, const ListenAddress& other);

// The telemetry path is matched byte by byte: it begins with '/', holds only the characters of a plain path, and is
// none of the server's own pages. An Error's remedy says what is wrong and what is allowed.
Status CheckTelemetryPath(std::string_view path);

}  // namespace procevent
