// Clients that send or read slowly, or never: they delay nobody else, and no stop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "exporter/server.h"
#include "tests/exporter/house.h"

namespace procevent {
namespace {

using std::chrono::steady_clock;
using testing::StartsWith;

using Clients = std::vector<std::unique_ptr<TcpClient>>;
// More than the kernel takes off a server's hands (tcp_wmem): who does not read keeps a thread waiting.
Site::Pages BigPages() {
  constexpr std::size_t kBytes = 4'500'000;
  return {[](auto) { return std::string(kBytes, '#'); }, [] { return ListenerState(); }};
}

void AddHalfOpen(Clients& clients, std::uint16_t port, int count) {
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<TcpClient>(port));
    clients.back()->Send("GET /metrics HTTP/1.1\r\nHost: ");
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

TEST(ServerTest, HalfOpenClientsDelayNoScrape) {
  House house;
  const FakeReader reader(house.exchange);
  Clients clients;
  AddHalfOpen(clients, house.port, 32);
  const auto begin = steady_clock::now();
  EXPECT_THAT(Get(house.port, "/metrics"), StartsWith(kOk));
  EXPECT_LT(steady_clock::now() - begin, kBound);
}

TEST(ServerTest, NonReadingClientsDelayNoScrape) {
  House house(BigPages());
  Clients clients;
  AddNonReading(clients, house.port, 32);
  const auto begin = steady_clock::now();
  EXPECT_THAT(Get(house.port, "/metrics"), StartsWith(kOk));
  EXPECT_LT(steady_clock::now() - begin, kBound);
}

// Who announce a body and never end it, one for each of the server's threads.
TEST(ServerTest, ClientsThatDripABodyDelayNoScrape) {
  constexpr int kCount = 64;
  House house;
  const FakeReader reader(house.exchange);
  Clients clients;
  for (int i = 0; i < kCount; ++i) {
    clients.push_back(std::make_unique<TcpClient>(house.port));
    clients.back()->Send("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
  }
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
  const auto begin = steady_clock::now();
  EXPECT_THAT(Get(house.port, "/metrics"), StartsWith(kOk));
  EXPECT_LT(steady_clock::now() - begin, kBound);
}

TEST(ServerTest, StopsWithinTheBoundWhateverTheClientsDo) {
  House house(BigPages());
  Clients clients;
  AddNonReading(clients, house.port, 16);
  AddHalfOpen(clients, house.port, 16);
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<TcpClient>(house.port));
  }
  const auto begin = steady_clock::now();
  house.server->Stop();
  EXPECT_LT(steady_clock::now() - begin, kBound);
}

TEST(ServerTest, StopsWithinTheBoundWhileTheReaderIsDead) {
  House house;
  Clients clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<TcpClient>(house.port));
    clients.back()->Send(kScrape);
  }
  const auto begin = steady_clock::now();
  house.server->Stop();
  EXPECT_LT(steady_clock::now() - begin, kBound);
}
}  // namespace
}  // namespace procevent
