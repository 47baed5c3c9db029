#include "exporter/http/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "exporter/http/server_resources.h"

namespace procevent {

namespace {

struct NetworkRow {
  std::string name;
  std::string text;
  std::optional<AllowedNetwork> network;
  std::string remedy;  // part of it, if invalid
};

TEST(AllowedNetworkTest, ParsesOrNamesRemedy) {
  const std::string address = "four numbers from 0 to 255, such as 10.1.2.3; host names are not supported";
  const std::string prefix = "prefix length is invalid; use 0 to 32";
  const std::string host = "host bits are set; ";
  const std::string ipv6 = "ports and IPv6 are not supported; use an IPv4 address or network";
  const std::string list = "one list item per network";
  const NetworkRow rows[] = {
      {"address", "10.1.2.3", AllowedNetwork{0x0A010203, 32}, ""},
      {"network", "10.0.0.0/8", AllowedNetwork{0x0A000000, 8}, ""},
      {"odd prefix", "10.1.2.128/25", AllowedNetwork{0x0A010280, 25}, ""},
      {"address as a network", "255.255.255.255/32", AllowedNetwork{0xFFFFFFFF, 32}, ""},
      {"two addresses", "10.0.0.2/31", AllowedNetwork{0x0A000002, 31}, ""},
      {"half of all", "128.0.0.0/1", AllowedNetwork{0x80000000, 1}, ""},
      {"all addresses", "0.0.0.0/0", AllowedNetwork{0, 0}, ""},
      {"host bits", "10.0.0.1/8", std::nullopt, host},
      {"a host bit of two", "10.0.0.1/31", std::nullopt, host},
      {"host bits of all addresses", "1.0.0.0/0", std::nullopt, host},
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
  for (const NetworkRow& row : rows) {
    SCOPED_TRACE(row.name);
    const auto parsed = ParseAllowedNetwork(row.text);
    ASSERT_EQ(parsed.ok(), row.network.has_value());
    if (parsed) {
      EXPECT_EQ(parsed.value(), *row.network);
    } else {
      EXPECT_THAT(Describe(parsed.error()), testing::HasSubstr(row.remedy));
    }
  }
}

struct AddressRow {
  std::string name;
  std::string text;
  std::optional<ListenAddress> address;
  std::string remedy;  // part of it, if invalid
};

TEST(ListenAddressTest, ParsesOrNamesRemedy) {
  const std::string port = "a number from 1 to 65535";
  const std::string host = "the host is invalid; use an IPv4 address";
  const std::string no_port = "the port is missing; use host:port";
  const std::string list = "one list item per address";
  const std::string ipv6 = "IPv6 is not supported";
  const std::string tls = "terminate TLS in a reverse proxy";
  const AddressRow rows[] = {
      {"default", "0.0.0.0:13675", ListenAddress{0, 13675}, ""},
      {"loopback", "127.0.0.1:80", ListenAddress{0x7F000001, 80}, ""},
      {"no host", ":13675", ListenAddress{0, 13675}, ""},
      {"highest", "255.254.253.252:65535", ListenAddress{0xFFFEFDFC, 65535}, ""},
      {"lowest port", "10.0.0.1:1", ListenAddress{0x0A000001, 1}, ""},
      {"empty", "", std::nullopt, no_port},
      {"port alone", "13675", std::nullopt, no_port},
      {"host alone", "127.0.0.1", std::nullopt, no_port},
      {"no digits", "127.0.0.1:", std::nullopt, port},
      {"port 0", "127.0.0.1:0", std::nullopt, port},
      {"port too high", ":65536", std::nullopt, port},
      {"port beyond 32 bits", ":4294967297", std::nullopt, port},
      {"port with sign", ":+80", std::nullopt, port},
      {"negative port", ":-80", std::nullopt, port},
      {"port with zero", ":080", std::nullopt, port},
      {"port with blank", ":80 ", std::nullopt, port},
      {"port in hex", ":0x50", std::nullopt, port},
      {"named port", ":http", std::nullopt, port},
      {"list", ":80,:81", std::nullopt, list},
      {"list of hosts", "127.0.0.1,127.0.0.2:80", std::nullopt, list},
      {"tls", ":443s", std::nullopt, tls},
      {"tls with host", "127.0.0.1:443s", std::nullopt, tls},
      {"redirect", ":80r", std::nullopt, tls},
      {"other suffix", ":80x", std::nullopt, port},
      {"suffix alone", ":s", std::nullopt, port},
      {"ipv6", "[::1]:13675", std::nullopt, ipv6},
      {"ipv6 any", "[::]:13675", std::nullopt, ipv6},
      {"ipv6 bare", "::1:13675", std::nullopt, ipv6},
      {"localhost", "localhost:13675", ListenAddress{0x7F000001, 13675}, ""},
      {"localhost in capitals", "LOCALHOST:13675", std::nullopt, host},
      {"name", "example.org:13675", std::nullopt, host},
      {"url", "http://127.0.0.1:80", std::nullopt, host},
      {"three bytes", "127.0.0:80", std::nullopt, host},
      {"five bytes", "127.0.0.0.1:80", std::nullopt, host},
      {"byte too high", "127.0.0.256:80", std::nullopt, host},
      {"empty byte", "127..0.1:80", std::nullopt, host},
      {"trailing dot", "127.0.0.1.:80", std::nullopt, host},
      {"octal byte", "127.0.0.01:80", std::nullopt, host},
      {"blank host", " :80", std::nullopt, host},
      {"star", "*:80", std::nullopt, host},
      {"nul inside", std::string("127.0.0.1\0:80", 13), std::nullopt, host},
  };
  for (const AddressRow& row : rows) {
    SCOPED_TRACE(row.name);
    const auto parsed = ParseListenAddress(row.text);
    ASSERT_EQ(parsed.ok(), row.address.has_value());
    if (parsed) {
      EXPECT_EQ(parsed.value(), *row.address);
      EXPECT_EQ(ParseListenAddress(ToText(parsed.value())).value(), *row.address);
    } else {
      EXPECT_THAT(Describe(parsed.error()), testing::HasSubstr(row.remedy));
    }
  }
}

TEST(ListenAddressTest, FormatsHostAndPort) {
  EXPECT_EQ(ToText({0, 13675}), "0.0.0.0:13675");
  EXPECT_EQ(ToText({0xFFFEFDFC, 65535}), "255.254.253.252:65535");
}

TEST(ListenAddressTest, OverlapsIfPortsAreEqualAndOneAddressCoversTheOther) {
  const ListenAddress any{0, 80};
  const ListenAddress loopback{0x7F000001, 80};
  EXPECT_TRUE(Overlap(any, any));
  EXPECT_TRUE(Overlap(any, loopback));
  EXPECT_TRUE(Overlap(loopback, any));
  EXPECT_TRUE(Overlap(loopback, loopback));
  EXPECT_FALSE(Overlap(loopback, {0x7F000002, 80}));
  EXPECT_FALSE(Overlap(any, {0, 81}));
}

TEST(TelemetryPathTest, AcceptsOnlyPlainUnreservedPaths) {
  for (const std::string path : {"/metrics", "/m", "/a/b-c_d.e~f", "/metrics/", "/-/metrics", "/a;b=c&d@e"}) {
    EXPECT_TRUE(CheckTelemetryPath(path).ok()) << path;
  }
  EXPECT_TRUE(CheckTelemetryPath("/" + std::string(255, 'a')).ok());
  EXPECT_FALSE(CheckTelemetryPath("/" + std::string(256, 'a')).ok());
  for (const std::string path :
       {"", "/", "metrics", "//metrics", "/a//b", "/metrics?x", "/metrics#x", "/met rics", "/met%20", "/met\"rics",
        "/<b>", "/..", "/./metrics", "/.hidden", "/metrics\n", "/m\xC3\xA9trics", "/-/healthy", "/-/ready"}) {
    const Status status = CheckTelemetryPath(path);
    EXPECT_FALSE(status.ok()) << path;
    EXPECT_THAT(status.ok() ? "" : Describe(status.error()), testing::HasSubstr("/metrics")) << path;
  }
}

}  // namespace

}  // namespace procevent
