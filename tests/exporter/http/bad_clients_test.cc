// Clients that send or read slowly, or never: they delay nobody else, and no stop.
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
#include "tests/exporter/http/test_server.h"

namespace procevent {
namespace {

using std::chrono::steady_clock;
using testing::StartsWith;

using Clients = std::vector<std::unique_ptr<TcpClient>>;
// More than the kernel takes off a server's hands (tcp_wmem): who does not read keeps a thread waiting.
HttpHandler::PageCallbacks BigPages() {
  constexpr std::size_t kBytes = 4'500'000;
  return {[](auto) { return std::string(kBytes, '#'); }, [] { return SubscriptionStatus(); }};
}

constexpr std::string_view kHalfOpen = "GET /metrics HTTP/1.1\r\nHost: ";

void Add(Clients& clients, std::uint16_t port, int count, std::string_view request) {
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<TcpClient>(port));
    clients.back()->Send(request);
  }
}

// Who ask for metrics and take none; all are being written to when this returns.
void AddNonReading(Clients& clients, std::uint16_t port, int count) {
  constexpr int kSmall = 2048;
  const std::size_t first = clients.size();
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<TcpClient>(port, kSmall));
    clients.back()->Send(kScrape);
  }
  for (std::size_t i = first; i < clients.size(); ++i) {
    EXPECT_TRUE(clients[i]->Hears());
  }
}

void ExpectSoon(const std::function<void()>& act) {
  const auto begin = steady_clock::now();
  act();
  EXPECT_LT(steady_clock::now() - begin, kBound);
}

TEST(ServerTest, HalfOpenClientsDelayNoScrape) {
  TestServer house;
  const FakeReader reader(house.exchange);
  Clients clients;
  Add(clients, house.port, 32, kHalfOpen);
  ExpectSoon([&house] { EXPECT_THAT(Get(house.port, "/metrics"), StartsWith(kOk)); });
}

TEST(ServerTest, NonReadingClientsDelayNoScrape) {
  TestServer house(BigPages());
  Clients clients;
  AddNonReading(clients, house.port, 32);
  ExpectSoon([&house] { EXPECT_THAT(Get(house.port, "/metrics"), StartsWith(kOk)); });
}

// Who announce a body and never end it, one for each of the server's threads.
TEST(ServerTest, ClientsThatDripABodyDelayNoScrape) {
  TestServer house;
  const FakeReader reader(house.exchange);
  Clients clients;
  Add(clients, house.port, 64, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
  const std::jthread dripping([&clients](const std::stop_token& stopped) {
    constexpr std::chrono::milliseconds kPause{300};
    while (!stopped.stop_requested()) {
      for (const auto& client : clients) {
        client->Send("x");
      }
      std::this_thread::sleep_for(kPause);
    }
  });
  for (const auto& client : clients) {
    EXPECT_TRUE(client->Hears());
  }
  ExpectSoon([&house] { EXPECT_THAT(Get(house.port, "/metrics"), StartsWith(kOk)); });
}

TEST(ServerTest, StopsWithinTheBoundWhateverTheClientsDo) {
  TestServer house(BigPages());
  Clients clients;
  AddNonReading(clients, house.port, 16);
  Add(clients, house.port, 16, kHalfOpen);
  Add(clients, house.port, 8, "");
  ExpectSoon([&house] { house.server->Stop(); });
}

TEST(ServerTest, StopsWithinTheBoundWhileTheReaderIsDead) {
  TestServer house;
  Clients clients;
  Add(clients, house.port, 8, kScrape);
  ExpectSoon([&house] { house.server->Stop(); });
}

}  // namespace
}  // namespace procevent
