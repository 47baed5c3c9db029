// Tests that clients which send or read slowly, or never, delay neither other clients nor a stop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "exporter/http/server.h"
#include "tests/exporter/http/generate_text.h"
#include "tests/exporter/http/test_server.h"

namespace procevent {
namespace {

using std::chrono::steady_clock;
using testing::StartsWith;

using Clients = std::vector<std::unique_ptr<TcpClient>>;

// Pages larger than the kernel's send buffer (tcp_wmem), so that a client which does not read blocks a serving thread.
HttpHandler::PageCallbacks MakeLargePages() {
  constexpr std::size_t kBytes = 4'500'000;
  return {GenerateText(std::string(kBytes, '#')), [] { return SubscriptionStatus(); }};
}

constexpr std::string_view kPartialRequest = "GET /metrics HTTP/1.1\r\nHost: ";

void AddClients(Clients& clients, std::uint16_t port, int count, std::string_view request) {
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<TcpClient>(port));
    clients.back()->Send(request);
  }
}

// Adds clients that request metrics but never read the response. When this returns, the server writes to all of them.
void AddNonReadingClients(Clients& clients, std::uint16_t port, int count) {
  constexpr int kSmallBuffer = 2048;
  const std::size_t first = clients.size();
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<TcpClient>(port, kSmallBuffer));
    clients.back()->Send(kScrape);
  }
  for (std::size_t i = first; i < clients.size(); ++i) {
    EXPECT_TRUE(clients[i]->WaitForData());
  }
}

void ExpectFast(const std::function<void()>& act) {
  const auto begin = steady_clock::now();
  act();
  EXPECT_LT(steady_clock::now() - begin, kMaxDelay);
}

TEST(ServerTest, PartialRequestsDelayNoScrape) {
  TestServer fixture;
  const FakeReader reader(fixture.exchange);
  Clients clients;
  AddClients(clients, fixture.port, 32, kPartialRequest);
  ExpectFast([&fixture] { EXPECT_THAT(Get(fixture.port, "/metrics"), StartsWith(kOk)); });
}

TEST(ServerTest, NonReadingClientsDelayNoScrape) {
  TestServer fixture(MakeLargePages());
  Clients clients;
  AddNonReadingClients(clients, fixture.port, 32);
  ExpectFast([&fixture] { EXPECT_THAT(Get(fixture.port, "/metrics"), StartsWith(kOk)); });
}

// One client for each serving thread announces a body and sends it without end.
TEST(ServerTest, SlowRequestBodiesDelayNoScrape) {
  TestServer fixture;
  const FakeReader reader(fixture.exchange);
  Clients clients;
  AddClients(clients, fixture.port, 64, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
  const std::jthread sender([&clients](const std::stop_token& stopped) {
    constexpr std::chrono::milliseconds kInterval{300};
    while (!stopped.stop_requested()) {
      for (const auto& client : clients) {
        client->Send("x");
      }
      std::this_thread::sleep_for(kInterval);
    }
  });
  for (const auto& client : clients) {
    EXPECT_TRUE(client->WaitForData());
  }
  ExpectFast([&fixture] { EXPECT_THAT(Get(fixture.port, "/metrics"), StartsWith(kOk)); });
}

TEST(ServerTest, StopsInTimeWithSlowClients) {
  TestServer fixture(MakeLargePages());
  Clients clients;
  AddNonReadingClients(clients, fixture.port, 16);
  AddClients(clients, fixture.port, 16, kPartialRequest);
  AddClients(clients, fixture.port, 8, "");
  ExpectFast([&fixture] { fixture.server->Stop(); });
}

TEST(ServerTest, StopsInTimeWithoutAReader) {
  TestServer fixture;
  Clients clients;
  AddClients(clients, fixture.port, 8, kScrape);
  ExpectFast([&fixture] { fixture.server->Stop(); });
}

}  // namespace
}  // namespace procevent
