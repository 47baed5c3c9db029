// IPv4 addresses as text. Pure; for what reads the addresses that the server is told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace procevent {

// Decimal digits only: no sign, no leading zero, at most `most`.
std::optional<std::uint32_t> ParseDecimal(std::string_view text, std::uint32_t most);

// "127.0.0.1", in host byte order.
std::optional<std::uint32_t> ParseIpv4(std::string_view text);
std::string Ipv4Text(std::uint32_t address);

}  // namespace procevent
