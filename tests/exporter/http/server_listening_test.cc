// Where the server listens, from its start to its stop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "exporter/http/server.h"
#include "tests/exporter/http/test_server.h"

namespace procevent {
namespace {

using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::StartsWith;

std::string WhyNot(const ServerOptions& options) {
  SnapshotExchange exchange{Snapshot(1)};
  ExporterState own{ReloadStatus(0)};
  try {
    const Server server(options, exchange, own);
  } catch (const std::runtime_error& fault) {
    return fault.what();
  }
  return "it starts";
}

std::string WhyNot(const std::vector<std::string>& addresses) {
  ServerOptions options;
  options.listen_addresses = addresses;
  return WhyNot(options);
}

TEST(ServerTest, ListensOnEveryAddress) {
  SnapshotExchange exchange{Snapshot(1)};
  ExporterState own{ReloadStatus(0)};
  const FakeReader reader(exchange);
  std::uint16_t first = 0;
  std::uint16_t second = 0;
  const auto server = OnFreePort(first, [&] {
    second = FreePort();
    ServerOptions options;
    options.listen_addresses = {Address(first), ":" + std::to_string(second)};
    return std::make_unique<Server>(options, exchange, own);
  });
  EXPECT_THAT(Get(first, "/metrics"), StartsWith(kOk));
  EXPECT_THAT(Get(second, "/metrics"), StartsWith(kOk));
}

TEST(ServerTest, AddressThatCannotBeListenedOnIsNamedWithTheRemedy) {
  const ListeningSocket other;
  const std::string taken = Address(other.port());
  const std::string in_use = "cannot listen on " + taken +
                             ": Address already in use; another program listens there; choose another "
                             "--web.listen-address or stop it";
  EXPECT_EQ(WhyNot({taken}), in_use);
  EXPECT_EQ(WhyNot({Address(FreePort()), taken}), in_use);
  EXPECT_EQ(WhyNot({"192.0.2.1:13675"}),
            "cannot listen on 192.0.2.1:13675: Cannot assign requested address; this machine has no such address; "
            "choose another --web.listen-address");
  const std::string free = Address(FreePort());
  EXPECT_EQ(WhyNot({free, free}),
            "cannot listen on " + free + ": " + free + " is listened on too, and they overlap; leave one of them out");
  EXPECT_THAT(WhyNot({"127.0.0.1:443s"}), HasSubstr("terminate TLS in a reverse proxy"));
  EXPECT_THAT(WhyNot(std::vector<std::string>()), HasSubstr("give a --web.listen-address"));
  ServerOptions options;
  options.telemetry_path = "metrics";
  EXPECT_THAT(WhyNot(options), StartsWith("cannot serve metrics: "));
}

TEST(ServerTest, LackOfDescriptorsIsNamedWithTheRemedy) {
  ServerOptions options;
  options.listen_addresses = {Address(FreePort())};
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  std::string why;
  {
    const rlimit none{0, limit.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    try {
      RefusedRequests refusals;
      const Server server(options, HttpHandler::PageCallbacks(), refusals);
    } catch (const std::runtime_error& fault) {
      why = fault.what();
    }
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  EXPECT_EQ(why, "cannot listen on " + options.listen_addresses.at(0) +
                     ": Too many open files; raise the limit of open files (ulimit -n)");
}

TEST(ServerTest, StopsTwiceAndLeavesThePortToTheNext) {
  TestServer house;
  const FakeReader reader(house.exchange);
  EXPECT_THAT(Get(house.port, "/metrics"), StartsWith(kOk));
  house.server->Stop();
  EXPECT_FALSE(TcpClient(house.port).connected());
  house.server->Stop();
  ServerOptions options;
  options.listen_addresses = {Address(house.port)};
  const Server next(options, house.exchange, house.own);
  EXPECT_THAT(Get(house.port, "/metrics"), StartsWith(kOk));
}

TEST(ServerTest, StopsWithinTheBoundWhenIdle) {
  TestServer house;
  // Long enough that civetweb waits: only then its slow way to stop would show.
  EXPECT_THAT(Get(house.port, "/-/healthy"), StartsWith(kOk));
  const auto begin = steady_clock::now();
  house.server->Stop();
  EXPECT_LT(steady_clock::now() - begin, kBound);
}

// All of 127.0.0.0/8 reaches a server on 127.0.0.1; the client is 127.0.0.1 here.
TEST(ServerTest, AnswersThoseWhoAreAllowedOnly) {
  const struct {
    const char* name;
    std::vector<std::string> allow;
    bool answers;
  } rows[] = {
      {"everybody", {}, true},
      {"this address", {"127.0.0.1"}, true},
      {"its network", {"10.0.0.0/8", "127.0.0.0/8"}, true},
      {"all addresses", {"0.0.0.0/0"}, true},
      {"another address", {"127.0.0.2"}, false},
      {"another network", {"10.0.0.0/8"}, false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    TestServer house(ServerOptions{.allow = row.allow});
    const FakeReader reader(house.exchange);
    EXPECT_THAT(Get(house.port, "/-/healthy"), StartsWith(row.answers ? kOk : ""));
    EXPECT_EQ(Get(house.port, "/-/healthy").empty(), !row.answers);
    EXPECT_THAT(house.own.refusals.counts(), testing::ElementsAre(row.answers ? 0 : 2, 0));
  }
}

TEST(ServerTest, WhoIsTurnedAwayIsTold) {
  std::mutex mutex;
  std::vector<std::string> clients;
  std::uint16_t port = 0;
  RefusedRequests refusals([&](RefusalReason why, std::string_view client) {
    EXPECT_EQ(why, RefusalReason::kNotAllowed);
    const std::lock_guard lock(mutex);
    clients.emplace_back(client);
  });
  const auto server = OnFreePort(port, [&] {
    return std::make_unique<Server>(ServerOptions{.listen_addresses = {Address(port)}, .allow = {"10.0.0.0/8"}},
                                    HttpHandler::PageCallbacks(), refusals);
  });
  EXPECT_EQ(Get(port, "/-/healthy"), "");
  const std::lock_guard lock(mutex);
  EXPECT_THAT(clients, testing::ElementsAre("127.0.0.1"));
}

TEST(ServerTest, ANetworkThatIsNoneIsNamed) {
  EXPECT_THAT(WhyNot(ServerOptions{.allow = {"10.0.0.1/8"}}), HasSubstr("cannot allow 10.0.0.1/8: "));
}

}  // namespace
}  // namespace procevent
