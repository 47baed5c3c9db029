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

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<std::uint32_t> ParseDecimal(std::string_view text, std::uint32_t most) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const bool plain = !text.empty() && std::ranges::all_of(text, IsDigit) && (text.size() == 1 || text.front() != '0');
  if (!plain) {
    return std::nullopt;
  }
  const auto [stopped, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc{} || stopped != end || number > most) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::uint32_t> ParseIpv4(std::string_view text) {
  constexpr std::uint32_t kMostInByte = 255;
  std::uint32_t address = 0;
  for (std::size_t i = 0; i < kBytes; ++i) {
    const std::size_t dot = text.find('.');
    const bool last = i + 1 == kBytes;
    if ((dot == std::string_view::npos) != last) {
      return std::nullopt;
    }
    const auto byte = ParseDecimal(text.substr(0, dot), kMostInByte);
    if (!byte) {
      return std::nullopt;
    }
    address = address << 8U | *byte;
    text.remove_prefix(last ? text.size() : dot + 1);
  }
  return address;
}

std::string Ipv4Text(std::uint32_t address) {
  constexpr std::uint32_t kByteMask = 0xFF;
  constexpr std::array<unsigned, kBytes> kShifts{24, 16, 8, 0};
  std::string text;
  for (const unsigned shift : kShifts) {
    text += (text.empty() ? "" : ".") + std::to_string(address >> shift & kByteMask);
  }
  return text;
}

namespace {

constexpr std::uint32_t kBits = 32;

Error InvalidNetwork(std::string_view reason) { return Error{"use the allowed network", 0, reason}; }

std::uint32_t HostBits(std::uint32_t prefix) { return prefix == kBits ? 0 : ~std::uint32_t{0} >> prefix; }

}  // namespace

Result<AllowedNetwork> ParseAllowedNetwork(std::string_view text) {
  if (text.find(',') != std::string_view::npos) {
    return InvalidNetwork("one network an item of the list; as a flag, give it several times");
  }
  if (text.find(':') != std::string_view::npos) {
    return InvalidNetwork(
        "neither ports nor IPv6, which is not built into Debian's civetweb: an IPv4 address or network");
  }
  const std::size_t slash = text.find('/');
  const auto address = ParseIpv4(text.substr(0, slash));
  if (!address) {
    return InvalidNetwork("the address is four numbers from 0 to 255, as in 10.1.2.3; names are not looked up");
  }
  const auto prefix =
      slash == std::string_view::npos ? std::optional(kBits) : ParseDecimal(text.substr(slash + 1), kBits);
  if (!prefix) {
    return InvalidNetwork("behind the slash is how many bits count, from 0 to 32, as in 10.0.0.0/8");
  }
  if ((*address & HostBits(*prefix)) != 0) {
    return InvalidNetwork("what is behind the bits that count is 0, as in 10.0.0.0/8");
  }
  return AllowedNetwork{*address, *prefix};
}

namespace {

Error InvalidAddress(std::string_view reason) { return Error{"use the listen address", 0, reason}; }

bool IsPlainPathCharacter(char c) {
  constexpr std::string_view kMarks = "-._~!$&'()*+,;=:@/";
  return IsAlphanumeric(c) || kMarks.find(c) != std::string_view::npos;
}

}  // namespace

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  constexpr std::uint32_t kMostPort = 65535;
  if (text.find(',') != std::string_view::npos) {
    return InvalidAddress("one address a flag: give the flag several times; in the file, one an item");
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return InvalidAddress("it has no port: write host:port, as in 127.0.0.1:13675 or :13675");
  }
  const std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  if (host.find_first_of(":[]") != std::string_view::npos) {
    return InvalidAddress("IPv6 is not built into Debian's civetweb: write an IPv4 address, as in 127.0.0.1:13675");
  }
  const bool tls = port_text.size() > 1 && (port_text.back() == 's' || port_text.back() == 'r');
  if (tls && ParseDecimal(port_text.substr(0, port_text.size() - 1), kMostPort)) {
    return InvalidAddress("TLS is not served here, Debian's civetweb crashes on it: terminate TLS in a reverse proxy");
  }
  const auto port = ParseDecimal(port_text, kMostPort);
  if (!port || *port == 0) {
    return InvalidAddress("the port is a number from 1 to 65535");
  }
  const auto address = host.empty() ? std::optional<std::uint32_t>(0) : ParseIpv4(host);
  if (!address) {
    return InvalidAddress(
        "the host is an IPv4 address, as in 127.0.0.1:13675, or empty for all addresses; names are not");
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
