// Tests the addresses that the server listens on, from its start to its stop.
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

std::string StartError(const ServerOptions& options) {
  SnapshotExchange exchange{Snapshot(1)};
  ExporterState state{ReloadStatus(0)};
  try {
    const Server server(options, exchange, state);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "started";
}

std::string StartError(const std::vector<std::string>& addresses) {
  ServerOptions options;
  options.listen_addresses = addresses;
  return StartError(options);
}

TEST(ServerTest, ListensOnEveryAddress) {
  SnapshotExchange exchange{Snapshot(1)};
  ExporterState state{ReloadStatus(0)};
  const FakeReader reader(exchange);
  std::uint16_t first = 0;
  std::uint16_t second = 0;
  const auto server = MakeOnFreePort(first, [&] {
    second = FreePort();
    ServerOptions options;
    options.listen_addresses = {Address(first), ":" + std::to_string(second)};
    return std::make_unique<Server>(options, exchange, state);
  });
  EXPECT_THAT(Get(first, "/metrics"), StartsWith(kOk));
  EXPECT_THAT(Get(second, "/metrics"), StartsWith(kOk));
}

TEST(ServerTest, NamesUnavailableAddressAndRemedy) {
  const ListeningSocket other;
  const std::string taken = Address(other.port());
  const std::string in_use = "cannot listen on " + taken +
                             ": Address already in use by another program; choose another --web.listen-address, "
                             "or stop that program";
  EXPECT_EQ(StartError({taken}), in_use);
  EXPECT_EQ(StartError({Address(FreePort()), taken}), in_use);
  EXPECT_EQ(StartError({"192.0.2.1:13675"}),
            "cannot listen on 192.0.2.1:13675: Cannot assign requested address on this machine; "
            "choose another --web.listen-address");
  const std::string free = Address(FreePort());
  EXPECT_EQ(StartError({free, free}),
            "cannot listen on " + free + ": it overlaps with " + free + "; remove one of them");
  EXPECT_THAT(StartError({"127.0.0.1:443s"}), HasSubstr("terminate TLS in a reverse proxy"));
  EXPECT_THAT(StartError(std::vector<std::string>()), HasSubstr("set --web.listen-address"));
  ServerOptions options;
  options.telemetry_path = "metrics";
  EXPECT_THAT(StartError(options), StartsWith("cannot serve telemetry path metrics: "));
}

TEST(ServerTest, NamesTheDescriptorLimitAndRemedy) {
  ServerOptions options;
  options.listen_addresses = {Address(FreePort())};
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  std::string message;
  {
    const rlimit no_files{0, limit.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &no_files), 0);
    try {
      RefusedRequests refusals;
      const Server server(options, HttpHandler::PageCallbacks(), refusals);
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  EXPECT_EQ(message, "cannot listen on " + options.listen_addresses.at(0) +
                         ": Too many open files; raise the limit of open files (ulimit -n)");
}

TEST(ServerTest, StopsIdempotentlyAndFreesThePort) {
  TestServer fixture;
  const FakeReader reader(fixture.exchange);
  EXPECT_THAT(Get(fixture.port, "/metrics"), StartsWith(kOk));
  fixture.server->Stop();
  EXPECT_FALSE(TcpClient(fixture.port).connected());
  fixture.server->Stop();
  ServerOptions options;
  options.listen_addresses = {Address(fixture.port)};
  const Server next(options, fixture.exchange, fixture.state);
  EXPECT_THAT(Get(fixture.port, "/metrics"), StartsWith(kOk));
}

TEST(ServerTest, StopsInTimeWhenIdle) {
  TestServer fixture;
  // After a request civetweb's threads wait. Only then a stop without EndSocketWaits would be slow.
  EXPECT_THAT(Get(fixture.port, "/-/healthy"), StartsWith(kOk));
  const auto begin = steady_clock::now();
  fixture.server->Stop();
  EXPECT_LT(steady_clock::now() - begin, kMaxDelay);
}

// All addresses in 127.0.0.0/8 reach a server on 127.0.0.1. The client in this test is 127.0.0.1.
TEST(ServerTest, AnswersOnlyAllowedClients) {
  const struct {
    const char* name;
    std::vector<std::string> allow;
    bool answers;
  } rows[] = {
      {"no list", {}, true},
      {"this address", {"127.0.0.1"}, true},
      {"its network", {"10.0.0.0/8", "127.0.0.0/8"}, true},
      {"all addresses", {"0.0.0.0/0"}, true},
      {"another address", {"127.0.0.2"}, false},
      {"another network", {"10.0.0.0/8"}, false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    TestServer fixture(ServerOptions{.allow = row.allow});
    const FakeReader reader(fixture.exchange);
    EXPECT_THAT(Get(fixture.port, "/-/healthy"), StartsWith(row.answers ? kOk : ""));
    EXPECT_EQ(Get(fixture.port, "/-/healthy").empty(), !row.answers);
    EXPECT_THAT(fixture.state.refusals.counts(), testing::ElementsAre(row.answers ? 0 : 2, 0, 0));
  }
}

TEST(ServerTest, ReportsRefusedClients) {
  std::mutex mutex;
  std::vector<std::string> clients;
  std::uint16_t port = 0;
  RefusedRequests refusals([&](RefusalReason reason, std::string_view client) {
    EXPECT_EQ(reason, RefusalReason::kNotAllowed);
    const std::lock_guard lock(mutex);
    clients.emplace_back(client);
  });
  const auto server = MakeOnFreePort(port, [&] {
    return std::make_unique<Server>(ServerOptions{.listen_addresses = {Address(port)}, .allow = {"10.0.0.0/8"}},
                                    HttpHandler::PageCallbacks(), refusals);
  });
  EXPECT_EQ(Get(port, "/-/healthy"), "");
  const std::lock_guard lock(mutex);
  EXPECT_THAT(clients, testing::ElementsAre("127.0.0.1"));
}

TEST(ServerTest, NamesAnInvalidNetwork) {
  EXPECT_THAT(StartError(ServerOptions{.allow = {"10.0.0.1/8"}}), HasSubstr("cannot allow network 10.0.0.1/8: "));
}

}  // namespace
}  // namespace procevent
