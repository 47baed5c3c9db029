#include "exporter/allowed_network.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace procevent {
namespace {

struct Row {
  std::string name;
  std::string text;
  std::optional<AllowedNetwork> network;
  std::string reason;  // when refused
};

TEST(AllowedNetworkTest, ReadsOrSaysWhyNot) {
  const std::string address = "the address is four numbers from 0 to 255, as in 10.1.2.3; names are not looked up";
  const std::string prefix = "behind the slash is how many bits count, from 0 to 32, as in 10.0.0.0/8";
  const std::string host = "what is behind the bits that count is 0, as in 10.0.0.0/8";
  const std::string ipv6 =
      "neither ports nor IPv6, which is not built into Debian's civetweb: an IPv4 address or network";
  const std::string list = "one network an item of the list; as a flag, give it several times";
  const Row rows[] = {
      {"address", "10.1.2.3", AllowedNetwork{0x0A010203, 32}, ""},
      {"network", "10.0.0.0/8", AllowedNetwork{0x0A000000, 8}, ""},
      {"odd prefix", "10.1.2.128/25", AllowedNetwork{0x0A010280, 25}, ""},
      {"address as a network", "255.255.255.255/32", AllowedNetwork{0xFFFFFFFF, 32}, ""},
      {"two addresses", "10.0.0.2/31", AllowedNetwork{0x0A000002, 31}, ""},
      {"half of all", "128.0.0.0/1", AllowedNetwork{0x80000000, 1}, ""},
      {"everybody", "0.0.0.0/0", AllowedNetwork{0, 0}, ""},
      {"host bits", "10.0.0.1/8", std::nullopt, host},
      {"a host bit of two", "10.0.0.1/31", std::nullopt, host},
      {"host bits of everybody", "1.0.0.0/0", std::nullopt, host},
      {"prefix too long", "10.0.0.0/33", std::nullopt, prefix},
      {"no prefix", "10.0.0.0/", std::nullopt, prefix},
      {"mask", "10.0.0.0/255.0.0.0", std::nullopt, prefix},
      {"prefix with zero", "10.0.0.0/08", std::nullopt, prefix},
      {"prefix with sign", "10.0.0.0/+8", std::nullopt, prefix},
      {"two prefixes", "10.0.0.0/8/8", std::nullopt, prefix},
      {"empty", "", std::nullopt, address},
      {"name", "localhost", std::nullopt, address},
      {"star", "*", std::nullopt, address},
      {"three bytes", "10.0.0/8", std::nullopt, address},
      {"byte too high", "10.0.0.256", std::nullopt, address},
      {"blank", " 10.0.0.1", std::nullopt, address},
      {"sign of civetweb", "+10.0.0.0/8", std::nullopt, address},
      {"port", "10.0.0.1:80", std::nullopt, ipv6},
      {"ipv6", "fe80::/10", std::nullopt, ipv6},
      {"list", "10.0.0.1,10.0.0.2", std::nullopt, list},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto got = ParseAllowedNetwork(row.text);
    ASSERT_EQ(got.ok(), row.network.has_value());
    if (got) {
      EXPECT_EQ(got.value(), *row.network);
    } else {
      EXPECT_EQ(got.error().remedy, row.reason);
    }
  }
}

}  // namespace
}  // namespace procevent
