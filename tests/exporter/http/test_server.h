// A server over real sockets, for its tests.
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

inline constexpr std::chrono::seconds kBound{2};  // what the issue names
inline const std::string kScrape = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
inline const std::string kOk = "HTTP/1.1 200 OK\r\n";

inline std::string Address(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }
inline std::string HeadOf(const std::string& response) { return response.substr(0, response.find("\r\n\r\n")); }
inline std::string BodyOf(const std::string& response) { return response.substr(response.find("\r\n\r\n") + 4); }

// What `make` makes of a free port, which somebody may take before it does: then of another.
template <typename Make>
std::unique_ptr<Server> OnFreePort(std::uint16_t& port, const Make& make) {
  constexpr int kTries = 20;
  for (int tried = 1;; ++tried) {
    port = FreePort();
    try {
      return make();
    } catch (const std::runtime_error& fault) {
      if (tried == kTries || std::string_view(fault.what()).find("Address already in use") == std::string_view::npos) {
        throw;
      }
    }
  }
}

// A server on a port of its own, and its exchange; the reader is the test's business.
struct TestServer {
  explicit TestServer(ServerOptions options = {}) {
    server = OnFreePort(port, [&] {
      options.listen_addresses = {Address(port)};
      return std::make_unique<Server>(options, exchange, own);
    });
  }
  explicit TestServer(const HttpHandler::PageCallbacks& pages) {
    server = OnFreePort(port, [&] {
      ServerOptions options;
      options.listen_addresses = {Address(port)};
      return std::make_unique<Server>(options, pages, own.refusals);
    });
  }

  std::uint16_t port = 0;
  SnapshotExchange exchange{Snapshot(2)};
  ExporterState own{ReloadStatus(0)};
  std::unique_ptr<Server> server;
};

}  // namespace procevent
