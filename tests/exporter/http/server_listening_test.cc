// Tests the addresses that the server listens on, from its start to its stop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/fatal_error.h"
#include "exporter/http/server.h"
#include "tests/exporter/http/test_server.h"

namespace procevent {
namespace {

using std::chrono::steady_clock;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

Error StartError(const ServerOptions& options) {
  SnapshotExchange exchange{Snapshot(1)};
  ExporterState state{ReloadStatus(0)};
  try {
    const Server server(options, exchange, state);
  } catch (const FatalError& error) {
    return error.error();
  }
  ADD_FAILURE() << "started";
  return {};
}

Error StartError(const std::vector<std::string>& addresses) {
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
  for (const std::vector<std::string>& addresses : {std::vector{taken}, {Address(FreePort()), taken}}) {
    const Error in_use = StartError(addresses);
    EXPECT_EQ(in_use.object, taken);
    EXPECT_EQ(in_use.cause.code, EADDRINUSE);
    EXPECT_THAT(Describe(in_use), AllOf(StartsWith("cannot listen on " + taken + ": Address already in use: "),
                                        HasSubstr("choose another --web.listen-address, or stop that program")));
  }
  const Error foreign = StartError({"192.0.2.1:13675"});
  EXPECT_EQ(foreign.object, "192.0.2.1:13675");
  EXPECT_EQ(foreign.cause.code, EADDRNOTAVAIL);
  EXPECT_EQ(foreign.remedy, "choose another --web.listen-address");
  const std::string free = Address(FreePort());
  const Error overlap = StartError({free, free});
  EXPECT_EQ(overlap.object, free);
  EXPECT_EQ(overlap.details, free);
  EXPECT_EQ(overlap.remedy, "remove one of them");
  const Error tls = StartError({"127.0.0.1:443s"});
  EXPECT_EQ(tls.object, "127.0.0.1:443s");
  EXPECT_EQ(tls.remedy, "terminate TLS in a reverse proxy");
  EXPECT_THAT(StartError(std::vector<std::string>()).remedy, HasSubstr("set --web.listen-address"));
  ServerOptions options;
  options.telemetry_path = "metrics";
  const Error path = StartError(options);
  EXPECT_THAT(path.operation, HasSubstr("telemetry path"));
  EXPECT_EQ(path.object, "metrics");
}

TEST(ServerTest, NamesTheDescriptorLimitAndRemedy) {
  ServerOptions options;
  options.listen_addresses = {Address(FreePort())};
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  Error found;
  {
    const rlimit no_files{0, limit.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &no_files), 0);
    try {
      RefusedRequests refusals;
      const Server server(options, HttpHandler::PageCallbacks(), refusals);
    } catch (const FatalError& error) {
      found = error.error();
    }
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  EXPECT_EQ(found.object, options.listen_addresses.at(0));
  EXPECT_EQ(found.cause.code, EMFILE);
  EXPECT_EQ(found.remedy, "raise the limit of open files (ulimit -n)");
}

// With one free descriptor each address can be bound, but not both at a time.
TEST(ServerTest, NamesTheRemediesIfCivetwebDoesNotStart) {
  ServerOptions options;
  options.listen_addresses = {Address(FreePort()), Address(FreePort())};
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = ::dup(STDERR_FILENO);
  ::close(next);
  const rlimit one_file{static_cast<rlim_t>(next) + 1, limit.rlim_max};
  RefusedRequests refusals;
  Error found;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &one_file), 0);
  try {
    const Server server(options, HttpHandler::PageCallbacks(), refusals);
  } catch (const FatalError& error) {
    found = error.error();
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(found.object, options.listen_addresses[0] + ',' + options.listen_addresses[1]);
  EXPECT_THAT(std::string(found.remedy), AllOf(HasSubstr("ulimit -v"), HasSubstr("ulimit -u"), HasSubstr("ulimit -n")));
  EXPECT_FALSE(found.details.empty()) << "civetweb's text";
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
  const Error error = StartError(ServerOptions{.allow = {"10.0.0.1/8"}});
  EXPECT_EQ(error.object, "10.0.0.1/8");
  EXPECT_EQ(error.cause.text, "host bits are set");
}

}  // namespace
}  // namespace procevent
