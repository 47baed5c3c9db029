// Starts a server on a free port, for tests over real sockets.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "exporter/http/server.h"
#include "tests/exporter/http/tcp_client.h"
#include "tests/exporter/metrics/fake_reader.h"

namespace procevent {

inline constexpr std::chrono::seconds kMaxDelay{2};  // the promised bound of a scrape and of a stop
inline const std::string kScrape = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
inline const std::string kOk = "HTTP/1.1 200 OK\r\n";

inline std::string Address(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }
inline std::string HeadOf(const std::string& response) { return response.substr(0, response.find("\r\n\r\n")); }
inline std::string BodyOf(const std::string& response) { return response.substr(response.find("\r\n\r\n") + 4); }

// Calls `make` with a free port in `port`. Tries again with another port if a program takes it first.
template <typename Make>
std::unique_ptr<Server> MakeOnFreePort(std::uint16_t& port, const Make& make) {
  constexpr int kMaxAttempts = 20;
  for (int attempt = 1;; ++attempt) {
    port = FreePort();
    try {
      return make();
    } catch (const std::runtime_error& error) {
      if (attempt == kMaxAttempts ||
          std::string_view(error.what()).find("Address already in use") == std::string_view::npos) {
        throw;
      }
    }
  }
}

// A server on its own port, with its snapshot exchange. A test that needs a reader adds a FakeReader.
struct TestServer {
  explicit TestServer(ServerOptions options = {}) {
    server = MakeOnFreePort(port, [&] {
      options.listen_addresses = {Address(port)};
      return std::make_unique<Server>(options, exchange, state);
    });
  }
  explicit TestServer(const HttpHandler::PageCallbacks& pages) {
    server = MakeOnFreePort(port, [&] {
      ServerOptions options;
      options.listen_addresses = {Address(port)};
      return std::make_unique<Server>(options, pages, state.refusals);
    });
  }

  std::uint16_t port = 0;
  SnapshotExchange exchange{Snapshot(2)};
  ExporterState state{ReloadStatus(0)};
  std::unique_ptr<Server> server;
};

}  // namespace procevent
