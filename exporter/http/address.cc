#include "exporter/http/address.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <system_error>

#include "core/base/text.h"

namespace procevent {

namespace {

constexpr std::size_t kBytes = 4;
constexpr std::uint32_t kBits = 32;
constexpr std::uint32_t kAllAddresses = 0;
constexpr std::uint32_t kLoopback = 0x7F000001;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

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

}  // namespace

std::optional<std::uint32_t> ParseDecimal(std::string_view text, std::uint32_t max) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const bool valid = !text.empty() && std::ranges::all_of(text, IsDigit) && (text.size() == 1 || text.front() != '0');
  if (!valid) {
    return std::nullopt;
  }
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stopped != end || number > max) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::uint32_t> ParseIpv4(std::string_view text) {
  constexpr std::uint32_t kMaxByte = 255;
  std::uint32_t address = 0;
  for (std::size_t i = 0; i < kBytes; ++i) {
    const std::size_t dot = text.find('.');
    const bool last = i + 1 == kBytes;
    if ((dot == std::string_view::npos) != last) {
      return std::nullopt;
    }
    const auto byte = ParseDecimal(text.substr(0, dot), kMaxByte);
    if (!byte) {
      return std::nullopt;
    }
    address = address << 8U | *byte;
    text.remove_prefix(last ? text.size() : dot + 1);
  }
  return address;
}

std::string FormatIpv4(std::uint32_t address) {
  constexpr std::uint32_t kByteMask = 0xFF;
  constexpr std::array<unsigned, kBytes> kShifts{24, 16, 8, 0};
  std::string text;
  for (const unsigned shift : kShifts) {
    text += (text.empty() ? "" : ".") + std::to_string(address >> shift & kByteMask);
  }
  return text;
}

Result<AllowedNetwork> ParseAllowedNetwork(std::string_view text) {
  if (text.find(',') != std::string_view::npos) {
    return InvalidNetwork("it contains a comma", "use one list item per network, or repeat the flag");
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
    return InvalidAddress("it contains a comma", "use one list item per address, or repeat the flag");
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return InvalidAddress("the port is missing", "use host:port, such as 127.0.0.1:13675 or :13675");
  }
  const std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  // Debian's civetweb is built without IPv6.
  if (host.find_first_of(":[]") != std::string_view::npos) {
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
  return FormatIpv4(address.ipv4) + ':' + std::to_string(address.port);
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
    return Error{kOperation, "it has a query, space, '%', '//' or '/.'", "use a plain path such as /metrics"};
  }
  if (path == "/-/healthy" || path == "/-/ready") {
    return Error{kOperation, "/-/healthy and /-/ready are reserved", "use another path, such as /metrics"};
  }
  return Success{};
}

}  // namespace procevent
