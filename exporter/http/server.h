// Serves metrics, a landing page, /-/healthy and /-/ready over HTTP.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/reader/snapshot_exchange.h"
#include "exporter/http/address.h"
#include "exporter/http/http_handler.h"
#include "exporter/metrics/exporter_state.h"

struct mg_context;

namespace procevent {

struct ServerContext;  // the data that the serving threads use

// Runs first on each serving thread. Must not throw.
using ThreadInitializer = std::function<void()>;

// Starts in its constructor, serves from its own threads, and stops in its destructor. cmd owns it and creates it after
// the reader.
class Server {
 public:
  // Throws FatalError if an option is invalid, or an address, memory or threads are not available. `exchange` and
  // `state` must outlive the server.
  Server(const ServerOptions& options, SnapshotExchange& exchange, ExporterState& state,
         ThreadInitializer initialize_thread = {});
  // The same with other pages. `pages` may throw on every call; `refusals` must outlive the server.
  Server(const ServerOptions& options, HttpHandler::PageCallbacks pages, RefusedRequests& refusals,
         ThreadInitializer initialize_thread = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  Server(Server&&) = delete;
  Server& operator=(Server&&) = delete;
  ~Server();

  // Stops accepting requests and aborts active ones, within 2 s for any behaviour of the clients. Idempotent.
  void Stop();

 private:
  std::unique_ptr<ServerContext> context_;
  std::vector<ListenAddress> addresses_;
  mg_context* civetweb_ = nullptr;  // its threads use context_
};

}  // namespace procevent
