// Parses and validates listen addresses, allowed networks and the telemetry path. Pure functions; used by the
// configuration, the server, doctor and healthcheck. The remedy of an error is the allowed form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace procevent {

// An IPv4 address or network that may connect. Any text that ParseAllowedNetwork accepts is valid in civetweb's access
// control list after a '+'.
struct AllowedNetwork {
  std::uint32_t ipv4 = 0;    // host byte order
  std::uint32_t prefix = 0;  // length in bits: 32 is one address, 0 is all addresses

  bool operator==(const AllowedNetwork&) const = default;
};

// Parses "10.0.0.0/8", or "10.1.2.3" for one address.
Result<AllowedNetwork> ParseAllowedNetwork(std::string_view text);

// An address that the server listens on.
struct ListenAddress {
  std::uint32_t ipv4 = 0;  // host byte order; 0 is every address of the machine
  std::uint16_t port = 0;

  bool operator==(const ListenAddress&) const = default;
};

// Parses "host:port" with an IPv4 host or localhost, which is 127.0.0.1. An empty host (":13675") means every address.
Result<ListenAddress> ParseListenAddress(std::string_view text);

// "127.0.0.1:13675".
std::string ToText(const ListenAddress& address);

// True if the server cannot listen on both: the ports are equal, and the addresses are equal or one is every address.
bool Overlap(const ListenAddress& first, const ListenAddress& second);

// The telemetry path begins with '/', consists of plain path characters, and is not one of the server's own pages. The
// server compares it byte by byte, so escapes are not allowed.
Status CheckTelemetryPath(std::string_view path);

}  // namespace procevent
