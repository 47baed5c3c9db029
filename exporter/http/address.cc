#include "exporter/http/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "core/base/text.h"

namespace procevent {

namespace {

constexpr std::uint32_t kBits = 32;
constexpr std::uint32_t kAllAddresses = 0;
constexpr std::uint32_t kLoopback = 0x7F000001;

Error InvalidNetwork(std::string_view cause, std::string_view remedy) {
  return {"parse allowed network", cause, remedy};
}

std::uint32_t HostMask(std::uint32_t prefix) { return prefix == kBits ? 0 : ~std::uint32_t{0} >> prefix; }

Error InvalidAddress(std::string_view cause, std::string_view remedy) {
  return {"parse listen address", cause, remedy};
}

bool IsPlainPathCharacter(char c) {
  constexpr std::string_view kMarks = "-._~!$&'()*+,;=:@/";
  return IsAlphanumeric(c) || kMarks.find(c) != std::string_view::npos;
}

// Accepts no leading zero, which other programs read as octal.
std::optional<std::uint32_t> ParseDecimal(std::string_view text, std::uint32_t max) {
  const auto number = ParseInteger<std::uint32_t>(text);
  return number && *number <= max && (text.size() == 1 || text.front() != '0') ? number : std::nullopt;
}

// Parses four decimal numbers without leading zeros. The result is in host byte order.
std::optional<std::uint32_t> ParseIpv4(std::string_view text) {
  in_addr address{};
  const bool is_c_string = text.find('\0') == std::string_view::npos;
  return is_c_string && ::inet_pton(AF_INET, std::string(text).c_str(), &address) == 1
             ? std::optional(ntohl(address.s_addr))
             : std::nullopt;
}

}  // namespace

Result<AllowedNetwork> ParseAllowedNetwork(std::string_view text) {
  if (text.find(',') != std::string_view::npos) {
    return InvalidNetwork("it contains a comma", "use one list item per network");
  }
  // Debian's civetweb is built without IPv6.
  if (text.find(':') != std::string_view::npos) {
    return InvalidNetwork("ports and IPv6 are not supported", "use an IPv4 address or network");
  }
  const std::size_t slash = text.find('/');
  const auto address = ParseIpv4(text.substr(0, slash));
  if (!address) {
    return InvalidNetwork("it is not an IPv4 address",
                          "use four numbers from 0 to 255, such as 10.1.2.3; host names are not supported");
  }
  const auto prefix =
      slash == std::string_view::npos ? std::optional(kBits) : ParseDecimal(text.substr(slash + 1), kBits);
  if (!prefix) {
    return InvalidNetwork("the prefix length is invalid", "use 0 to 32 after the slash, such as 10.0.0.0/8");
  }
  if ((*address & HostMask(*prefix)) != 0) {
    return InvalidNetwork("host bits are set", "clear all bits after the prefix, such as 10.0.0.0/8");
  }
  return AllowedNetwork{*address, *prefix};
}

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  constexpr std::uint32_t kMaxPort = 65535;
  if (text.find(',') != std::string_view::npos) {
    return InvalidAddress("it contains a comma", "use one list item per address");
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return InvalidAddress("the port is missing", "use host:port, such as 127.0.0.1:13675 or :13675");
  }
  const std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  // Debian's civetweb is built without IPv6.
  if (host.find_first_of(":[]") != std::string_view::npos &&
      host.find_first_not_of("0123456789abcdefABCDEF:.[]") == std::string_view::npos) {
    return InvalidAddress("IPv6 is not supported", "use an IPv4 address, such as 127.0.0.1:13675");
  }
  // civetweb reads the suffixes 's' as TLS and 'r' as a redirect to it. Debian's civetweb crashes on TLS.
  const bool tls = port_text.size() > 1 && (port_text.back() == 's' || port_text.back() == 'r');
  if (tls && ParseDecimal(port_text.substr(0, port_text.size() - 1), kMaxPort)) {
    return InvalidAddress("TLS is not supported", "terminate TLS in a reverse proxy");
  }
  const auto port = ParseDecimal(port_text, kMaxPort);
  if (!port || *port == 0) {
    return InvalidAddress("the port is invalid", "use a number from 1 to 65535");
  }
  const auto address = host.empty()          ? std::optional(kAllAddresses)
                       : host == "localhost" ? std::optional(kLoopback)
                                             : ParseIpv4(host);
  if (!address) {
    return InvalidAddress("the host is invalid",
                          "use an IPv4 address or localhost, such as 127.0.0.1:13675, or no host for all addresses");
  }
  return ListenAddress{*address, static_cast<std::uint16_t>(*port)};
}

std::string ToText(const ListenAddress& address) {
  std::array<char, INET_ADDRSTRLEN> host{};
  const in_addr ipv4{htonl(address.ipv4)};
  ::inet_ntop(AF_INET, &ipv4, host.data(), host.size());
  return host.data() + (':' + std::to_string(address.port));
}

bool Overlap(const ListenAddress& first, const ListenAddress& second) {
  return first.port == second.port && (first.ipv4 == second.ipv4 || first.ipv4 == 0 || second.ipv4 == 0);
}

Status CheckTelemetryPath(std::string_view path) {
  constexpr std::string_view kOperation = "parse telemetry path";
  constexpr std::size_t kMaxBytes = 256;
  if (path.size() < 2 || path.front() != '/' || path.size() > kMaxBytes) {
    return Error{kOperation, "it is not '/' and 1 to 255 more characters", "use a path such as /metrics"};
  }
  if (!std::ranges::all_of(path, IsPlainPathCharacter) || path.find("//") != std::string_view::npos ||
      path.find("/.") != std::string_view::npos) {
    return Error{kOperation,
                 "it has '//', '/.', or a character that a plain path cannot have, such as '?', '%' or a space",
                 "use a plain path such as /metrics"};
  }
  if (path == "/-/healthy" || path == "/-/ready") {
    return Error{kOperation, "/-/healthy and /-/ready are reserved", "use another path, such as /metrics"};
  }
  return Success{};
}

}  // namespace procevent
