#include "exporter/listen_address.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "core/base/ascii.h"
#include "exporter/ipv4.h"

namespace procevent {
namespace {

Error Refused(std::string_view reason) { return Error{"use the listen address", 0, reason}; }

bool IsPlainPathCharacter(char c) {
  constexpr std::string_view kMarks = "-._~!$&'()*+,;=:@/";
  return IsAlphanumeric(c) || kMarks.find(c) != std::string_view::npos;
}

}  // namespace

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  constexpr std::uint32_t kMostPort = 65535;
  if (text.find(',') != std::string_view::npos) {
    return Refused("one address a flag: give the flag several times; in the file, one an item");
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return Refused("it has no port: write host:port, as in 127.0.0.1:13675 or :13675");
  }
  const std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  if (host.find_first_of(":[]") != std::string_view::npos) {
    return Refused("IPv6 is not built into Debian's civetweb: write an IPv4 address, as in 127.0.0.1:13675");
  }
  const bool tls = port_text.size() > 1 && (port_text.back() == 's' || port_text.back() == 'r');
  if (tls && ParseDecimal(port_text.substr(0, port_text.size() - 1), kMostPort)) {
    return Refused("TLS is not served here, Debian's civetweb crashes on it: terminate TLS in a reverse proxy");
  }
  const auto port = ParseDecimal(port_text, kMostPort);
  if (!port || *port == 0) {
    return Refused("the port is a number from 1 to 65535");
  }
  const auto address = host.empty() ? std::optional<std::uint32_t>(0) : ParseIpv4(host);
  if (!address) {
    return Refused("the host is an IPv4 address, as in 127.0.0.1:13675, or empty for all addresses; names are not");
  }
  return ListenAddress{*address, static_cast<std::uint16_t>(*port)};
}

std::string ToText(const ListenAddress& address) { return Ipv4Text(address.ipv4) + ':' + std::to_string(address.port); }

bool Overlap(const ListenAddress& one, const ListenAddress& other) {
  return one.port == other.port && (one.ipv4 == other.ipv4 || one.ipv4 == 0 || other.ipv4 == 0);
}

Status CheckTelemetryPath(std::string_view path) {
  constexpr std::string_view kOperation = "use the telemetry path";
  constexpr std::size_t kMostBytes = 256;
  if (path.size() < 2 || path.front() != '/' || path.size() > kMostBytes) {
    return Error{kOperation, 0, "it is '/' and 1 to 255 characters more, as in /metrics"};
  }
  if (!std::ranges::all_of(path, IsPlainPathCharacter) || path.find("//") != std::string_view::npos ||
      path.find("/.") != std::string_view::npos) {
    return Error{kOperation, 0, "it is a plain path, as in /metrics: no query, space, '%', '//' or '/.'"};
  }
  if (path == "/-/healthy" || path == "/-/ready") {
    return Error{kOperation, 0, "/-/healthy and /-/ready are pages of their own: choose another, as in /metrics"};
  }
  return Success{};
}

}  // namespace procevent
