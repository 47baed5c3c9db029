#include "exporter/listen_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace procevent {
namespace {

struct Row {
  std::string name;
  std::string text;
  std::optional<ListenAddress> address;
  std::string reason;  // part of it, when refused
};

TEST(ListenAddressTest, ReadsOrSaysWhyNot) {
  const std::string port = "the port is a number from 1 to 65535";
  const std::string host = "the host is an IPv4 address";
  const Row rows[] = {
      {"default", "0.0.0.0:13675", ListenAddress{0, 13675}, ""},
      {"loopback", "127.0.0.1:80", ListenAddress{0x7F000001, 80}, ""},
      {"no host", ":13675", ListenAddress{0, 13675}, ""},
      {"highest", "255.254.253.252:65535", ListenAddress{0xFFFEFDFC, 65535}, ""},
      {"lowest port", "10.0.0.1:1", ListenAddress{0x0A000001, 1}, ""},
      {"empty", "", std::nullopt, "it has no port"},
      {"port alone", "13675", std::nullopt, "it has no port"},
      {"host alone", "127.0.0.1", std::nullopt, "it has no port"},
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
      {"list", ":80,:81", std::nullopt, "one address a flag: give the flag several times"},
      {"list of hosts", "127.0.0.1,127.0.0.2:80", std::nullopt, "one address a flag"},
      {"tls", ":443s", std::nullopt, "terminate TLS in a reverse proxy"},
      {"tls with host", "127.0.0.1:443s", std::nullopt, "terminate TLS in a reverse proxy"},
      {"redirect", ":80r", std::nullopt, "terminate TLS in a reverse proxy"},
      {"other suffix", ":80x", std::nullopt, port},
      {"suffix alone", ":s", std::nullopt, port},
      {"ipv6", "[::1]:13675", std::nullopt, "IPv6 is not built into Debian's civetweb"},
      {"ipv6 any", "[::]:13675", std::nullopt, "IPv6 is not built into Debian's civetweb"},
      {"ipv6 bare", "::1:13675", std::nullopt, "IPv6 is not built into Debian's civetweb"},
      {"name", "localhost:13675", std::nullopt, host},
      {"url", "http://127.0.0.1:80", std::nullopt, "IPv6 is not built into Debian's civetweb"},
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
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto got = ParseListenAddress(row.text);
    ASSERT_EQ(got.ok(), row.address.has_value());
    if (got) {
      EXPECT_EQ(got.value(), *row.address);
      EXPECT_EQ(ParseListenAddress(ToText(got.value())).value(), *row.address);
    } else {
      EXPECT_THAT(got.error().remedy, testing::HasSubstr(row.reason));
    }
  }
}

TEST(ListenAddressTest, IsWrittenInFull) {
  EXPECT_EQ(ToText({0, 13675}), "0.0.0.0:13675");
  EXPECT_EQ(ToText({0xFFFEFDFC, 65535}), "255.254.253.252:65535");
}

TEST(ListenAddressTest, OverlapsWhereOneCoversTheOther) {
  const ListenAddress any{0, 80};
  const ListenAddress loopback{0x7F000001, 80};
  EXPECT_TRUE(Overlap(any, any));
  EXPECT_TRUE(Overlap(any, loopback));
  EXPECT_TRUE(Overlap(loopback, any));
  EXPECT_TRUE(Overlap(loopback, loopback));
  EXPECT_FALSE(Overlap(loopback, {0x7F000002, 80}));
  EXPECT_FALSE(Overlap(any, {0, 81}));
}

TEST(TelemetryPathTest, IsAPlainPathOfItsOwn) {
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
